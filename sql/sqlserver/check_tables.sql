-- The tables that are wanted, each by number and quoted name: what a run does not need to know of them, but
-- their operator does. Then the columns that some index begins with, the defaults, the identity columns.
select w.number,
    has_perms_by_name(w.quoted, 'OBJECT', 'CONTROL') as owned,
    has_perms_by_name(w.quoted, 'OBJECT', 'DELETE') as deletes,
    t.temporal_type,
    cast(coalesce((
        select sum(p.rows) from sys.partitions p where p.object_id = t.object_id and p.index_id in (0, 1)
    ), 0) as bigint) as [rows]
from (values {{wanted}}) as w (number, quoted)
join sys.tables t on t.object_id = object_id(w.quoted);

select distinct w.number, c.name
from (values {{wanted}}) as w (number, quoted)
join sys.indexes i on i.object_id = object_id(w.quoted)
join sys.index_columns ic on ic.object_id = i.object_id and ic.index_id = i.index_id
join sys.columns c on c.object_id = ic.object_id and c.column_id = ic.column_id
where ic.key_ordinal = 1 and i.has_filter = 0 and i.is_disabled = 0 and i.is_hypothetical = 0;

select w.number, c.name, d.name as constraint_name, d.definition
from (values {{wanted}}) as w (number, quoted)
join sys.default_constraints d on d.parent_object_id = object_id(w.quoted)
join sys.columns c on c.object_id = d.parent_object_id and c.column_id = d.parent_column_id
where d.definition is not null;

select w.number, i.name, type_name(i.system_type_id) as type_name, cast(i.increment_value as bigint) as step,
    -- Of a table that never had a row, the seed is what comes next.
    cast(coalesce(i.last_value, i.seed_value) as bigint) as value,
    case when i.last_value is null then 0 else 1 end as is_called
from (values {{wanted}}) as w (number, quoted)
join sys.identity_columns i on i.object_id = object_id(w.quoted);
