-- $1 direction, $2 the writer's mark, $3 how far the other direction had come: the withheld rows of one table
-- that are worth another try, because what they met or wait for has moved.
select w.table_name, w.key::text,
    w.reason = 'owner' and not w.contested and w.target_version is not distinct from h.version, w.since::text
from {{store}}._sync_withheld w
-- One look into the index for each, never a scan of the target.
left join lateral (select t.xmin::text as version from {{target}} t where {{key_is_row}} limit 1) h on true
where {{only}} w.table_name = {{label}} and w.direction = $1 and case
    -- What refused it is another table by now.
    when starts_with(w.target_version, 'definition ') then w.target_version <> {{definition}}
    when w.reason = 'busy' then true
    when w.reason = 'unique' then {{unique_free}}
    -- Rows of a cycle wait for each other: unless a run has tried them to its end, the next one does.
    when w.reason = 'missing_parent' then {{parents_present}} or not exists (
        select from {{store}}._sync_runs r
        where r.run_id = w.last_run_id and r.table_name = w.table_name
            and r.direction = w.direction and r.outcome = 'ok'
    )
    -- Once the other direction has brought the mobile version where it belongs, there is something to compare.
    when w.reason = 'pending_mobile_edit' or w.reason = 'owner' and w.contested then
        not coalesce(($3::json -> {{label}} -> 'held_back')::jsonb ? w.key::text, false)
        and not exists (
            select from {{store}}._sync_changes c
            where c.table_name = w.table_name and c.key = w.key
                and jsonb_hash_extended(c.key, 0) = jsonb_hash_extended(w.key, 0)
                and c.operation in ('insert', 'update', 'delete', 'queued') and {{pending}}
        )
    -- Its owner at the source may be another by now, without a new stamp.
    when w.reason = 'owner' then w.row ->> {{owner}} is distinct from $2
        or w.target_version is distinct from h.version
    -- The other end's version stands, and nothing here shows when this end has got it.
    when w.reason = 'stale' and (w.direction = 'reverse' or {{settled}}) then true
    else w.target_version is distinct from h.version
end
