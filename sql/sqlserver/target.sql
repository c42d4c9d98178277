-- @P1 the target, quoted: its number, and whether our role may see which tables it has locked; then the columns
-- that foreign keys refer to and whose updates go on to the rows that do.
select object_id(@P1) as number, case
        when object_id('sys.dm_tran_locks') is null then 0
        -- A database of Azure or Fabric has no server of its own; what is managed there, 8, has.
        when cast(serverproperty('EngineEdition') as int) in (5, 12)
            then coalesce(has_perms_by_name(quotename(db_name()), 'DATABASE', 'VIEW DATABASE STATE'), 0)
        when has_perms_by_name(null, null, 'VIEW SERVER STATE') = 1 then 1
        -- Older servers know no such right.
        when has_perms_by_name(null, null, 'VIEW SERVER PERFORMANCE STATE') = 1 then 1
        else 0
    end as shows_locks;

select f.name as constraint_name, c.name as column_name
from sys.foreign_keys f
join sys.foreign_key_columns fc on fc.constraint_object_id = f.object_id
join sys.columns c on c.object_id = fc.referenced_object_id and c.column_id = fc.referenced_column_id
where f.referenced_object_id = object_id(@P1) and f.update_referential_action <> 0 and f.is_disabled = 0;
