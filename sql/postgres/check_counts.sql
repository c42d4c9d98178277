-- $1, $2 the two marks: one scan of a table. Counts only, and the greatest key where it is a number.
select json_build_object(
    'rows', count(*),
    'unstamped', count(*) filter (where {{unstamped}}),
    'strangers', count(*) filter (where coalesce({{owner}} not in ($1, $2), true)),
    'greatest', {{greatest}}
)::text
from {{table}} t
