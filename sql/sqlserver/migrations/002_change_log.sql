-- What users of the desktop did to the rows of tables that are captured by it: an entry for each row, by a trigger.
-- version: drawn with the entry, in the transaction that made the change. No identity: what a program reads as
-- @@identity after its insert has to stay its own. key: as PostgreSQL writes a jsonb.
create table {{store}}._sync_changes (
    version rowversion not null,
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    operation nvarchar(10) collate Latin1_General_BIN2 not null,
    [key] nvarchar(max) collate Latin1_General_BIN2 not null,
    changed_at datetimeoffset(6) not null default sysdatetimeoffset()
);
create clustered index _sync_changes_order on {{store}}._sync_changes (table_name, version);
-- Who changes many rows at once would lock out everybody else who changes one.
alter table {{store}}._sync_changes set (lock_escalation = disable);

-- The tables that have a log. since: entries at or below this version are not there.
create table {{store}}._sync_logged (
    table_name nvarchar(260) collate Latin1_General_BIN2 not null,
    trigger_schema nvarchar(128) collate Latin1_General_BIN2 not null,
    trigger_name nvarchar(128) collate Latin1_General_BIN2 not null,
    installed_at datetimeoffset(6) not null default sysdatetimeoffset(),
    since binary(8) null,
    version rowversion not null,
    constraint _sync_logged_key primary key (table_name)
);
