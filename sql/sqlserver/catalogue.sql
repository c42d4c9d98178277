-- The tables that are wanted, each by its quoted name: tables and views, then their columns, the
-- columns of their unique indexes, of their foreign keys, our triggers that log changes, and whether rows of them are hidden.
select o.object_id, s.name as schema_name, o.name as table_name, cast(rtrim(o.type) as nvarchar(2)) as kind,
    has_perms_by_name(w.quoted, 'OBJECT', 'SELECT') as readable,
    has_perms_by_name(w.quoted, 'OBJECT', 'INSERT') as insertable,
    has_perms_by_name(w.quoted, 'OBJECT', 'UPDATE') as updatable,
    (
        select count(*) from sys.triggers g
        where g.parent_id = o.object_id and g.is_disabled = 0 and left(g.name, 9) <> N'tidegate_'
    ) as triggers,
    case when t.is_memory_optimized = 1 then 1 else 0 end as in_memory
from (values {{wanted}}) as w (quoted)
join sys.objects o on o.object_id = object_id(w.quoted)
join sys.schemas s on s.schema_id = o.schema_id
left join sys.tables t on t.object_id = o.object_id
where o.type in ('U', 'V');

select c.object_id, c.name, coalesce(y.name, type_name(c.user_type_id)) as type_name, c.max_length, c.precision,
    c.scale, c.is_nullable, c.is_identity, c.is_computed, c.default_object_id, c.collation_name,
    cast(collationproperty(c.collation_name, 'CodePage') as int) as code_page,
    case when c.generated_always_type = 0 then 0 else 1 end as is_period,
    case when c.encryption_type is null then 0 else 1 end as is_encrypted,
    -- Older servers know the right on the whole database alone.
    case when c.is_masked = 0 then 0
        when has_perms_by_name(quotename(db_name()), N'DATABASE', N'UNMASK') = 1 then 0
        when has_perms_by_name(w.quoted, N'OBJECT', N'UNMASK', c.name, N'COLUMN') = 1 then 0
        else 1
    end as is_masked
from (values {{wanted}}) as w (quoted)
join sys.columns c on c.object_id = object_id(w.quoted)
-- An alias type is what it stands for.
left join sys.types y on y.user_type_id = c.system_type_id
order by c.object_id, c.column_id;

select i.object_id, i.index_id, i.is_primary_key, c.name as column_name, (
        select count(*) from sys.foreign_keys f
        where f.referenced_object_id = i.object_id and f.key_index_id = i.index_id
    ) as referring
from (values {{wanted}}) as w (quoted)
join sys.indexes i on i.object_id = object_id(w.quoted)
join sys.index_columns ic on ic.object_id = i.object_id and ic.index_id = i.index_id
join sys.columns c on c.object_id = ic.object_id and c.column_id = ic.column_id
where i.is_unique = 1 and i.has_filter = 0 and i.is_disabled = 0 and ic.key_ordinal > 0
order by i.object_id, i.index_id, ic.key_ordinal;

select f.parent_object_id as object_id, f.object_id as constraint_id, f.name, s.name as parent_schema, p.name as parent_name,
    c.name as column_name, pc.name as parent_column,
    has_perms_by_name(quotename(s.name) + '.' + quotename(p.name), 'OBJECT', 'SELECT') as readable
from (values {{wanted}}) as w (quoted)
join sys.foreign_keys f on f.parent_object_id = object_id(w.quoted)
join sys.foreign_key_columns fc on fc.constraint_object_id = f.object_id
join sys.columns c on c.object_id = fc.parent_object_id and c.column_id = fc.parent_column_id
join sys.columns pc on pc.object_id = fc.referenced_object_id and pc.column_id = fc.referenced_column_id
join sys.objects p on p.object_id = f.referenced_object_id
join sys.schemas s on s.schema_id = p.schema_id
where f.is_disabled = 0
order by f.object_id, fc.constraint_column_id;

select g.parent_id as object_id, g.name
from (values {{wanted}}) as w (quoted)
join sys.triggers g on g.parent_id = object_id(w.quoted)
where g.is_disabled = 0 and left(g.name, 13) = N'tidegate_log_';

-- Older servers have no such predicates. Those of the other kind, 1, refuse writes and hide nothing.
if object_id('sys.security_predicates') is not null
    select distinct p.target_object_id as object_id
    from (values {{wanted}}) as w (quoted)
    join sys.security_predicates p on p.target_object_id = object_id(w.quoted) and p.predicate_type = 0
    join sys.security_policies y on y.object_id = p.object_id and y.is_enabled = 1;
