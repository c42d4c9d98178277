-- Second look, after the pin and in its own statement: what the last writers did counts. A row that
-- is gone by now was not pinned either. Bound as the first look is.
update pg_temp.tidegate_verdict v
set held_version = d.held_version,
    held_owner = d.held_owner,
    pending = d.pending,
    rule = d.rule,
    verdict = case when d.is_pinned then {{verdicts}}[d.rule] else 'busy' end
from (
    select v.ctid as place,
        t.xmin as held_version,
        {{held_owner}} as held_owner,
        {{pending}} as pending,
        {{rule}} as rule,
        p.k1 is not null as is_pinned
    from pg_temp.tidegate_verdict v
    join pg_temp.tidegate_stage s on s.ctid = v.place
    left join {{target}} t on {{same_row}}
    left join pg_temp.tidegate_pinned p on {{same_pinned}}
    {{lookups}}
    where v.verdict = 'update'
) d
where d.place = v.ctid
