-- $1 writer's mark. Never sets the ownership column, never touches a row of another owner than the incoming one, nor one
-- that is not pinned, and returns what it wrote, table by table (partitions are tables of their own).
-- strangers: rows that say another owner, once they are written, than what was sent.
with merged as (
    insert into {{target}} as t ({{columns}}) {{overriding}}
    select {{values}}
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    where v.verdict in ('insert', 'update')
    order by {{order}}
    on conflict ({{key}}) do update
    set {{assignments}}
    where {{held_owner}} = {{sent_owner}}
        and ({{held_key}}) in (select {{pinned_key}} from pg_temp.tidegate_verdict u where u.verdict = 'update')
    returning t.tableoid as written_to, {{held_owner}} as owner, {{written_key}}{{kept}}
){{remembered}}
select m.written_to::bigint as oid,
    count(*) filter (where v.verdict = 'insert') as inserted,
    count(*) filter (where v.verdict = 'update') as updated,
    count(*) filter (where m.owner is distinct from {{wanted_owner}}) as strangers
from merged m
join pg_temp.tidegate_verdict v on {{same_written}}
join pg_temp.tidegate_stage s on s.ctid = v.place
group by m.written_to
