-- @P1 our log, @P2 a table, quoted: whether one role owns both, by itself or as the owner of its schema. Then the
-- table's users may add to the log without any right on it.
select case when coalesce(l.principal_id, ls.principal_id) = coalesce(t.principal_id, ts.principal_id) then 1 else 0
    end as chained
from sys.tables l
join sys.schemas ls on ls.schema_id = l.schema_id
join sys.tables t on t.object_id = object_id(@P2)
join sys.schemas ts on ts.schema_id = t.schema_id
where l.object_id = object_id(@P1)
