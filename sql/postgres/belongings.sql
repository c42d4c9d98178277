-- $1 the schema of our tables, $2 their names: what of tidegate is in the database.
with home as (select n.oid from pg_namespace n where n.nspname = $1),
own_tables as materialized (
    select c.oid, c.relname from pg_class c join home h on h.oid = c.relnamespace
    where c.relkind = 'r' and c.relname = any ($2::text[])
        and exists (select from pg_class m where m.relnamespace = h.oid and m.relname = '_sync_migrations')
),
own_functions as materialized (
    select p.oid, p.proname from pg_proc p join home h on h.oid = p.pronamespace
    where p.proname like '\_sync\_%' and exists (select from own_tables)
)
select json_build_object(
    'triggers', (
        select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname, 'trigger', g.tgname)
            order by n.nspname, c.relname, g.tgname), '[]')
        from pg_trigger g
        join pg_class c on c.oid = g.tgrelid
        join pg_namespace n on n.oid = c.relnamespace
        -- A partition's goes with its parent's.
        where g.tgfoid in (select oid from own_functions) and not g.tgisinternal
            and coalesce((to_jsonb(g) ->> 'tgparentid')::oid, 0) = 0
    ),
    'tables', (select coalesce(json_agg(t.relname order by t.relname), '[]') from own_tables t),
    'functions', (select coalesce(json_agg(f.proname order by f.proname), '[]') from own_functions f),
    'nothing_else', not exists (
        select from pg_depend d
        join home h on d.refclassid = 'pg_namespace'::regclass and d.refobjid = h.oid
        where d.objid not in (select oid from own_tables) and d.objid not in (select oid from own_functions)
            and not exists (
                select from pg_depend s
                where s.classid = d.classid and s.objid = d.objid and s.deptype in ('a', 'i')
                    and s.refclassid = 'pg_class'::regclass and s.refobjid in (select oid from own_tables)
            )
    )
)::text
