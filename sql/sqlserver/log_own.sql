-- @P1 the schema of our tables, @P2 that of a table: whether one role owns both. Then its users may add to the log
-- without any right on it.
select case when o.principal_id = t.principal_id then 1 else 0 end as chained
from sys.schemas o, sys.schemas t
where o.name = @P1 and t.name = @P2
