-- One at a time: two that create the schema at once would fail one of them.
select pg_advisory_xact_lock(hashtextextended('tidegate migrate', 0));
create schema if not exists {{store}};
create table if not exists {{store}}._sync_migrations (
    version integer primary key,
    applied_at timestamptz not null default clock_timestamp()
);
