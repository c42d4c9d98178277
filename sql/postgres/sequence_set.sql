-- $1 a value: counts as handed out, unless the sequence is past it.
select setval({{object}}, $1::bigint)
from {{sequence}} s
where s.last_value < $1::bigint
