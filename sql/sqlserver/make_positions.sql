-- @P1 direction, then tables: their positions are created if need be.
insert into {{store}}._sync_metadata (table_name, direction, stream)
select t.name, @P1, N'changes'
from (values {{tables}}) as t (name)
where not exists (
    select 1 from {{store}}._sync_metadata m with (updlock, holdlock)
    where m.table_name = t.name collate Latin1_General_BIN2 and m.direction = @P1 and m.stream = N'changes' and m.site = N''
)
