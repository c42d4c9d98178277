-- Rows by owner, and a digest of their keys that asks for no order: the same rows give the same at
-- either end, whatever its version, encoding or collation.
select i.owner, count(*) as rows,
    sum(('x' || encode(substr(i.hash, 1, 8), 'hex'))::bit(64)::bigint)::text as digest
from (
    select coalesce({{owner}}, '') as owner, sha256(convert_to({{key}}, 'UTF8')) as hash
    from {{table}}
) i
group by i.owner
