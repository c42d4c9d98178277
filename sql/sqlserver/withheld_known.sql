-- @P1 table, @P2 direction, then keys: what is known of rows that are withheld already.
select w.id, w.[key], w.reason, w.[row], w.target_row, w.target_version, w.since
from {{store}}._sync_withheld w
where w.table_name = @P1 and w.direction = @P2 and w.key_hash in ({{keys}})
