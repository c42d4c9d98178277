-- The tables that have a log, with the triggers that were made for them, and whether those are there and fire. The
-- catalogue's names have the database's collation.
select l.table_name, l.trigger_schema, l.trigger_name,
    cast(coalesce(sum(case when g.is_disabled = 0 then 1 else 0 end), 0) as int) as firing
from {{store}}._sync_logged l
left join sys.schemas s on s.name collate Latin1_General_BIN2 = l.trigger_schema
left join sys.objects o on o.schema_id = s.schema_id and o.parent_object_id = 0
left join sys.triggers g on g.parent_id = o.object_id and g.name collate Latin1_General_BIN2 = l.trigger_name
group by l.table_name, l.trigger_schema, l.trigger_name
