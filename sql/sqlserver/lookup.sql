-- The rows of the target under the staged keys, each with the number of the staged row: by their index, so that
-- no other row is met, or locked.
select k.n, {{columns}}
from {{stage}} k
inner loop join {{target}} t {{lock}} on {{same_row}};
