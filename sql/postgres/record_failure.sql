-- $1 table, $2 direction: one more run that failed.
insert into {{store}}._sync_metadata as m (table_name, direction, stream, consecutive_failures)
values ($1, $2, 'changes', 1)
on conflict (site, table_name, direction, stream) do update
set consecutive_failures = m.consecutive_failures + 1
