-- $1 table, $2 direction, $3 run: rows that this run had to leave for later.
select key::text, reason
from {{store}}._sync_withheld
where table_name = $1 and direction = $2 and last_run_id = $3
    and reason in ('busy', 'missing_parent')
order by id
