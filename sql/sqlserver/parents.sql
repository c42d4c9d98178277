-- Which of the staged keys are those of rows that are there.
select k.n
from #tidegate_keys k
where exists (select 1 from {{parent}} t where {{same_row}});
