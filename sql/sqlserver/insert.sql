{{identity_on}}
insert into {{target}} ({{columns}})
select {{values}}
from #tidegate_rows k
where {{which}} and k.deed = 1
order by {{order}};
select cast(@@rowcount as bigint) as written;
{{identity_off}}
