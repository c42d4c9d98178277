-- Rows that are to get a unique value which another row has, and keeps, or which a row before them gets,
-- are withheld: found here for the whole batch, not by failing later.
with wanted as materialized (
    select v.ctid as place, v.verdict, {{staged_key}}, {{staged_values}},
        row_number() over (partition by {{staged}} order by s.ctid) as turn
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    left join {{target}} t on {{same_row}}
    where v.verdict in ('insert', 'update') and {{staged_is_set}}
        and row({{held}}) is distinct from row({{staged}})
),
given_up as materialized (
    select {{held_key}}
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    join {{target}} t on {{same_row}}
    where {{may_pass}} and v.verdict = 'update' and row({{held}}) is distinct from row({{staged}})
)
update pg_temp.tidegate_verdict v
set verdict = 'unique'
from wanted w
where v.ctid = w.place and (w.turn > 1 or exists (
    select from {{target}} t
    where {{has_wanted}} and not ({{is_wanting}})
        and not exists (select from given_up g where {{gives_up}})
))
