-- Functions and procedures of SQL Server, in small letters.

create table tsql.database (
    allow_snapshot_isolation boolean not null default true,
    read_committed_snapshot boolean not null default false,
    is_read_only boolean not null default false,
    -- What no statement of a client brings about.
    is_in_standby boolean not null default false,
    is_secondary boolean not null default false,
    source_database_id integer,
    engine text not null default '3',
    shows_masked boolean not null default false
);
insert into tsql.database default values;

create function tsql.sysutcdatetime() returns tsql.datetime2 language sql volatile as
    $$ select tsql.stamp(clock_timestamp() at time zone 'utc') $$;
create function tsql.sysdatetime() returns tsql.datetime2 language sql volatile as
    'select tsql.sysutcdatetime()';
create function tsql.sysdatetimeoffset() returns tsql.datetimeoffset language sql volatile as
    'select tsql.sysutcdatetime()::tsql.datetimeoffset';
create function tsql.getdate() returns tsql.datetime language sql volatile as
    'select tsql.sysutcdatetime()::tsql.datetime';
create function tsql.getutcdate() returns tsql.datetime language sql volatile as
    'select tsql.sysutcdatetime()::tsql.datetime';

create function tsql.switchoffset(stamp tsql.datetimeoffset, zone text)
    returns tsql.datetimeoffset language sql immutable strict as
    'select tsql.at_offset(tsql.instant(stamp), tsql.offset_of(zone))';
-- AT TIME ZONE, of UTC only.
create function pg_catalog.timezone(zone text, stamp tsql.datetime2) returns tsql.datetimeoffset
    language sql immutable strict as
    $$ select tsql.at_offset(stamp::bigint, (zone <> 'UTC')::integer / (zone = 'UTC')::integer) $$;
create function pg_catalog.timezone(zone text, stamp tsql.datetimeoffset)
    returns tsql.datetimeoffset language sql immutable strict as
    $$ select tsql.at_offset(tsql.instant(stamp),
        (zone <> 'UTC')::integer / (zone = 'UTC')::integer) $$;

-- How long a part of a date is, in ticks; months and years have no length.
create function tsql.part_ticks(part text) returns bigint language sql immutable strict as $$
    select case
        when part in ('day', 'dd', 'd') then 864000000000
        when part in ('hour', 'hh') then 36000000000
        when part in ('minute', 'mi', 'n') then 600000000
        when part in ('second', 'ss', 's') then 10000000
        when part in ('millisecond', 'ms') then 10000
        when part in ('microsecond', 'mcs') then 10
        when part in ('week', 'wk', 'ww') then 6048000000000
        else (part || ' is unknown')::bigint
    end
$$;
create function tsql.dateadd(part text, n bigint, stamp tsql.datetime2) returns tsql.datetime2
    language sql immutable strict as $$
    select case
        when part in ('nanosecond', 'ns') then (stamp::bigint + n / 100)::tsql.datetime2
        when part in ('month', 'mm', 'm', 'year', 'yyyy', 'yy') then
            ((stamp::date + make_interval(months => n::integer
                * case when part like 'y%' then 12 else 1 end))::date::tsql.datetime2::bigint
                + stamp::bigint % 864000000000)::tsql.datetime2
        else (stamp::bigint + n * tsql.part_ticks(part))::tsql.datetime2
    end
$$;
create function tsql.dateadd(part text, n bigint, stamp tsql.datetimeoffset)
    returns tsql.datetimeoffset language sql immutable strict as $$
    select tsql.at_offset(tsql.dateadd(part, n, tsql.instant(stamp)::tsql.datetime2)::bigint,
        tsql.minutes(stamp))
$$;
create function tsql.dateadd(part text, n bigint, day date) returns date
    language sql immutable strict as
    'select tsql.dateadd(part, n, day::tsql.datetime2)::date';
create function tsql.datepart(part text, stamp tsql.datetimeoffset) returns integer
    language sql immutable strict as
    $$ select case when part in ('tzoffset', 'tz') then tsql.minutes(stamp) else (part || ' is unknown')::integer end $$;
create function tsql.datediff_big(part text, a tsql.datetime2, b tsql.datetime2) returns bigint
    language sql immutable strict as $$
    select case when part in ('nanosecond', 'ns') then (b::bigint - a::bigint) * 100
        else b::bigint / tsql.part_ticks(part) - a::bigint / tsql.part_ticks(part) end
$$;
create function tsql.datediff(part text, a tsql.datetime2, b tsql.datetime2) returns integer
    language sql immutable strict as 'select tsql.datediff_big(part, a, b)::integer';

create function tsql.len(text) returns integer language sql immutable strict as
    $$ select length(rtrim($1, ' ')) $$;
create function tsql.len(bytea) returns integer language sql immutable strict as
    'select octet_length($1)';
create function tsql.datalength(text) returns integer language sql immutable strict as
    $$ select length($1) * 2 + length(regexp_replace($1, '[^\U00010000-\U0010FFFF]', '', 'g')) * 2 $$;
create function tsql.datalength(tsql.varchar) returns integer language sql immutable strict as
    'select length($1::text)';
create function tsql.datalength(bytea) returns integer language sql immutable strict as
    'select octet_length($1)';
create function tsql.datalength(anynonarray) returns integer language sql immutable strict as
    'select pg_column_size($1)';
create function tsql.charindex(part text, whole text) returns integer
    language sql immutable strict as 'select strpos(whole, part)';
create function tsql.quotename(text) returns text language sql immutable strict as
    $$ select '[' || replace($1, ']', ']]') || ']' $$;
create function tsql.isjson(value text) returns integer language plpgsql immutable strict as $$
begin
    perform value::jsonb;
    return 1;
exception when others then
    return 0;
end
$$;
create function tsql.hashbytes(algorithm text, data bytea) returns bytea
    language sql immutable strict as $$
    select case upper(algorithm)
        when 'SHA2_256' then sha256(data)
        when 'SHA2_512' then sha512(data)
        when 'MD5' then decode(md5(data), 'hex')
        else (algorithm || ' is unknown')::bytea
    end
$$;
-- Of an nvarchar: little-endian UTF-16, here of the first plane only.
create function tsql.hashbytes(algorithm text, value text) returns bytea
    language sql immutable strict as $$
    select tsql.hashbytes(algorithm, coalesce(string_agg(
        set_byte(set_byte('\x0000'::bytea, 0, ascii(c) & 255), 1, ascii(c) >> 8), ''::bytea
        order by n), ''::bytea))
    from regexp_split_to_table(value, '') with ordinality as t (c, n) where value <> ''
$$;

-- The greatest and the least of a binary.
create function tsql.larger(bytea, bytea) returns bytea language sql immutable strict as
    'select greatest($1, $2)';
create aggregate tsql.max(bytea) (sfunc = tsql.larger, stype = bytea, sortop = operator(>));
create function tsql.smaller(bytea, bytea) returns bytea language sql immutable strict as
    'select least($1, $2)';
create aggregate tsql.min(bytea) (sfunc = tsql.smaller, stype = bytea, sortop = operator(<));

-- Numbers in bytes, as a rowversion is compared with them.
create function tsql.to_bytes(bigint) returns bytea language sql immutable strict as
    'select int8send($1)';
create cast (bigint as bytea) with function tsql.to_bytes(bigint) as assignment;
create function tsql.to_number(bytea) returns bigint language sql immutable strict as
    $$ select ('x' || lpad(right(encode($1, 'hex'), 16), 16, '0'))::bit(64)::bigint $$;
create cast (bytea as bigint) with function tsql.to_number(bytea) as assignment;
create function tsql.to_number(tsql.binary) returns bigint language sql immutable strict as
    'select tsql.to_number($1::bytea)';
create cast (tsql.binary as bigint) with function tsql.to_number(tsql.binary) as assignment;
create function tsql.to_number(tsql.varbinary) returns bigint language sql immutable strict as
    'select tsql.to_number($1::bytea)';
create cast (tsql.varbinary as bigint) with function tsql.to_number(tsql.varbinary) as assignment;
create function tsql.to_binary(bigint) returns tsql.binary language sql immutable strict as
    'select int8send($1)::tsql.binary';
create cast (bigint as tsql.binary) with function tsql.to_binary(bigint) as assignment;
create function tsql.bytes(value text, style integer) returns bytea
    language sql immutable strict as $$
    select decode(case style when 1 then substr(value, 3) else value end, 'hex')
$$;

-- What the session is asked of itself.
create function tsql.spid(pid integer) returns smallint language sql immutable strict as
    'select ((pid - 1) % 32767 + 1)::smallint';
create function tsql.db_name() returns varchar(128) language sql stable as
    'select current_database()::varchar(128)';
create function tsql.db_id() returns smallint language sql stable as 'select 5::smallint';
create function tsql.db_id(name text) returns smallint language sql stable as
    'select 5::smallint where name = current_database()';
create function tsql.app_name() returns varchar(128) language sql stable as
    $$ select current_setting('application_name')::varchar(128) $$;
create function tsql.host_name() returns varchar(128) language sql stable as
    $$ select 'localhost'::varchar(128) $$;
create function tsql.user_name() returns varchar(128) language sql stable as
    $$ select case current_user when session_user then 'dbo' else current_user end::varchar(128) $$;
create function tsql.suser_sname() returns varchar(128) language sql stable as
    $$ select case current_user when session_user then 'sa' else current_user end::varchar(128) $$;
create function tsql.original_login() returns varchar(128) language sql stable as
    'select tsql.suser_sname()';
create function tsql.schema_name() returns varchar(128) language sql stable as
    $$ select 'dbo'::varchar(128) $$;
create function tsql.schema_name(id integer) returns varchar(128) language sql stable as
    'select nspname::varchar(128) from pg_namespace where oid = id';
create function tsql.schema_id(name text) returns integer language sql stable as
    'select oid::integer from pg_namespace where nspname = name';
create function tsql.split_name(name text) returns text[] language sql immutable strict as $$
    select array(
        select coalesce(replace(m[2], ']]', ']'), replace(m[3], '""', '"'), m[4])
        from regexp_matches(name, '(\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^.\[\]"]+))', 'g') m)
$$;
create function tsql.object_id(name text, kind text default null) returns integer
    language sql stable as $$
    select coalesce(
        (select c.oid from pg_class c
         where c.relname = parts[cardinality(parts)] and c.relkind in ('r', 'p', 'v')
            and c.relnamespace = case when c.relname like '#%' then pg_my_temp_schema()
                else quote_ident(coalesce(parts[cardinality(parts) - 1], 'dbo'))::regnamespace end
            and (kind is null or trim(kind) = case c.relkind when 'v' then 'V' else 'U' end)),
        (select min(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where t.tgname like replace(parts[cardinality(parts)], '_', '\_') || '$%'
            and coalesce(trim(kind), 'TR') = 'TR'))::integer
    from tsql.split_name(name) as parts
    where to_regnamespace(quote_ident(coalesce(parts[cardinality(parts) - 1], 'dbo'))) is not null
        or name like '%#%'
$$;
create function tsql.object_name(id integer) returns varchar(128) language sql stable as
    'select relname::varchar(128) from pg_class where oid = id';
create function tsql.object_schema_name(id integer) returns varchar(128) language sql stable as
    'select relnamespace::regnamespace::name::varchar(128) from pg_class where oid = id';
create function tsql.col_length(relation text, name text) returns smallint language sql stable as $$
    select greatest(attlen, 1)::smallint from pg_attribute
    where attrelid = tsql.object_id(relation) and attname = name and attnum > 0
$$;
create function tsql.collationproperty(name text, property text) returns integer language sql immutable as $$
    select case when lower(property) <> 'codepage' or name is null then null
        when name like '%\_UTF8' then 65001 when name like '%\_BIN2' or name like 'SQL_Latin1%' then 1252 end
$$;
create function tsql.serverproperty(name text) returns varchar(128) language sql stable as $$
    select case lower(name)
        when 'productversion' then '16.0.1000.6'
        when 'productmajorversion' then '16'
        when 'productlevel' then 'RTM'
        when 'edition' then 'Developer Edition (64-bit)'
        when 'engineedition' then (select engine from tsql.database)
        when 'collation' then 'SQL_Latin1_General_CP1_CI_AS'
        when 'servername' then 'TESTSQL'
        when 'machinename' then 'TESTSQL'
    end::varchar(128)
$$;
create function tsql.databasepropertyex(name text, property text) returns varchar(128)
    language sql stable as $$
    select case lower(property)
        when 'updateability' then case when d.is_read_only or d.is_secondary or d.is_in_standby then 'READ_ONLY'
            else 'READ_WRITE' end
        when 'status' then 'ONLINE'
        when 'collation' then 'SQL_Latin1_General_CP1_CI_AS'
    end::varchar(128) from tsql.database d where name = current_database()
$$;
create function tsql.has_dbaccess(name text) returns integer language sql stable as
    'select (name = current_database())::integer';
create function tsql.has_perms_by_name(securable text, class text, permission text)
    returns integer language plpgsql stable as $$
begin
    if upper(permission) = 'UNMASK' then
        return (select shows_masked::integer from tsql.database);
    end if;
    if securable is null or upper(class) in ('DATABASE', 'SERVER', 'SCHEMA') then
        return (select rolsuper::integer from pg_roles where rolname = current_user);
    end if;
    if upper(permission) = 'CONTROL' then
        return (select pg_has_role(c.relowner, 'usage')::integer
            from pg_class c where c.oid = tsql.object_id(securable)::oid);
    end if;
    return has_table_privilege(tsql.object_id(securable)::oid,
        case upper(permission) when 'ALTER' then 'TRIGGER' else permission end)::integer;
end
$$;
create function tsql.has_perms_by_name(
    securable text, class text, permission text, sub_securable text, sub_class text)
    returns integer language sql stable as $$
    select case when upper(permission) <> 'UNMASK' then has_column_privilege(
        tsql.object_id(securable)::oid, sub_securable, permission)::integer end
$$;
create function tsql.is_srvrolemember(role text) returns integer language sql stable as
    'select rolsuper::integer from pg_roles where rolname = current_user';
create function tsql.is_rolemember(role text) returns integer language sql stable as
    'select rolsuper::integer from pg_roles where rolname = current_user';
create function tsql.is_member(role text) returns integer language sql stable as
    'select tsql.is_rolemember(role)';
create function tsql.scope_identity() returns numeric language plpgsql volatile as $$
begin
    return lastval();
exception when object_not_in_prerequisite_state then
    return null;
end
$$;
create function tsql.trigger_nestlevel() returns integer language sql stable as
    'select pg_trigger_depth()';

-- Context that triggers can ask for.
create function tsql.context_info() returns bytea language sql stable as $$
    select decode(nullif(current_setting('tsql.context_info', true), ''), 'hex')
$$;
create function tsql.set_session_context(key text, value text) returns void
    language sql volatile as $$
    select set_config('tsql.context', (coalesce(nullif(current_setting('tsql.context', true), ''),
        '{}')::jsonb || jsonb_build_object(key, value))::text, false)
$$;
create function tsql.session_context(key text) returns text language sql stable as
    $$ select nullif(current_setting('tsql.context', true), '')::jsonb ->> key $$;

-- Locks of a name: 0, or -1 when the time was up.
create function tsql.get_lock(resource text, mode text, owner text, timeout integer)
    returns integer language plpgsql volatile as $$
declare
    before text := current_setting('lock_timeout');
begin
    if owner = 'transaction' and timeout = 0 then
        return case when mode = 'shared' then pg_try_advisory_xact_lock_shared(hashtext(resource), 1)
            else pg_try_advisory_xact_lock(hashtext(resource), 1) end::integer - 1;
    elsif timeout = 0 then
        return case when mode = 'shared' then pg_try_advisory_lock_shared(hashtext(resource), 1)
            else pg_try_advisory_lock(hashtext(resource), 1) end::integer - 1;
    end if;
    perform set_config('lock_timeout', greatest(timeout, 0)::text, true);
    begin
        case owner || ' ' || mode
            when 'transaction exclusive' then
                perform pg_advisory_xact_lock(hashtext(resource), 1);
            when 'transaction shared' then
                perform pg_advisory_xact_lock_shared(hashtext(resource), 1);
            when 'session exclusive' then
                perform pg_advisory_lock(hashtext(resource), 1);
            else
                perform pg_advisory_lock_shared(hashtext(resource), 1);
        end case;
    exception when lock_not_available then
        perform set_config('lock_timeout', before, true);
        return -1;
    end;
    perform set_config('lock_timeout', before, true);
    return 0;
end
$$;
create function tsql.release_lock(resource text) returns integer language sql volatile as
    'select pg_advisory_unlock(hashtext(resource), 1)::integer - 1';

-- Sums as SQL Server types them; PostgreSQL makes a numeric of those of bigint.
create function tsql.add(bigint, integer) returns bigint language sql immutable as
    'select case when $2 is null then $1 else coalesce($1, 0) + $2 end';
create aggregate tsql.sum(integer) (sfunc = tsql.add, stype = bigint);
create aggregate tsql.sum(bigint) (sfunc = int8pl, stype = bigint);
create aggregate tsql.sum(numeric) (sfunc = numeric_add, stype = numeric);
create aggregate tsql.sum(double precision) (sfunc = float8pl, stype = double precision);

-- What a cast to bytes makes of a text: UTF-16, with what U+E000 and U+EDC0 stand for.
create function tsql.unit(n integer) returns bytea language sql immutable strict as $$
    select decode(lpad(to_hex(n & 255), 2, '0') || lpad(to_hex(n >> 8), 2, '0'), 'hex')
$$;
create function tsql.as_bytes(value text) returns bytea language sql immutable strict as $$
    select coalesce(string_agg(case
        when n = 57344 then tsql.unit(0)
        when n = 60864 then tsql.unit(55296)
        when n < 65536 then tsql.unit(n)
        else tsql.unit(55296 + ((n - 65536) >> 10)) || tsql.unit(56320 + ((n - 65536) & 1023))
    end, ''::bytea order by place), ''::bytea)
    from (
        select ascii(c) as n, place
        from regexp_split_to_table(value, '') with ordinality as x (c, place) where c <> ''
    ) x
$$;
create function tsql.as_bytes(value tsql.varchar) returns bytea language sql immutable strict as
    $$select convert_to(value::text, 'WIN1252')$$;
create function tsql.as_bytes(value anynonarray) returns anynonarray language sql immutable strict as
    'select value';
