-- First look, without locks. $1 writer's mark, $2 the other side's.
create temp table tidegate_verdict on commit drop as
select s.ctid as place,
    {{staged_key}},
    t.xmin as held_version,
    {{held_owner}} as held_owner,
    false as detached,
    {{verdict}} as verdict
from pg_temp.tidegate_stage s
left join {{target}} t on {{same_row}}
