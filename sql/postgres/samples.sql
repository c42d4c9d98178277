-- $1 how many, $2 keys that are to be looked at again: rows for people to look at, in a rehearsal only.
-- The first row of each verdict comes before the second of any.
with found as (
    select v.*, cardinality($2::text[]) > 0 and {{key_json}}::text = any ($2) as again
    from pg_temp.tidegate_verdict v
    join pg_temp.tidegate_stage s on s.ctid = v.place
),
numbered as (
    select v.*, row_number() over (partition by v.again, v.verdict order by {{order}}) as number
    from found v
    where v.again or v.verdict <> 'unchanged'
),
chosen as (
    select * from numbered order by again desc, number, verdict limit $1
)
select v.verdict, v.rule, {{key_json}}::text as key, {{staged_json}}::text as staged, h.row::text as held
from chosen v
join pg_temp.tidegate_stage s on s.ctid = v.place
left join lateral (
    select {{target_json}} as row from {{target}} t where {{same_row}} limit 1
) h on true
order by v.verdict, v.number
