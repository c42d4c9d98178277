-- $1 schemas, $2 names: what a run does not need to know of a table, but its operator does.
select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'row_security', c.relrowsecurity,
    'owned', pg_has_role(c.relowner, 'usage'),
    'deletes', has_table_privilege(c.oid, 'delete'),
    'truncates', has_table_privilege(c.oid, 'truncate'),
    -- Of a table that was never analysed only its size is known: some hundred bytes a row.
    'rows', (
        select coalesce(sum(case when l.reltuples < 0 then pg_relation_size(l.oid) / 100
                                 else l.reltuples end), 0)::bigint
        from pg_class l
        where l.oid = c.oid and c.relkind <> 'p'
            or c.relkind = 'p' and l.oid in (select p.relid from pg_partition_tree(c.oid) p where p.isleaf)
    ),
    'indexed', (
        select coalesce(json_agg(distinct a.attname), '[]')
        from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = c.oid and i.indisvalid and i.indpred is null
    ),
    'defaults', (
        select coalesce(json_object_agg(a.attname, pg_get_expr(f.adbin, f.adrelid)), '{}')
        from pg_attrdef f
        join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
        where f.adrelid = c.oid and a.attgenerated = ''
    ),
    'collations', (
        select coalesce(json_agg(json_build_object(
            'column', a.attname,
            'name', case o.collname when 'default' then d.datcollate else o.collname end,
            'deterministic', o.collisdeterministic
        ) order by a.attnum), '[]')
        from pg_attribute a
        join pg_collation o on o.oid = a.attcollation
        cross join (select datcollate from pg_database where datname = current_database()) d
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    )
)), '[]')::text
from unnest($1::text[], $2::text[]) as w (schema, name)
join pg_namespace n on n.nspname = w.schema
join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
