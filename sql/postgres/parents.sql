-- Rows whose parent is missing, or is held by somebody at this moment, are withheld: found here for
-- the whole batch, not by failing later. Parents that are there can't go away any more.
with wanted as materialized (
    select distinct {{wanted}}
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    where v.verdict in ('insert', 'update') and {{refers}}
),
present as materialized (
    select {{present}}
    from wanted w
    join {{parent}} p on {{wanted_is_parent}}
    {{lock}}
)
update pg_temp.tidegate_verdict v
set verdict = case
    when exists (select from {{parent}} p where {{staged_is_parent}}) then 'busy'
    else 'missing_parent'
end
from pg_temp.tidegate_stage s
where s.ctid = v.place and v.verdict in ('insert', 'update') and {{refers}}
    and not exists (select from present p where {{staged_is_present}})
    and not exists ({{staged_parent}})
