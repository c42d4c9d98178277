-- @P1 table, @P2 direction: our position, locked, created if need be. Whoever creates it has its turn, so that the
-- gap in which it is missing need not be locked, which would hold up other tables.
insert into {{store}}._sync_metadata (table_name, direction, stream)
select @P1, @P2, N'changes'
where not exists (
    select 1 from {{store}}._sync_metadata m with (updlock, rowlock)
    where m.table_name = @P1 and m.direction = @P2 and m.stream = N'changes' and m.site = N''
);
select m.watermark, m.after_key, m.generation, case when exists (
        select 1 from {{store}}._sync_withheld w where w.table_name = @P1 and w.direction = @P2
    ) then 1 else 0 end as has_withheld
from {{store}}._sync_metadata m with (updlock, rowlock)
where m.table_name = @P1 and m.direction = @P2 and m.stream = N'changes' and m.site = N'';
