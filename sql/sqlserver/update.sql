-- Never sets the ownership column, nor touches a row of another owner than the staged one's.
update t
set {{assignments}}
from #tidegate_rows k
inner loop join {{target}} t on {{same_row}}
where {{which}} and k.deed = 2 and {{same_owner}};
select cast(@@rowcount as bigint) as written;
