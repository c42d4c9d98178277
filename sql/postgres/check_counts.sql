-- $1, $2 the two marks, $3 the value that the key's sequence hands out next, or null, $4 its step: one scan of a table. Counts only,
-- and of keys that are numbers the greatest below that value that no mobile user made, and the first from it on that is taken.
select json_build_object(
    'rows', count(*),
    'unstamped', count(*) filter (where {{unstamped}}),
    'strangers', count(*) filter (where coalesce({{owner}} not in ($1, $2), true)),
    'below', max({{key}}) filter (where {{key}} < $3::bigint and {{owner}} is distinct from $2),
    'taken', case when $4::bigint > 0
        then min({{key}}) filter (where {{key}} >= $3::bigint and mod({{key}}::numeric - $3::bigint, $4::bigint) = 0)
        else max({{key}}) filter (where {{key}} <= $3::bigint and mod({{key}}::numeric - $3::bigint, $4::bigint) = 0)
    end
)::text
from {{table}} t
