-- $1 buckets, $2 a mark or null for all: the keys of the rows in these buckets.
select i.key, i.owner, i.age
from (
    select {{key}} as key, coalesce({{owner}}, '') as owner, {{age}} as age
    from {{table}}
) i
cross join lateral (select sha256(convert_to(i.key, 'UTF8')) as hash) h
where get_byte(h.hash, 8) * 16 + get_byte(h.hash, 9) / 16 = any ($1)
    and ($2::text is null or i.owner = $2)
