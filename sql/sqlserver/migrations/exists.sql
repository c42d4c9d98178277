-- @P1 schema: whether it is there, and tidegate's tables in it.
select count(s.schema_id) as schemas, count(o.object_id) as tables
from sys.schemas s
left join sys.objects o on o.schema_id = s.schema_id and o.name = N'_sync_migrations' and o.type = 'U'
where s.name = @P1
