-- @P1 table, @P2 direction, @P3 run, then versions that lost, each with the one that stands.
insert into {{store}}._sync_trash (table_name, direction, run_id, [key], key_hash, reason, [row], winner)
select @P1, @P2, @P3, l.[key], l.key_hash, l.reason, l.[row], l.winner
from (values {{lost}}) as l ([key], key_hash, reason, [row], winner)
