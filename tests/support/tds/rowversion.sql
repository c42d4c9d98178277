-- rowversion columns, and what else a table of SQL Server needs beside PostgreSQL's own.

create sequence tsql.rowversion_values minvalue 0 start 2000;

create function tsql.dbts() returns tsql.binary language sql volatile as
    'select int8send(last_value)::tsql.binary from tsql.rowversion_values';

-- The next value. A transaction's first one takes a lock on the least that it can draw, before it
-- draws: see min_active_rowversion.
create function tsql.next_rowversion() returns bytea language plpgsql volatile security definer as $$
begin
    if current_setting('tsql.drawn_by', true) is distinct from txid_current()::text then
        perform pg_advisory_xact_lock_shared((21078::bigint << 48) + last_value + 1)
        from tsql.rowversion_values;
        perform set_config('tsql.drawn_by', txid_current()::text, true);
    end if;
    return int8send(nextval('tsql.rowversion_values'));
end
$$;

-- What an open transaction has drawn is at least what it has locked, and what one will draw that
-- has no lock yet is above the last value read here first.
create function tsql.min_active_rowversion() returns tsql.binary language plpgsql volatile as $$
declare
    next bigint := (select last_value + 1 from tsql.rowversion_values);
    least bigint := (select min(((classid::bigint & 65535) << 32) + objid::bigint) from pg_locks
        where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = 21078);
begin
    return int8send(least(next, least))::tsql.binary;
end
$$;

-- A function of its own for each table, since PL/pgSQL assigns to named columns only.
create function tsql.add_rowversion(relation regclass, name text) returns void language plpgsql as $$
declare
    function text := format('tsql.%I', 'rowversion of ' || relation::oid);
begin
    execute format('create or replace function %s() returns trigger language plpgsql as %L',
        function, format('begin new.%I := tsql.next_rowversion(); return new; end', name));
    execute format('create trigger " rowversion" before insert or update on %s for each row
        execute function %s()', relation, function);
    execute format('alter table %s enable always trigger " rowversion"', relation);
end
$$;

-- PostgreSQL wants a computed column's type, SQL Server finds it.
create function tsql.add_computed(relation regclass, name text, value text) returns void
    language plpgsql as $$
declare
    kind text;
begin
    execute format('create temp view "_computed" as select %s as value from %s', value, relation);
    select format_type(atttypid, atttypmod) into kind from pg_attribute
    where attrelid = 'pg_temp."_computed"'::regclass and attname = 'value';
    drop view pg_temp."_computed";
    execute format('alter table %s add %I %s generated always as (%s) stored',
        relation, name, kind, value);
end
$$;

-- After an identity was given, the next one is above it.
create function tsql.move_identity(relation regclass) returns void language plpgsql as $$
declare
    name text := (select attname from pg_attribute where attrelid = relation and attidentity <> '');
    identity text := pg_get_serial_sequence(relation::text, name);
    highest bigint;
begin
    if name is not null then
        execute format('select max(%I) from %s', name, relation) into highest;
        if highest is not null then
            execute format('select setval(%L, %s) from %s where last_value <= %2$s',
                identity, highest, identity);
        end if;
    end if;
end
$$;

create function tsql.drop_trigger(schema_name text, name text, must boolean) returns void
    language plpgsql as $$
declare
    part record;
    found_one boolean := false;
begin
    for part in select t.tgname, t.tgrelid::regclass as relation from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        where starts_with(t.tgname, name || '$') and c.relnamespace::regnamespace::name = schema_name
    loop
        found_one := true;
        execute format('drop trigger %I on %s', part.tgname, part.relation);
        execute format('drop function %I.%I()', schema_name, part.tgname);
    end loop;
    if must and not found_one then
        raise exception using errcode = 'TS000',
            message = format('3701:Cannot drop the trigger ''%s'', because it does not exist.', name);
    end if;
end
$$;
create function tsql.switch_trigger(relation regclass, name text, verb text) returns void
    language plpgsql as $$
declare
    trigger_name text;
begin
    for trigger_name in select tgname from pg_trigger
        where tgrelid = relation and not tgisinternal and tgname <> ' rowversion'
            and (upper(name) = 'ALL' or starts_with(tgname, name || '$'))
    loop
        execute format('alter table %s %s trigger %I', relation, verb, trigger_name);
    end loop;
end
$$;
