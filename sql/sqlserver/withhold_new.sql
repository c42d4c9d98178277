-- @P1 table, @P2 direction, @P3 run, then entries: what was not written, and why.
insert into {{store}}._sync_withheld
    (table_name, direction, [key], key_hash, reason, detail, [row], target_row, target_version, since, contested,
     first_run_id, last_run_id)
select @P1, @P2, e.[key], e.key_hash, e.reason, e.detail, e.[row], e.target_row, e.target_version, e.since,
    e.contested, @P3, @P3
from (values {{entries}}) as e
    ([key], key_hash, reason, detail, [row], target_row, target_version, since, contested)
