-- The rows of the target under the staged keys, each with the number of the staged row.
select k.n, {{columns}}
from {{stage}} k
join {{target}} t {{lock}} on {{same_row}};
