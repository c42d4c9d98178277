-- Goes on strictly after the last row of a run that stopped in the middle of the table.
select {{columns}}
from {{source}} s
where ({{changed_since}}) and {{only}} and ({{after}})
order by {{order}};
