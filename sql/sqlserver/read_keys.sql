-- Single rows by their keys; those that wait for an owner only once they are the writer's.
select {{columns}}
from (values {{keys}}) as k ({{names}}, once_owned)
join {{source}} s on {{key_is_row}}
where (k.once_owned = 0 or {{owned}}) and {{only}};
