-- Rows that are to get a unique value which another row has, and keeps, or which a row before them gets,
-- are withheld: found here for the whole batch, not by failing later. Whoever is withheld keeps what it
-- has, so the one that takes that is withheld as well, to the end of the chain. A list that moves up by
-- one is a long chain: who takes from whom is looked up in an array, because a join would read all of it
-- for each step.
with recursive moves as materialized (
    select v.ctid as place, row_number() over () as id, v.verdict, {{staged_key}}, {{staged_values}},
        {{staged_is_set}} and row_number() over (partition by {{staged}} order by s.ctid) > 1 as is_second
    from pg_temp.tidegate_stage s
    join pg_temp.tidegate_verdict v on s.ctid = v.place
    left join {{target}} t on {{same_row}}
    where v.verdict in ('insert', 'update') and row({{held}}) is distinct from row({{staged}})
),
wishes as materialized (
    select w.id, w.is_second, g.id as giver
    from moves w
    join {{target}} t on {{has_wanted}} and not ({{is_wanting}})
    left join moves g on {{may_pass}} and g.verdict = 'update' and {{gives_up}}
),
-- Of each row of moves, who takes what it gives up; 0: nobody.
takers (ids) as (
    select array_agg(coalesce(w.id, 0) order by m.id)
    from moves m
    left join wishes w on w.giver = m.id and not w.is_second
),
lost (id) as (
    (select m.id from moves m where m.is_second union all select w.id from wishes w where w.giver is null)
    union
    select (select t.ids from takers t)[l.id::integer] from lost l
)
update pg_temp.tidegate_verdict v
set verdict = 'unique'
from lost l
join moves m on m.id = l.id
where v.ctid = m.place
