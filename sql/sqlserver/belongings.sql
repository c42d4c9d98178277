-- @P1 the schema of our tables: what there is in it. What belongs to a table goes with that.
select o.name
from sys.objects o
join sys.schemas s on s.schema_id = o.schema_id
where s.name = @P1 and o.parent_object_id = 0
union all
select y.name
from sys.types y
join sys.schemas s on s.schema_id = y.schema_id
where s.name = @P1
