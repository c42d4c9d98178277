-- What the clock of the server says, then the tables of the database, but for the server's own and tidegate's.
select datepart(tzoffset, sysdatetimeoffset()) as ahead_of_utc;

select s.name as schema_name, t.name as table_name
from sys.tables t
join sys.schemas s on s.schema_id = t.schema_id
where t.is_ms_shipped = 0
    and not (t.name like '[_]sync[_]%' and exists (
        select 1 from sys.tables o where o.schema_id = t.schema_id and o.name = '_sync_migrations'
    ))
order by s.name, t.name;
