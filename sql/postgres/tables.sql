-- One end as a whole, and its tables, a partitioned one once. What belongs to the server, to an
-- extension or to tidegate is left out.
select json_build_object(
    'timezone', (select s.reset_val from pg_settings s where s.name = 'TimeZone'),
    'sees_others', pg_has_role('pg_read_all_stats', 'usage'),
    'instance', extract(epoch from pg_postmaster_start_time())::text || '/' || current_database(),
    'tables', coalesce((
        select json_agg(json_build_object('schema', n.nspname, 'name', c.relname)
                        order by n.nspname, c.relname)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
            and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
            and not exists (select from pg_depend d
                            where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
                                and d.deptype = 'e')
            and not (c.relname like '\_sync\_%'
                     and exists (select from pg_class o where o.relnamespace = n.oid
                                     and o.relname = '_sync_migrations'))
    ), '[]')
)::text
