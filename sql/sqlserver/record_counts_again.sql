-- @P1 the run or verification, then rows by table and owner that it has counted before.
update c
set [rows] = n.[rows], counted_at = cast(n.counted_at as datetimeoffset(6))
from {{store}}._sync_row_counts c
join (values {{counts}}) as n (table_name, owner, owner_hash, [rows], counted_at)
    on c.table_name = n.table_name collate Latin1_General_BIN2 and n.owner_hash = c.owner_hash
where c.run_id = @P1
