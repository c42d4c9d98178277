-- The catalogue views of SQL Server over PostgreSQL's, with the columns that they document.

create schema sys;
create schema "INFORMATION_SCHEMA";

create view sys.schemas as
select nspname::varchar(128) as name, oid::integer as schema_id, 1 as principal_id
from pg_namespace
where nspname not like 'pg\_%' and nspname not in ('tsql', 'information_schema', 'public');

-- What PostgreSQL calls a column's type, and what SQL Server does.
create view sys.column_types as
select a.attrelid, a.attnum, k.kind, k.size
from pg_attribute a
join pg_type t on t.oid = a.atttypid
cross join lateral (
    select case
            when t.typnamespace = 'tsql'::regnamespace then t.typname::text
            else case t.typname
                when 'bool' then 'bit' when 'int2' then 'smallint' when 'int4' then 'int'
                when 'int8' then 'bigint' when 'float4' then 'real' when 'float8' then 'float'
                when 'numeric' then 'decimal' when 'uuid' then 'uniqueidentifier'
                when 'bpchar' then 'nchar' when 'bytea' then 'varbinary' when 'date' then 'date'
                else 'nvarchar' end
            end as kind,
        case when a.atttypmod > 4 then a.atttypmod - 4 end as size
) k
where a.attnum > 0 and not a.attisdropped;

create table sys.type_ids (
    name varchar(128), system_type_id smallint, user_type_id integer, max_length smallint,
    "precision" smallint, scale smallint, has_collation boolean
);
insert into sys.type_ids values
    ('image', 34, 34, 16, 0, 0, false), ('text', 35, 35, 16, 0, 0, true),
    ('uniqueidentifier', 36, 36, 16, 0, 0, false), ('date', 40, 40, 3, 10, 0, false),
    ('time', 41, 41, 5, 16, 7, false), ('datetime2', 42, 42, 8, 27, 7, false),
    ('datetimeoffset', 43, 43, 10, 34, 7, false), ('tinyint', 48, 48, 1, 3, 0, false),
    ('smallint', 52, 52, 2, 5, 0, false), ('int', 56, 56, 4, 10, 0, false),
    ('smalldatetime', 58, 58, 4, 16, 0, false), ('real', 59, 59, 4, 24, 0, false),
    ('money', 60, 60, 8, 19, 4, false), ('datetime', 61, 61, 8, 23, 3, false),
    ('float', 62, 62, 8, 53, 0, false), ('sql_variant', 98, 98, 8016, 0, 0, false),
    ('ntext', 99, 99, 16, 0, 0, true), ('bit', 104, 104, 1, 1, 0, false),
    ('decimal', 106, 106, 17, 38, 38, false), ('numeric', 108, 108, 17, 38, 38, false),
    ('smallmoney', 122, 122, 4, 10, 4, false), ('bigint', 127, 127, 8, 19, 0, false),
    ('varbinary', 165, 165, 8000, 0, 0, false), ('varchar', 167, 167, 8000, 0, 0, true),
    ('binary', 173, 173, 8000, 0, 0, false), ('char', 175, 175, 8000, 0, 0, true),
    ('timestamp', 189, 189, 8, 0, 0, false), ('nvarchar', 231, 231, 8000, 0, 0, true),
    ('sysname', 231, 256, 256, 0, 0, true), ('nchar', 239, 239, 8000, 0, 0, true),
    ('xml', 241, 241, -1, 0, 0, false);

create view sys.types as
select name, system_type_id, user_type_id, 4 as schema_id, max_length, "precision", scale,
    case when has_collation then 'SQL_Latin1_General_CP1_CI_AS' end::varchar(128)
        as collation_name,
    true as is_nullable, false as is_user_defined, false as is_assembly_type,
    false as is_table_type
from sys.type_ids;

create function tsql.type_name(id integer) returns varchar(128) language sql stable as
    'select name from sys.type_ids where user_type_id = id';

-- PostgreSQL does not know when an object was made or altered.
create function tsql.born() returns tsql.datetime language sql stable as
    $$select '2026-01-01'::timestamp::tsql.datetime$$;

-- What clients say of tables and columns, and PostgreSQL has no place for; column 0 is the table.
create table tsql.notes (relation oid, attnum smallint, note text);
create function tsql.note(relation text, attribute text, note text) returns void language sql as $$
    insert into tsql.notes select relation::regclass, coalesce((
        select attnum from pg_attribute where attrelid = relation::regclass and attname = attribute
    ), 0), note
$$;
create function tsql.is_noted(relation oid, attnum smallint, note text) returns boolean language sql stable as $$
    select exists (select from tsql.notes n where n.relation = $1 and n.attnum = $2 and n.note = $3)
$$;

create view sys.objects as
select c.relname::varchar(128) as name, c.oid::integer as object_id, c.relnamespace::integer as schema_id,
    0 as parent_object_id, case c.relkind when 'v' then 'V ' else 'U ' end::char(2) as type,
    case c.relkind when 'v' then 'VIEW' else 'USER_TABLE' end::varchar(60) as type_desc,
    false as is_ms_shipped, tsql.born() as create_date,
    -- Another one whenever the entry is another.
    timestamp '2000-01-01' + c.xmin::text::bigint * interval '1 second' as modify_date,
    case when tsql.is_noted(c.oid, 0::smallint, 'owned') then 2 end as principal_id
from pg_class c join sys.schemas s on s.schema_id = c.relnamespace::integer
where c.relkind in ('r', 'p', 'v') and s.name not in ('sys', 'INFORMATION_SCHEMA')
union all
select k.conname, k.oid::integer, k.connamespace::integer, k.conrelid::integer,
    case k.contype when 'p' then 'PK' when 'u' then 'UQ' when 'f' then 'F ' else 'C ' end,
    case k.contype when 'p' then 'PRIMARY_KEY_CONSTRAINT' when 'u' then 'UNIQUE_CONSTRAINT'
        when 'f' then 'FOREIGN_KEY_CONSTRAINT' else 'CHECK_CONSTRAINT' end, false,
    tsql.born(), timestamp '2000-01-01' + k.xmin::text::bigint * interval '1 second', null
from pg_constraint k join sys.schemas s on s.schema_id = k.connamespace::integer
where k.contype in ('p', 'u', 'f', 'c') and k.conrelid <> 0
union all
select split_part(t.tgname, '$', 1), min(t.oid)::integer, c.relnamespace::integer, c.oid::integer,
    'TR', 'SQL_TRIGGER', false, tsql.born(),
    timestamp '2000-01-01' + max(t.xmin::text::bigint) * interval '1 second', null
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where not t.tgisinternal and t.tgname <> ' rowversion' group by 1, 3, 4;

create view sys.tables as
select o.name, o.object_id, o.schema_id, o.principal_id, o.type, o.type_desc, o.is_ms_shipped,
    0::smallint::tsql.tinyint as temporal_type,
    tsql.is_noted(o.object_id::oid, 0::smallint, 'memory_optimized') as is_memory_optimized,
    false as is_tracked_by_cdc, false as is_external, 0 as lob_data_space_id
from sys.objects o where o.type = 'U ';

create view sys.views as
select name, object_id, schema_id, type, type_desc from sys.objects where type = 'V ';

create view sys.columns as
select a.attrelid::integer as object_id, a.attname::varchar(128) as name,
    row_number() over (partition by a.attrelid order by a.attnum)::integer as column_id,
    i.system_type_id, i.user_type_id,
    case
        when k.kind = 'nvarchar' then coalesce(k.size * 2, -1)
        when k.kind = 'nchar' then k.size * 2
        when k.kind in ('varchar', 'varbinary') then coalesce(k.size, -1)
        when k.kind in ('char', 'binary') then k.size
        when k.kind = 'decimal' then case
            when (a.atttypmod - 4) >> 16 < 10 then 5 when (a.atttypmod - 4) >> 16 < 20 then 9
            when (a.atttypmod - 4) >> 16 < 29 then 13 else 17 end
        when k.kind in ('time', 'datetime2', 'datetimeoffset') then i.max_length
            - case when k.size < 4 then 2 when k.size < 6 then 1 else 0 end
        else i.max_length
    end::smallint as max_length,
    case
        when k.kind = 'decimal' then (a.atttypmod - 4) >> 16
        when k.kind = 'time' then 8 + k.size - (k.size = 1)::integer
        when k.kind = 'datetime2' then 19 + k.size - (k.size = 1)::integer
        when k.kind = 'datetimeoffset' then 26 + k.size - (k.size = 1)::integer
        else i."precision"
    end::smallint::tsql.tinyint as "precision",
    case
        when k.kind = 'decimal' then (a.atttypmod - 4) & 2047
        when k.kind in ('time', 'datetime2', 'datetimeoffset') then k.size - 1
        else i.scale
    end::smallint::tsql.tinyint as scale,
    case when i.has_collation then case l.collname when 'C' then 'Latin1_General_BIN2'
        else 'SQL_Latin1_General_CP1_CI_AS' end end::varchar(128) as collation_name,
    not a.attnotnull as is_nullable, false as is_rowguidcol, a.attidentity <> '' as is_identity,
    a.attgenerated <> '' as is_computed, false as is_sparse, false as is_column_set,
    false as is_hidden, tsql.is_noted(a.attrelid, a.attnum, 'generated')::integer::smallint::tsql.tinyint
        as generated_always_type,
    coalesce(d.oid, 0)::integer as default_object_id, tsql.is_noted(a.attrelid, a.attnum, 'masked') as is_masked,
    case when tsql.is_noted(a.attrelid, a.attnum, 'encrypted') then 1 end as encryption_type
from pg_attribute a
join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v')
join sys.schemas s on s.schema_id = c.relnamespace::integer or c.relnamespace = pg_my_temp_schema()
join sys.column_types k on k.attrelid = a.attrelid and k.attnum = a.attnum
join sys.type_ids i on i.name = case k.kind when 'rowversion' then 'timestamp' else k.kind end
left join pg_collation l on l.oid = a.attcollation
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated = ''
    and k.kind <> 'rowversion'
where a.attnum > 0 and not a.attisdropped
group by a.attrelid, a.attname, a.attnum, a.atttypmod, a.attnotnull, a.attidentity,
    a.attgenerated, k.kind, k.size, i.system_type_id, i.user_type_id, i.max_length, i."precision",
    i.scale, i.has_collation, l.collname, d.oid;

-- PostgreSQL's number of a column, and SQL Server's.
create view sys.column_numbers as
select attrelid::integer as object_id, attnum, attname::varchar(128) as name,
    row_number() over (partition by attrelid order by attnum)::integer as column_id
from pg_attribute where attnum > 0 and not attisdropped;

create view sys.identity_columns as
select c.*, q.seqstart as seed_value, q.seqincrement as increment_value,
    (select last_value from pg_sequences ps where ps.schemaname = n.nspname
        and ps.sequencename = r.relname) as last_value
from sys.columns c
join sys.column_numbers m on m.object_id = c.object_id and m.column_id = c.column_id
join pg_depend d on d.refobjid = c.object_id::oid and d.refobjsubid = m.attnum and d.deptype = 'i'
join pg_sequence q on q.seqrelid = d.objid
join pg_class r on r.oid = d.objid join pg_namespace n on n.oid = r.relnamespace
where c.is_identity;

create view sys.computed_columns as
select c.*, pg_get_expr(d.adbin, d.adrelid) as definition, true as is_persisted
from sys.columns c
join sys.column_numbers m on m.object_id = c.object_id and m.column_id = c.column_id
join pg_attrdef d on d.adrelid = c.object_id::oid and d.adnum = m.attnum
where c.is_computed;

create view sys.default_constraints as
select ('DF_' || c.name)::varchar(128) as name, c.default_object_id as object_id,
    c.object_id as parent_object_id, c.column_id as parent_column_id,
    pg_get_expr(d.adbin, d.adrelid) as definition
from sys.columns c join pg_attrdef d on d.oid = c.default_object_id::oid
where not c.is_identity;

create view sys.check_constraints as
select conname::varchar(128) as name, oid::integer as object_id,
    conrelid::integer as parent_object_id, connamespace::integer as schema_id,
    pg_get_constraintdef(oid) as definition, false as is_disabled, not convalidated as is_not_trusted
from pg_constraint where contype = 'c' and conrelid <> 0;

-- A primary key is the clustered index 1; the others follow.
create view sys.indexes as
select i.indrelid::integer as object_id, c.relname::varchar(128) as name,
    (row_number() over (partition by i.indrelid order by not i.indisprimary, c.oid)
        + (not bool_or(i.indisprimary) over (partition by i.indrelid))::integer)::integer as index_id,
    case when i.indisprimary then 1 else 2 end::smallint::tsql.tinyint as type,
    case when i.indisprimary then 'CLUSTERED' else 'NONCLUSTERED' end::varchar(60) as type_desc,
    i.indisunique as is_unique, i.indisprimary as is_primary_key,
    exists (select from pg_constraint k where k.conindid = c.oid and k.contype = 'u')
        as is_unique_constraint,
    i.indpred is not null as has_filter, pg_get_expr(i.indpred, i.indrelid) as filter_definition,
    not i.indisvalid as is_disabled, false as is_hypothetical, false as ignore_dup_key,
    c.oid::integer as postgres_index
from pg_index i join pg_class c on c.oid = i.indexrelid
join sys.objects o on o.object_id = i.indrelid::integer;

create view sys.index_columns as
select i.object_id, i.index_id, k.place::integer as index_column_id, n.column_id,
    case when k.place <= x.indnkeyatts then k.place else 0 end::smallint::tsql.tinyint
        as key_ordinal,
    coalesce((x.indoption::smallint[])[k.place - 1] & 1 = 1, false) as is_descending_key,
    k.place > x.indnkeyatts as is_included_column,
    0::smallint::tsql.tinyint as partition_ordinal
from sys.indexes i join pg_index x on x.indexrelid = i.postgres_index::oid
cross join lateral unnest(x.indkey::smallint[]) with ordinality as k (attnum, place)
join sys.column_numbers n on n.object_id = i.object_id and n.attnum = k.attnum;

create view sys.key_constraints as
select k.conname::varchar(128) as name, k.oid::integer as object_id,
    k.conrelid::integer as parent_object_id, k.connamespace::integer as schema_id,
    case k.contype when 'p' then 'PK' else 'UQ' end::char(2) as type,
    case k.contype when 'p' then 'PRIMARY_KEY_CONSTRAINT' else 'UNIQUE_CONSTRAINT' end::varchar(60)
        as type_desc,
    i.index_id as unique_index_id
from pg_constraint k join sys.indexes i on i.postgres_index = k.conindid::integer
where k.contype in ('p', 'u');

create view sys.foreign_keys as
select conname::varchar(128) as name, oid::integer as object_id,
    conrelid::integer as parent_object_id, confrelid::integer as referenced_object_id,
    connamespace::integer as schema_id, false as is_disabled, not convalidated as is_not_trusted,
    case confdeltype when 'c' then 1 when 'n' then 2 when 'd' then 3 else 0
        end::smallint::tsql.tinyint as delete_referential_action,
    case confdeltype when 'c' then 'CASCADE' when 'n' then 'SET_NULL' when 'd' then 'SET_DEFAULT'
        else 'NO_ACTION' end::varchar(60) as delete_referential_action_desc,
    case confupdtype when 'c' then 1 when 'n' then 2 when 'd' then 3 else 0
        end::smallint::tsql.tinyint as update_referential_action,
    (select i.index_id from sys.indexes i where i.postgres_index = conindid::integer) as key_index_id
from pg_constraint where contype = 'f';

create view sys.foreign_key_columns as
select k.oid::integer as constraint_object_id, p.place::integer as constraint_column_id,
    k.conrelid::integer as parent_object_id, a.column_id as parent_column_id,
    k.confrelid::integer as referenced_object_id, b.column_id as referenced_column_id
from pg_constraint k
cross join lateral unnest(k.conkey, k.confkey) with ordinality as p (own, theirs, place)
join sys.column_numbers a on a.object_id = k.conrelid::integer and a.attnum = p.own
join sys.column_numbers b on b.object_id = k.confrelid::integer and b.attnum = p.theirs
where k.contype = 'f';

create view sys.triggers as
select split_part(t.tgname, '$', 1)::varchar(128) as name, min(t.oid)::integer as object_id,
    t.tgrelid::integer as parent_id, 1::smallint::tsql.tinyint as parent_class,
    'OBJECT_OR_COLUMN'::varchar(60) as parent_class_desc, 'TR'::char(2) as type,
    bool_and(t.tgenabled = 'D') as is_disabled, false as is_instead_of_trigger,
    false as is_ms_shipped, false as is_not_for_replication
from pg_trigger t where not t.tgisinternal and t.tgname <> ' rowversion'
group by split_part(t.tgname, '$', 1), t.tgrelid;

-- tgtype: 4 insert, 8 delete, 16 update
create view sys.trigger_events as
select distinct min(t.oid) over (partition by split_part(t.tgname, '$', 1), t.tgrelid)::integer as object_id,
    e.type_desc::varchar(60) as type_desc
from pg_trigger t
join (values (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) as e (bit, type_desc) on t.tgtype & e.bit > 0
where not t.tgisinternal and t.tgname <> ' rowversion';

create view sys.partitions as
select c.oid::integer as object_id, 1 as index_id, greatest(c.reltuples, 0)::bigint as rows
from pg_class c join sys.objects o on o.object_id = c.oid::integer;

create view sys.sql_modules as
select min(t.oid)::integer as object_id,
    string_agg(p.prosrc, E'\n' order by t.tgname) as definition,
    case when bool_or(p.prosecdef) then -2 end as execute_as_principal_id
from pg_trigger t join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and t.tgname <> ' rowversion'
group by split_part(t.tgname, '$', 1), t.tgrelid;

-- Filled by tests alone.
create table sys.security_policies (name varchar(128), object_id integer, is_enabled boolean);
create table sys.security_predicates (
    object_id integer, target_object_id integer, predicate_type integer, predicate_definition varchar(4000)
);

create view sys.databases as
select current_database()::varchar(128) as name, 5 as database_id,
    160::smallint::tsql.tinyint as compatibility_level,
    'SQL_Latin1_General_CP1_CI_AS'::varchar(128) as collation_name,
    allow_snapshot_isolation::integer::smallint::tsql.tinyint as snapshot_isolation_state,
    case when allow_snapshot_isolation then 'ON' else 'OFF' end::varchar(60)
        as snapshot_isolation_state_desc,
    read_committed_snapshot as is_read_committed_snapshot_on, is_read_only or is_in_standby as is_read_only,
    is_in_standby, source_database_id,
    0::smallint::tsql.tinyint as state, 'ONLINE'::varchar(60) as state_desc,
    tsql.born() as create_date,
    md5((select system_identifier from pg_control_system()) || current_database())::uuid
        as service_broker_guid
from tsql.database;

create view sys.database_principals as
select rolname::varchar(128) as name, oid::integer as principal_id, 'S'::char(1) as type,
    'SQL_USER'::varchar(60) as type_desc
from pg_roles where rolname not like 'pg\_%';

create view sys.dm_exec_sessions as
select tsql.spid(pid) as session_id, usename::varchar(128) as login_name,
    application_name::varchar(128) as program_name, 'localhost'::varchar(128) as host_name,
    case state when 'active' then 'running' else 'sleeping' end::varchar(30) as status,
    (xact_start is not null)::integer as open_transaction_count
from pg_stat_activity where datname = current_database() and backend_type = 'client backend';

create view sys.dm_tran_locks as
select tsql.spid(pid) as request_session_id, 5 as resource_database_id,
    'OBJECT'::varchar(60) as resource_type, relation::bigint as resource_associated_entity_id,
    case mode when 'AccessExclusiveLock' then 'Sch-M' when 'ExclusiveLock' then 'X'
        when 'RowExclusiveLock' then 'IX' else 'IS' end::varchar(60) as request_mode,
    case when granted then 'GRANT' else 'WAIT' end::varchar(60) as request_status
from pg_locks where locktype = 'relation';

create view "INFORMATION_SCHEMA"."TABLES" as
select current_database()::varchar(128) as "TABLE_CATALOG", s.name as "TABLE_SCHEMA",
    o.name as "TABLE_NAME",
    case o.type when 'V ' then 'VIEW' else 'BASE TABLE' end::varchar(10) as "TABLE_TYPE"
from sys.objects o join sys.schemas s on s.schema_id = o.schema_id where o.type in ('U ', 'V ');

create view "INFORMATION_SCHEMA"."COLUMNS" as
select current_database()::varchar(128) as "TABLE_CATALOG", s.name as "TABLE_SCHEMA",
    o.name as "TABLE_NAME", c.name as "COLUMN_NAME", c.column_id as "ORDINAL_POSITION",
    case when c.is_nullable then 'YES' else 'NO' end::varchar(3) as "IS_NULLABLE",
    t.name as "DATA_TYPE",
    case when t.name in ('nvarchar', 'nchar') and c.max_length > 0 then c.max_length / 2
        when t.name like '%char' or t.name like '%binary' then c.max_length end::integer
        as "CHARACTER_MAXIMUM_LENGTH",
    case when t.name in ('decimal', 'money', 'smallmoney') or t.name like '%int'
        then c."precision" end as "NUMERIC_PRECISION",
    case when t.name in ('decimal', 'money', 'smallmoney') or t.name like '%int'
        then c.scale end::integer as "NUMERIC_SCALE"
from sys.columns c join sys.objects o on o.object_id = c.object_id
join sys.schemas s on s.schema_id = o.schema_id
join sys.types t on t.user_type_id = c.user_type_id;

grant usage on schema sys, "INFORMATION_SCHEMA", dbo, tsql to public;
grant select on all tables in schema sys to public;
grant select on all tables in schema "INFORMATION_SCHEMA" to public;
grant select on all tables in schema tsql to public;
grant usage, select on all sequences in schema tsql to public;
