-- $1 writer's mark. Never sets the ownership column, never touches a row of another owner, and
-- returns what it wrote, table by table (partitions are tables of their own). strangers: rows that are
-- not the writer's once they are written.
with merged as (
    insert into {{target}} as t ({{columns}}) {{overriding}}
    select {{values}}
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    where v.verdict in ('insert', 'update')
    order by {{order}}
    on conflict ({{key}}) do update
    set {{assignments}}
    where {{held_owner}} = $1 and not ({{held_is_later}})
    returning t.tableoid as written_to, {{held_owner}} as owner, {{written_key}}
)
select m.written_to::bigint as oid,
    count(*) filter (where v.verdict = 'insert') as inserted,
    count(*) filter (where v.verdict = 'update') as updated,
    count(*) filter (where m.owner is distinct from $1) as strangers
from merged m
join pg_temp.tidegate_verdict v on {{same_written}}
group by m.written_to
