-- $1 the least value that is wanted, or null, $2 how many values are to be free, $3 the sequence's step, $4 the last value, $5
-- whether it may lie before: the value that the sequence hands out next, and the first from there on, in its steps, that has so
-- many free ones before it; null if it has none. numeric, because a sequence may stand at the end of bigint.
with recursive passed as (
    select g.next, case
            when $5::boolean then $1::bigint
            else g.next + ceil(greatest($1::bigint - g.next, 0) / $3::bigint) * $3::bigint
        end as at
    from (
        select s.last_value::numeric + case when s.is_called then $3::bigint else 0 end as next from {{sequence}} s
    ) g
    union all
    select p.next, t.taken + $3::bigint
    from passed p
    cross join lateral (
        select t.{{column}}::numeric as taken
        from {{table}} t
        where p.at <= $4::bigint
            and t.{{column}} >= least(p.at, $4::bigint)::bigint
            and t.{{column}} <= least(p.at + ($2::bigint - 1) * $3::numeric, $4::bigint)::bigint
            and mod(t.{{column}} - p.at, $3::bigint) = 0
        order by t.{{column}} desc
        limit 1
    ) t
)
select least(min(p.next), case when $5::boolean then min(p.next) else $4::bigint end)::bigint as next,
    case when max(p.at) <= $4::bigint then max(p.at)::bigint end as free
from passed p
