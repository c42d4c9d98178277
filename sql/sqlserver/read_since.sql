-- What changed since the watermark: closed, because rows at it may have been committed since. No upper bound:
-- what is seen above the horizon arrives now and is read again next time.
select {{columns}}
from {{source}} s
where ({{changed_since}}) and {{only}}
order by {{order}};
