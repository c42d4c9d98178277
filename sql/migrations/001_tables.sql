-- tidegate's own tables, in the database that is written.

create table {{store}}._sync_metadata (
    site text not null default '',
    table_name text not null,
    direction text not null check (direction in ('forward', 'reverse')),
    stream text not null check (stream in ('changes', 'deletes', 'backfill', 'reconcile')),
    watermark text,
    after_key jsonb,
    last_sync_timestamp timestamptz,
    generation bigint not null default 0,
    run_id uuid,
    source_identity text,
    consecutive_failures integer not null default 0,
    backoff_until timestamptz,
    primary key (site, table_name, direction, stream)
);
comment on table {{store}}._sync_metadata is
    'How far each table has been read: written in the transaction that writes the rows.';
comment on column {{store}}._sync_metadata.watermark is 'A stamp in the source''s own precision.';
comment on column {{store}}._sync_metadata.after_key is
    'Key of the last row read at exactly the watermark; null: rows at the watermark are read again.';
comment on column {{store}}._sync_metadata.source_identity is
    'Which source database this position belongs to: system identifier and database.';

create table {{store}}._sync_runs (
    run_id uuid not null,
    site text not null default '',
    table_name text not null,
    direction text not null,
    outcome text not null,
    read bigint not null default 0,
    inserted bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    withheld bigint not null default 0,
    withheld_by jsonb not null default '{}',
    mobile_before bigint,
    mobile_after bigint,
    watermark_from text,
    watermark_to text,
    seconds numeric,
    error text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (run_id, table_name, direction)
);
create index on {{store}}._sync_runs (table_name, direction, started_at desc);
comment on table {{store}}._sync_runs is 'One row for each table and run that did something.';

create table {{store}}._sync_row_counts (
    table_name text not null,
    run_id uuid not null,
    owner text not null,
    rows bigint not null,
    counted_at timestamptz not null default clock_timestamp(),
    primary key (table_name, run_id, owner)
);
create index on {{store}}._sync_row_counts (table_name, counted_at desc);
comment on table {{store}}._sync_row_counts is
    'Rows by owner after each run that wrote; an empty owner stands for null.';

create table {{store}}._sync_withheld (
    id bigint generated always as identity primary key,
    site text not null default '',
    table_name text not null,
    direction text not null,
    key jsonb not null,
    reason text not null,
    row jsonb not null,
    target_row jsonb,
    target_version text,
    first_run_id uuid not null,
    last_run_id uuid not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 1,
    unique (site, table_name, direction, key)
);
comment on table {{store}}._sync_withheld is
    'Incoming rows that were not written, with the reason. The copy is for people: a retry reads the row again at the source.';
comment on column {{store}}._sync_withheld.target_version is
    'xmin of the row it met; when that moves, the row is tried again.';
