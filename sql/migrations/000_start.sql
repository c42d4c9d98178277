create schema if not exists {{store}};
create table if not exists {{store}}._sync_migrations (
    version integer primary key,
    applied_at timestamptz not null default clock_timestamp()
);
