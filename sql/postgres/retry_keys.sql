-- $1 table, $2 direction, $3 run: rows that this run had to leave for later, and rows of earlier runs
-- whose parents have arrived meanwhile.
select w.key::text, w.reason
from {{store}}._sync_withheld w
where w.table_name = $1 and w.direction = $2 and w.reason in ('busy', 'missing_parent')
    and (w.last_run_id = $3 or w.reason = 'missing_parent' and {{parents_present}})
order by w.id
