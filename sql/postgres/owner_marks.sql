-- The marks of a table's ownership column, by a sample: no more is read than tells what it is.
select coalesce(json_agg(m.mark order by m.mark), '[]')::text
from (
    select distinct s.mark
    from (select t.{{column}}::text as mark from {{table}} as t limit 10000) as s
    where s.mark is not null
    limit 20
) as m
