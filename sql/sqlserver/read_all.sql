-- The whole table. Rows without a stamp come first, so that a position at a stamp has passed them.
select {{columns}}
from {{source}} s
where {{only}}
order by {{order}};
