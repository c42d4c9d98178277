create table {{store}}._sync_migrations (
    version int not null constraint _sync_migrations_key primary key,
    applied_at datetimeoffset(6) not null default sysdatetimeoffset()
);
