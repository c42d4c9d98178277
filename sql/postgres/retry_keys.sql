-- $1 table, $2 direction, $3 run: rows that this run had to leave for later, and rows of earlier runs
-- whose parents have arrived meanwhile.
select w.key::text, w.reason
from {{store}}._sync_withheld w
where w.table_name = $1 and w.direction = $2 and case
    when w.last_run_id = $3 then w.reason in ('busy', 'missing_parent', 'unique')
        -- Only another definition of the table could help.
        and coalesce(not starts_with(w.target_version, 'definition '), true)
    when w.reason = 'missing_parent' then {{parents_present}}
end
order by w.id
