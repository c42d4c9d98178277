-- $1 schemas, $2 names: what the triggers of these tables run when a row is inserted or updated.
select n.nspname::text, c.relname::text, g.tgname::text, p.prosrc
from unnest($1::text[], $2::text[]) as w (schema, name)
join pg_namespace n on n.nspname = w.schema
join pg_class c on c.relnamespace = n.oid and c.relname = w.name
join pg_trigger g on g.tgrelid = c.oid
join pg_proc p on p.oid = g.tgfoid
-- tgtype: 4 insert, 16 update
where not g.tgisinternal and g.tgenabled in ('O', 'A') and g.tgtype & 20 <> 0
    -- Those of the change log pass tidegate's writes over.
    and g.tgname not in ('_sync_log_change', '_sync_log_truncate')
order by n.nspname, c.relname, g.tgname
