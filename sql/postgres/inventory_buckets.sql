-- $1 a mark: the same of the rows that carry it, by part of their keys' hash.
select get_byte(i.hash, 8) * 16 + get_byte(i.hash, 9) / 16 as bucket, count(*) as rows,
    sum(('x' || encode(substr(i.hash, 1, 8), 'hex'))::bit(64)::bigint)::text as digest
from (
    select sha256(convert_to({{key}}, 'UTF8')) as hash
    from {{table}}
    where {{owner}} = $1
) i
group by bucket
