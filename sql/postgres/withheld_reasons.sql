-- $1 table, $2 direction, $3 keys: those that are withheld, and why; and those of which the last that the
-- change log knows is that a mobile user deleted them.
select w.key::text as key, w.reason, true as is_listed
from {{store}}._sync_withheld w
where w.table_name = $1 and w.direction = $2 and w.key = any ($3::text[]::jsonb[])
union all
select k.key, l.operation, false
from unnest($3::text[]) as k (key)
cross join lateral (
    select c.operation
    from {{store}}._sync_changes c
    where c.table_name = $1 and c.key = k.key::jsonb and c.operation <> 'queued'
        and jsonb_hash_extended(c.key, 0) = jsonb_hash_extended(k.key::jsonb, 0)
    order by c.seq desc
    limit 1
) l
where l.operation = 'delete'
