-- $1 table, $2 direction, $3 run: rows that this run had to leave for later, with the reason, and rows of
-- earlier runs that may arrive by now. Whoever waits for a value may have the one that another waits for:
-- where one of them is tried, all are.
with waiting as (
    select w.id, w.key, w.reason, w.since, w.last_run_id = $3 as of_this_run, case
        when w.last_run_id = $3 then w.reason in ('busy', 'missing_parent', 'unique')
        when w.reason = 'missing_parent' then {{parents_present}}
        when w.reason = 'unique' then {{unique_free}}
    end as is_due
    from {{store}}._sync_withheld w
    where w.table_name = $1 and w.direction = $2
        -- Only another definition of the table could help those.
        and coalesce(not starts_with(w.target_version, 'definition '), true)
)
select w.key::text, case when w.of_this_run then w.reason end, w.since::text as since
from waiting w
where w.is_due or w.reason = 'unique' and exists (
    select from waiting o where o.reason = 'unique' and o.is_due
)
order by w.id
