-- What this transaction has written so far, by table. Counters carry over within a session, so the
-- write set is the difference of two readings; TRUNCATE shows only in the relfilenode.
select c.oid::bigint as oid, n.nspname::text as schema_name, c.relname::text as table_name,
    rn.nspname::text as root_schema, r.relname::text as root_name,
    pg_relation_filenode(c.oid)::bigint as file,
    pg_stat_get_xact_tuples_inserted(c.oid) as inserted,
    pg_stat_get_xact_tuples_updated(c.oid) as updated,
    pg_stat_get_xact_tuples_deleted(c.oid) as deleted
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_class r on r.oid = case when c.relispartition then pg_partition_root(c.oid) else c.oid end
join pg_namespace rn on rn.oid = r.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema')
    -- Not the whole schema: a table of somebody else's may stand in it.
    and not (n.nspname = {{own_schema}} and starts_with(c.relname::text, '_sync_'))
