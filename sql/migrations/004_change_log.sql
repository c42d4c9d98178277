-- The log's triggers. They run as their owner, because the users of a synced table have no rights here.

-- Arguments: the table's name, the ownership column, the columns to be noted by their text, those of the key.
create function {{store}}._sync_log_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
as $$
declare
    by_text text[] := tg_argv[2];
    key_columns text[] := tg_argv[3:];
    before_it json;
    after_it json;
    key_before jsonb;
    key_after jsonb;
    operation text := 'update';
begin
    if tg_op = 'UPDATE' and old *= new then
        return null;
    end if;
    begin
        if tg_op <> 'INSERT' then
            before_it := {{store}}._sync_logged_row(old, tg_relid, by_text);
            key_before := {{store}}._sync_logged_key(before_it, key_columns);
        end if;
        if tg_op <> 'DELETE' then
            after_it := {{store}}._sync_logged_row(new, tg_relid, by_text);
            key_after := {{store}}._sync_logged_key(after_it, key_columns);
        end if;
    exception when others then
        key_columns := {{store}}._sync_key_columns(tg_relid);
        if tg_op <> 'INSERT' then
            before_it := {{store}}._sync_logged_part(old, tg_relid, key_columns || tg_argv[1]);
            key_before := {{store}}._sync_logged_key(before_it, key_columns);
        end if;
        if tg_op <> 'DELETE' then
            after_it := {{store}}._sync_logged_part(new, tg_relid, key_columns || tg_argv[1]);
            key_after := {{store}}._sync_logged_key(after_it, key_columns);
        end if;
    end;
    -- A row that gets another key is another row.
    if tg_op = 'UPDATE' and key_before = key_after then
        if before_it ->> tg_argv[1] is distinct from after_it ->> tg_argv[1]
            and before_it::jsonb - tg_argv[1] = after_it::jsonb - tg_argv[1]
        then
            operation := 'marked';
        end if;
        insert into {{store}}._sync_changes (table_name, operation, key, old, new_owner)
        values (tg_argv[0], operation, key_after, before_it, after_it ->> tg_argv[1]);
        return null;
    end if;
    if tg_op <> 'INSERT' then
        insert into {{store}}._sync_changes (table_name, operation, key, old)
        values (tg_argv[0], 'delete', key_before, before_it);
    end if;
    if tg_op <> 'DELETE' then
        insert into {{store}}._sync_changes (table_name, operation, key, new_owner)
        values (tg_argv[0], 'insert', key_after, after_it ->> tg_argv[1]);
    end if;
    return null;
end
$$;
comment on function {{store}}._sync_log_change() is 'Notes a change of a synced table in the change log.';

-- The arguments of the other one. Of the table alone: its partitions are emptied with it, and have a trigger
-- of their own, but for those that are newer than the last migration.
create function {{store}}._sync_log_truncate() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
set row_security = off
as $$
declare
    relation regclass;
begin
    for relation in
        select tg_relid
        union all
        select p.relid
        from pg_partition_tree(tg_relid) p
        join pg_class c on c.oid = p.relid and c.relkind = 'r'
        where p.relid <> tg_relid and not exists (
            select from pg_trigger g
            join pg_trigger ours on ours.tgrelid = tg_relid and ours.tgname = tg_name
            where g.tgrelid = p.relid and g.tgfoid = ours.tgfoid and g.tgenabled = 'A'
        )
    loop
        execute format($insert$
            with gone as materialized (
                select {{store}}._sync_logged_row(t.*, $2, $3) as it from only %s t
            )
            insert into {{store}}._sync_changes (table_name, operation, key, old)
            select $1, 'delete', {{store}}._sync_logged_key(g.it, $4), g.it from gone g
        $insert$, relation) using tg_argv[0], relation, tg_argv[2]::text[], tg_argv[3:];
    end loop;
    return null;
exception when others then
    -- As if the log began after this transaction.
    update {{store}}._sync_logged
    set pruned_below = (pg_current_xact_id()::text::numeric + 1)::text::xid8
    where table_name = tg_argv[0];
    return null;
end
$$;
comment on function {{store}}._sync_log_truncate() is 'Notes in the change log that all rows of a table are gone.';

-- Whoever may call them could write to the log what never happened.
revoke execute on function {{store}}._sync_log_change() from public;
revoke execute on function {{store}}._sync_log_truncate() from public;

-- The table may have been altered since: what can't be read any more is no version that anybody has.
create function {{store}}._sync_row_of(of anyelement, old json) returns anyelement
language plpgsql stable as $$
begin
    return json_populate_record(of, old);
exception when others then
    return null;
end
$$;
comment on function {{store}}._sync_row_of(anyelement, json) is 'The row that the change log keeps as JSON; null if it is none any more.';
