-- $1 a value: draws until it has been handed out, to us or to somebody else.
with recursive drawn as (
    select nextval({{object}}) as value
    union all
    select nextval({{object}}) from drawn d where d.value < $1::bigint
)
select max(d.value) from drawn d
