-- First look, without locks. $1 writer's mark, $2 the other side's, $3 and $4 how far the other direction
-- had come, $5 the keys that it could not write yet.
create temp table tidegate_verdict on commit drop as
select v.*, {{verdicts}}[v.rule] as verdict
from (
    select s.ctid as place,
        {{staged_key}},
        t.xmin as held_version,
        {{held_owner}} as held_owner,
        false as detached,
        {{pending}} as pending,
        {{rule}} as rule
    from pg_temp.tidegate_stage s
    left join {{target}} t on {{same_row}}
    {{lookups}}
) v
