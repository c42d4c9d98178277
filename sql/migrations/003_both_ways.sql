-- What both directions need of each other. The same tables stand at both ends.

create table {{store}}._sync_changes (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    table_name text not null,
    operation text not null check (operation in ('insert', 'update', 'delete', 'overwritten', 'queued')),
    key jsonb not null,
    old json,
    new_owner text,
    changed_at timestamptz not null default clock_timestamp()
);
create index on {{store}}._sync_changes (table_name, xid, seq);
-- By its hash: a btree would refuse long keys, and with them a user's row.
create index on {{store}}._sync_changes using hash (key);
comment on table {{store}}._sync_changes is
    'The change log: what others than tidegate did to the synced tables, and rows that are to be sent once more.';
comment on column {{store}}._sync_changes.seq is
    'Of two entries about one row the later one has the greater number: whoever changes a row locks it.';
comment on column {{store}}._sync_changes.operation is
    '''overwritten'': tidegate wrote over what the entries before say of this row; ''queued'': nobody changed the row, but the other end has to see it, because its own version lost.';
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
alter table {{store}}._sync_metadata drop constraint _sync_metadata_stream_check;
alter table {{store}}._sync_metadata add check (stream in ('changes', 'deletes', 'backfill', 'reconcile', 'queue'));

-- Trigger arguments: the table's name, the ownership column, the columns of the key. As its owner, because
-- the users of a synced table have no rights here.
create function {{store}}._sync_log_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    key_columns text[] := tg_argv[2:];
    before_it jsonb;
    after_it jsonb;
    key_before jsonb;
    key_after jsonb;
begin
    if tg_op = 'UPDATE' and old *= new then
        return null;
    end if;
    if tg_op <> 'INSERT' then
        before_it := to_jsonb(old);
        key_before := (select jsonb_object_agg(k, before_it ->> k) from unnest(key_columns) k);
    end if;
    if tg_op <> 'DELETE' then
        after_it := to_jsonb(new);
        key_after := (select jsonb_object_agg(k, after_it ->> k) from unnest(key_columns) k);
    end if;
    -- A row that gets another key is another row.
    if tg_op = 'DELETE' or key_before is distinct from key_after and tg_op = 'UPDATE' then
        insert into {{store}}._sync_changes (table_name, operation, key, old)
        values (tg_argv[0], 'delete', key_before, to_json(old));
    end if;
    if tg_op = 'UPDATE' and key_before = key_after then
        insert into {{store}}._sync_changes (table_name, operation, key, old, new_owner)
        values (tg_argv[0], 'update', key_after, to_json(old), after_it ->> tg_argv[1]);
    elsif tg_op <> 'DELETE' then
        insert into {{store}}._sync_changes (table_name, operation, key, new_owner)
        values (tg_argv[0], 'insert', key_after, after_it ->> tg_argv[1]);
    end if;
    return null;
end
$$;
comment on function {{store}}._sync_log_change() is 'Notes a change of a synced table in the change log.';
