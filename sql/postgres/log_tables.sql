-- $1 schemas, $2 names, $3 labels, $4 the schema of our tables, $5 the ownership column: what the log's
-- triggers have to be on each table that exists, and what they are.
with recursive tables as materialized (
    select c.oid, n.nspname, c.relname, c.relkind, c.relowner, w.label
    from unnest($1::text[], $2::text[], $3::text[]) as w (schema, name, label)
    join pg_namespace n on n.nspname = w.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p', 'v', 'm', 'f')
),
key_columns as materialized (
    select t.oid, array_agg(a.attname::text order by p.place) as names
    from tables t
    join pg_index i on i.indrelid = t.oid and i.indisprimary
    cross join lateral unnest(i.indkey::int2[]) with ordinality p (attnum, place)
    join pg_attribute a on a.attrelid = t.oid and a.attnum = p.attnum
    where p.place <= i.indnkeyatts
    group by t.oid
),
-- What values are made of: a domain stands on a type, an array has elements, a composite type columns.
made_of (relation, attnum, type) as (
    select t.oid, a.attnum, a.atttypid
    from tables t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    union
    select m.relation, m.attnum, part.type
    from made_of m
    join pg_type y on y.oid = m.type
    cross join lateral (
        values (y.typbasetype), (y.typelem)
        union all
        select a.atttypid from pg_attribute a where a.attrelid = y.typrelid and a.attnum > 0 and not a.attisdropped
    ) part (type)
    where part.type <> 0
),
-- Extensions may cast their types to JSON of a form that is not read back. In a key the text counts,
-- and JSON writes moments, addresses and padded text otherwise.
by_text as materialized (
    select t.oid, array_agg(a.attname::text order by a.attnum) as names
    from tables t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    where exists (
            select from made_of m
            join pg_cast k on k.castsource = m.type and k.casttarget = 'json'::regtype
            where m.relation = t.oid and m.attnum = a.attnum and m.type >= 16384
        )
        or a.attname = any (array(select unnest(k.names) from key_columns k where k.oid = t.oid))
            and a.atttypid not in ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                'numeric'::regtype, 'text'::regtype, 'varchar'::regtype, 'uuid'::regtype, 'date'::regtype)
    group by t.oid
),
expected as materialized (
    select t.oid, (
        select string_agg(convert_to(x.argument, getdatabaseencoding()) || '\x00'::bytea, ''::bytea order by x.place)
        from unnest(array[t.label, $5, coalesce(b.names, '{}')::text] || k.names)
            with ordinality x (argument, place)
    ) as arguments
    from tables t
    left join key_columns k on k.oid = t.oid
    left join by_text b on b.oid = t.oid
),
-- The table first, then its partitions; of these only those that hold rows can be emptied alone.
parts as materialized (
    select t.oid as root, t.oid, t.nspname, t.relname from tables t
    union all
    select t.oid, c.oid, n.nspname, c.relname
    from tables t
    cross join lateral pg_partition_tree(t.oid) p
    join pg_class c on c.oid = p.relid and c.relkind = 'r'
    join pg_namespace n on n.oid = c.relnamespace
    where p.relid <> t.oid
),
ours as materialized (
    select p.root, p.oid, p.nspname, p.relname, g.tgname, g.tgenabled = 'A' as always,
        coalesce(g.tgargs = e.arguments and g.tgqual is not null
            and f.proname = g.tgname and n.nspname = $4
            -- tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate
            and g.tgtype = case g.tgname when '_sync_log_change' then 29 else 34 end, false) as is_right
    from parts p
    join expected e on e.oid = p.root
    join pg_trigger g on g.tgrelid = p.oid and g.tgname in ('_sync_log_change', '_sync_log_truncate')
    join pg_proc f on f.oid = g.tgfoid
    join pg_namespace n on n.oid = f.pronamespace
)
select coalesce(json_agg(json_build_object(
    'schema', t.nspname,
    'name', t.relname,
    'is_table', t.relkind in ('r', 'p'),
    'owned', pg_has_role(t.relowner, 'usage'),
    'has_owner', exists (
        select from pg_attribute a where a.attrelid = t.oid and a.attname = $5 and not a.attisdropped),
    'key', coalesce(k.names, '{}'),
    'by_text', coalesce(b.names, '{}')::text,
    'change', case
        when not exists (select from ours o where o.oid = t.oid and o.tgname = '_sync_log_change') then 'absent'
        when exists (select from ours o where o.root = t.oid and o.tgname = '_sync_log_change' and not o.is_right)
            then 'other'
        when exists (select from ours o where o.root = t.oid and o.tgname = '_sync_log_change' and not o.always)
            then 'sleeps'
        else 'right'
    end,
    'partitions', (
        select coalesce(json_agg(json_build_object('schema', p.nspname, 'name', p.relname) order by p.oid), '[]')
        from parts p where p.root = t.oid and p.oid <> t.oid
    ),
    'untold', (
        select coalesce(json_agg(json_build_object(
            'schema', p.nspname, 'name', p.relname, 'stale', exists (
                select from ours o where o.oid = p.oid and o.tgname = '_sync_log_truncate'
            )) order by p.oid), '[]')
        from parts p
        where p.root = t.oid and not exists (
            select from ours o where o.oid = p.oid and o.tgname = '_sync_log_truncate' and o.is_right and o.always)
    )
) order by t.label), '[]')::text
from tables t
left join key_columns k on k.oid = t.oid
left join by_text b on b.oid = t.oid
