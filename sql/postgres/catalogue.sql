-- $1 schemas, $2 names: one JSON document for each table that exists.
select json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'kind', c.relkind,
    'row_security', row_security_active(c.oid),
    'readable', has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
    'writable', has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'update'),
    'columns', (
        select coalesce(json_agg(json_build_object(
            'name', a.attname,
            'type_oid', a.atttypid::bigint,
            'typmod', a.atttypmod,
            'type_name', format_type(a.atttypid, a.atttypmod),
            'bare_type', format_type(case t.typtype when 'd' then t.typbasetype else t.oid end, -1),
            'portable', t.oid < 10000 and t.typtype in ('b', 'r', 'm')
                and t.typsend <> 0 and t.typreceive <> 0
                and t.typname not like 'reg%' and t.typname not like '\_reg%',
            'not_null', a.attnotnull,
            'has_default', a.atthasdef or a.attidentity <> '',
            'generated', a.attgenerated <> '',
            'identity_always', a.attidentity = 'a'
        ) order by a.attnum), '[]')
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    'primary_key', (
        select json_build_object('columns', k.names, 'deferrable', not i.indimmediate)
        from pg_index i
        cross join lateral (
            select json_agg(a.attname order by p.place) as names
            from unnest(i.indkey::int2[]) with ordinality p (attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum
            where p.place <= i.indnkeyatts
        ) k
        where i.indrelid = c.oid and i.indisprimary
    ),
    'uniques', (
        select coalesce(json_agg(json_build_object(
            'columns', k.names,
            'deferrable', not i.indimmediate,
            'referenced', exists (
                select from pg_constraint f where f.contype = 'f' and f.conindid = i.indexrelid
            )
        ) order by i.indexrelid), '[]')
        from pg_index i
        cross join lateral (
            select json_agg(a.attname order by p.place) as names
            from unnest(i.indkey::int2[]) with ordinality p (attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum
            where p.place <= i.indnkeyatts
        ) k
        where i.indrelid = c.oid and i.indisunique and not i.indisprimary
            and i.indpred is null and i.indexprs is null
            -- NULLS NOT DISTINCT, since PostgreSQL 15.
            and (to_jsonb(i) ->> 'indnullsnotdistinct') is distinct from 'true'
    ),
    'foreign_keys', (
        select coalesce(json_agg(json_build_object(
            'name', f.conname,
            -- What a row lock needs.
            'readable', has_schema_privilege(pn.oid, 'usage')
                and has_any_column_privilege(f.confrelid, 'select'),
            'lockable', has_any_column_privilege(f.confrelid, 'update'),
            'columns', (
                select json_agg(a.attname order by p.place)
                from unnest(f.conkey) with ordinality p (attnum, place)
                join pg_attribute a on a.attrelid = f.conrelid and a.attnum = p.attnum
            ),
            'parent_schema', pn.nspname,
            'parent_name', pc.relname,
            'parent_columns', (
                select json_agg(a.attname order by p.place)
                from unnest(f.confkey) with ordinality p (attnum, place)
                join pg_attribute a on a.attrelid = f.confrelid and a.attnum = p.attnum
            )
        ) order by f.conname), '[]')
        from pg_constraint f
        join pg_class pc on pc.oid = f.confrelid
        join pg_namespace pn on pn.oid = pc.relnamespace
        -- A foreign key to a partitioned table has a copy for each partition.
        where f.conrelid = c.oid and f.contype = 'f'
            and not exists (select from pg_constraint o
                            where o.oid = f.conparentid and o.conrelid = c.oid)
    ),
    'before_triggers', exists (
        select from pg_trigger g
        -- tgtype: 1 row, 2 before, 4 insert, 16 update
        where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled in ('O', 'A')
            and g.tgtype & 3 = 3 and g.tgtype & 20 <> 0
    ),
    'log_arguments', (
        select encode(g.tgargs, 'hex') from pg_trigger g
        where g.tgrelid = c.oid and g.tgname = '_sync_log_change' and g.tgenabled = 'A'
    )
)::text
from unnest($1::text[], $2::text[]) as w (schema, name)
join pg_namespace n on n.nspname = w.schema
join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p', 'v', 'm', 'f')
