-- What both directions need of each other. The same tables stand at both ends.

create table {{store}}._sync_changes (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    table_name text not null,
    operation text not null check (operation in ('insert', 'update', 'delete', 'marked', 'overwritten', 'queued')),
    key jsonb not null,
    old json,
    new_owner text,
    changed_at timestamptz not null default clock_timestamp()
);
create index on {{store}}._sync_changes (table_name, xid, seq);
-- By its hash: a btree would refuse long keys, and with them a user's row.
create index on {{store}}._sync_changes (table_name, jsonb_hash_extended(key, 0));
comment on table {{store}}._sync_changes is
    'The change log: what others than tidegate did to the synced tables, and rows that are to be sent once more.';
comment on column {{store}}._sync_changes.seq is
    'Of two entries about one row the later one has the greater number: whoever changes a row locks it.';
comment on column {{store}}._sync_changes.operation is
    '''marked'': nothing but its owner was changed, which is no edit; ''overwritten'': tidegate wrote over what the entries before say of this row; ''queued'': nobody changed the row, but the other end has to see it, because its own version lost.';
comment on column {{store}}._sync_changes.old is 'The row before; null for an insert.';
comment on column {{store}}._sync_changes.new_owner is 'The mark in the ownership column afterwards; null for a delete.';

create table {{store}}._sync_logged (
    table_name text primary key,
    installed_at timestamptz not null default clock_timestamp(),
    pruned_below xid8 not null
);
comment on table {{store}}._sync_logged is 'The tables whose changes are logged.';
comment on column {{store}}._sync_logged.pruned_below is
    'Entries of transactions below this one are not there: they were before the triggers, or were pruned.';

create table {{store}}._sync_images (
    table_name text not null,
    key jsonb not null,
    sent text not null,
    kept text not null,
    primary key (table_name, key)
);
comment on table {{store}}._sync_images is
    'Rows that the triggers of this end made something else of than was sent: the digests of the two stand for the same version.';

create table {{store}}._sync_trash (
    id bigint generated always as identity primary key,
    site text not null default '',
    table_name text not null,
    direction text not null,
    key jsonb not null,
    reason text not null,
    row jsonb not null,
    winner jsonb,
    run_id uuid not null,
    trashed_at timestamptz not null default clock_timestamp()
);
create index on {{store}}._sync_trash (table_name, trashed_at desc);
comment on table {{store}}._sync_trash is 'Versions of rows that lost against the other side''s.';
comment on column {{store}}._sync_trash.reason is '''lost_to_desktop'' or ''lost_to_mobile''.';

alter table {{store}}._sync_row_counts add column snapshot pg_snapshot;
comment on column {{store}}._sync_row_counts.snapshot is 'What the count saw, if the change log was there: that explains what differs from the next.';
alter table {{store}}._sync_runs add column xids xid8[] not null default '{}';
comment on column {{store}}._sync_runs.xids is 'The transactions that wrote rows, the latest 1,000 of them.';
alter table {{store}}._sync_withheld add column since jsonb;
comment on column {{store}}._sync_withheld.since is
    'Where the table stood before the row was withheld; null: nothing of it is pending any more.';
alter table {{store}}._sync_withheld add column contested boolean not null default false;
comment on column {{store}}._sync_withheld.contested is 'Whether both sides changed the row.';

-- How the log writes rows: as runs do, whatever a user has set. Nothing that a row holds may fail its write.

-- Those in `by_text` are what the row's own JSON would change, or what no JSON could be read back from.
create function {{store}}._sync_logged_row(logged anyelement, relation oid, by_text text[]) returns json
language plpgsql stable as $$
declare
    as_json json;
begin
    if by_text = '{}' then
        as_json := to_json(logged);
    else
        execute (
            select format('select to_json(r.*) from (select %s) r', string_agg(
                format(case when a.attname = any (by_text) then '($1).%1$I::text as %1$I'
                            else '($1).%1$I' end, a.attname), ', ' order by a.attnum))
            from pg_attribute a
            where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
        ) into as_json using logged;
    end if;
    -- From a column of type json only; nothing of the row could be read any more.
    if strpos(as_json::text, '\u0000') > 0 then
        as_json := regexp_replace(as_json::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g');
    end if;
    return as_json;
end
$$;
comment on function {{store}}._sync_logged_row(anyelement, oid, text[]) is
    'A row as the change log keeps it: json_populate_record makes the row of it again.';

-- What is left to say of a row that the above can't: a gigabyte, or an extension's cast that fails.
create function {{store}}._sync_logged_part(logged anyelement, relation oid, columns text[]) returns json
language plpgsql stable as $$
declare
    as_json json;
begin
    execute (
        select format('select to_json(r.*) from (select %s) r',
                      coalesce(string_agg(format('($1).%1$I::text as %1$I', a.attname), ', '), ''))
        from pg_attribute a
        where a.attrelid = relation and a.attname = any (columns) and not a.attisdropped
    ) into as_json using logged;
    return as_json;
end
$$;
comment on function {{store}}._sync_logged_part(anyelement, oid, text[]) is 'Some columns of a row by their text.';

create function {{store}}._sync_logged_key(logged json, columns text[]) returns jsonb
language plpgsql immutable as $$
declare
    key jsonb := '{}';
    key_column text;
    key_value text;
begin
    foreach key_column in array columns loop
        key_value := logged ->> key_column;
        if key_value is null then
            raise exception 'the key has other columns since the trigger was made';
        end if;
        key := key || jsonb_build_object(key_column, key_value);
    end loop;
    return key;
end
$$;
comment on function {{store}}._sync_logged_key(json, text[]) is 'The key of a row of the change log, column → text.';

create function {{store}}._sync_key_columns(relation oid) returns text[]
language sql stable as $$
    select coalesce(array_agg(a.attname::text), '{}')
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = relation and i.indisprimary
$$;
comment on function {{store}}._sync_key_columns(oid) is 'The columns of a table''s key as they are called now.';
