-- Never sets the ownership column, nor touches a row of another owner than the staged one's.
update t
set {{assignments}}
from {{target}} t
join #tidegate_rows k on {{same_row}}
where k.deed = 2 and {{same_owner}};
select cast(@@rowcount as bigint) as written;
