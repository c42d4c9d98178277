-- @P1 the run or verification, then rows by table and owner, of tables as they were counted at one moment each.
insert into {{store}}._sync_row_counts (run_id, table_name, owner, owner_hash, [rows], counted_at)
select @P1, n.table_name, n.owner, n.owner_hash, n.[rows], cast(n.counted_at as datetimeoffset(6))
from (values {{counts}}) as n (table_name, owner, owner_hash, [rows], counted_at)
where not exists (
    select 1 from {{store}}._sync_row_counts c
    where c.run_id = @P1 and c.table_name = n.table_name collate Latin1_General_BIN2 and c.owner_hash = n.owner_hash
)
