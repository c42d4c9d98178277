-- Rows that are there by now are not inserted. Those that are not stay so, until we have inserted them.
update k
set deed = 3
from #tidegate_rows k
where k.deed = 1 and exists (select 1 from {{target}} t with (updlock, holdlock) where {{same_row}});
select k.n from #tidegate_rows k where k.deed = 3;
