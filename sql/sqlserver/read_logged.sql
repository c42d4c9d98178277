-- The rows of a page of the log, each at its last entry there. One that is gone is passed over.
select {{columns}}, k.version
from (values {{keys}}) as k ({{names}}, version)
join {{source}} s on {{key_is_row}}
where {{only}}
order by k.version;
