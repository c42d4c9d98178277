-- tidegate's own tables on a SQL Server, called as they are in PostgreSQL after its fourth migration. JSON is
-- kept as PostgreSQL writes a jsonb. A key is found by the MD5 of its text: an index takes no long ones.

-- How far each table has been read: written in the transaction that writes the rows. watermark: a stamp in the
-- source's own precision, or a transaction of the source's change log. after_key: the last row read at exactly
-- the watermark, or what was seen of the log. source_identity: which source database the position belongs to.
create table {{store}}._sync_metadata (
    site nvarchar(64) collate Latin1_General_BIN2 not null default N'',
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    direction nvarchar(10) collate Latin1_General_BIN2 not null,
    stream nvarchar(10) collate Latin1_General_BIN2 not null,
    watermark nvarchar(max) collate Latin1_General_BIN2 null,
    after_key nvarchar(max) collate Latin1_General_BIN2 null,
    last_sync_timestamp datetimeoffset(6) null,
    generation bigint not null default 0,
    run_id uniqueidentifier null,
    source_identity nvarchar(max) collate Latin1_General_BIN2 null,
    consecutive_failures int not null default 0,
    backoff_until datetimeoffset(6) null,
    constraint _sync_metadata_key primary key (table_name, direction, stream, site),
    constraint _sync_metadata_direction check (direction in (N'forward', N'reverse')),
    constraint _sync_metadata_stream check (stream in (N'changes', N'deletes', N'backfill', N'reconcile'))
);

-- One row for each table and run that did something.
create table {{store}}._sync_runs (
    run_id uniqueidentifier not null,
    site nvarchar(64) collate Latin1_General_BIN2 not null default N'',
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    direction nvarchar(10) collate Latin1_General_BIN2 not null,
    outcome nvarchar(100) collate Latin1_General_BIN2 not null,
    [read] bigint not null default 0,
    inserted bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    withheld bigint not null default 0,
    withheld_by nvarchar(max) collate Latin1_General_BIN2 not null default N'{}',
    mobile_before bigint null,
    mobile_after bigint null,
    watermark_from nvarchar(max) collate Latin1_General_BIN2 null,
    watermark_to nvarchar(max) collate Latin1_General_BIN2 null,
    seconds float null,
    error nvarchar(max) collate Latin1_General_BIN2 null,
    started_at datetimeoffset(6) not null default sysdatetimeoffset(),
    finished_at datetimeoffset(6) null,
    constraint _sync_runs_key primary key (run_id, table_name, direction)
);
create index _sync_runs_latest on {{store}}._sync_runs (table_name, direction, started_at desc);

-- Rows by owner after each run that wrote; an empty owner stands for null.
create table {{store}}._sync_row_counts (
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    run_id uniqueidentifier not null,
    owner nvarchar(max) collate Latin1_General_BIN2 not null,
    owner_hash binary(16) not null,
    [rows] bigint not null,
    counted_at datetimeoffset(6) not null default sysdatetimeoffset(),
    constraint _sync_row_counts_key primary key (table_name, run_id, owner_hash)
);
create index _sync_row_counts_latest on {{store}}._sync_row_counts (table_name, counted_at desc);

-- Incoming rows that were not written, with the reason. The copy is for people: a retry reads the row again at
-- the source. detail: what the target said of the row, without values. target_version: the digest of the row it
-- met, or the mark of the table definition that refused it. since: where the table stood before the row was
-- withheld; null: nothing of it is pending any more. contested: both sides changed the row.
create table {{store}}._sync_withheld (
    id bigint identity(1, 1) not null constraint _sync_withheld_id primary key,
    site nvarchar(64) collate Latin1_General_BIN2 not null default N'',
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    direction nvarchar(10) collate Latin1_General_BIN2 not null,
    [key] nvarchar(max) collate Latin1_General_BIN2 not null,
    key_hash binary(16) not null,
    reason nvarchar(100) collate Latin1_General_BIN2 not null,
    detail nvarchar(max) collate Latin1_General_BIN2 null,
    [row] nvarchar(max) collate Latin1_General_BIN2 not null,
    target_row nvarchar(max) collate Latin1_General_BIN2 null,
    target_version nvarchar(100) collate Latin1_General_BIN2 null,
    since nvarchar(max) collate Latin1_General_BIN2 null,
    contested bit not null default 0,
    first_run_id uniqueidentifier not null,
    last_run_id uniqueidentifier not null,
    first_seen_at datetimeoffset(6) not null default sysdatetimeoffset(),
    last_seen_at datetimeoffset(6) not null default sysdatetimeoffset(),
    attempts int not null default 1,
    constraint _sync_withheld_key unique (table_name, direction, key_hash, site)
);

-- Rows that the triggers of this end made something else of than was sent: the digests of the two stand for the
-- same version.
create table {{store}}._sync_images (
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    [key] nvarchar(max) collate Latin1_General_BIN2 not null,
    key_hash binary(16) not null,
    sent nvarchar(100) collate Latin1_General_BIN2 not null,
    kept nvarchar(100) collate Latin1_General_BIN2 not null,
    constraint _sync_images_key primary key (table_name, key_hash)
);

-- Versions of rows that lost against the other side's. reason: lost_to_desktop or lost_to_mobile.
create table {{store}}._sync_trash (
    id bigint identity(1, 1) not null constraint _sync_trash_id primary key,
    site nvarchar(64) collate Latin1_General_BIN2 not null default N'',
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    direction nvarchar(10) collate Latin1_General_BIN2 not null,
    [key] nvarchar(max) collate Latin1_General_BIN2 not null,
    key_hash binary(16) not null,
    reason nvarchar(100) collate Latin1_General_BIN2 not null,
    [row] nvarchar(max) collate Latin1_General_BIN2 not null,
    winner nvarchar(max) collate Latin1_General_BIN2 null,
    run_id uniqueidentifier not null,
    trashed_at datetimeoffset(6) not null default sysdatetimeoffset()
);
create index _sync_trash_latest on {{store}}._sync_trash (table_name, trashed_at desc);
