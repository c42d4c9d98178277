-- The tables in which our own transaction means to write, or has: a lock on some row of it, or on all of it. Of
-- rows that a trigger looked for and did not find, the lock stays as well.
select distinct s.name as schema_name, o.name as table_name
from sys.dm_tran_locks l
join sys.objects o on o.object_id = l.resource_associated_entity_id
join sys.schemas s on s.schema_id = o.schema_id
where l.request_session_id = @@spid and l.resource_database_id = db_id() and l.resource_type = 'OBJECT'
    and l.request_mode in ('IX', 'SIX', 'UIX', 'X', 'BU', 'Sch-M');
