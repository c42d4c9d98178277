-- @P1 table, @P2 direction. UPDLOCK waits for a commit that is still on its way.
select m.generation, m.run_id
from {{store}}._sync_metadata m with (updlock)
where m.table_name = @P1 and m.direction = @P2 and m.stream = N'changes' and m.site = N''
