-- $1 table, $2 direction. FOR UPDATE waits for a commit that is still on its way.
select generation, run_id
from {{store}}._sync_metadata
where table_name = $1 and direction = $2 and stream = 'changes'
for update
