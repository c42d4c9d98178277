-- Nothing of earlier transactions is in the log, or not all of it.
insert into {{store}}._sync_logged (table_name, pruned_below) values ({{label}}, pg_current_xact_id())
on conflict (table_name) do update set installed_at = clock_timestamp(), pruned_below = excluded.pruned_below;
