-- $1 schemas, $2 names: the sequences that columns of these tables draw from, and what our role may do with them.
select coalesce(json_agg(json_build_object(
    'table', json_build_object('schema', n.nspname, 'name', c.relname),
    'column', a.attname,
    'type', y.name,
    'key', (
        select coalesce(json_agg(k.attname), '[]')
        from pg_index i
        join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey[:i.indnkeyatts - 1])
        where i.indrelid = c.oid and i.indisprimary
    ),
    'sequence', json_build_object('schema', sn.nspname, 'name', sc.relname),
    'step', s.seqincrement,
    -- An identity draws without a right of the role's.
    'by_default', a.attidentity = '',
    'last', least(s.seqmax, case y.name when 'smallint' then 32767 when 'integer' then 2147483647 else s.seqmax end),
    'readable', r.reaches and has_sequence_privilege(s.seqrelid, 'select'),
    'movable', r.reaches and has_sequence_privilege(s.seqrelid, 'update'),
    'owned', pg_has_role(sc.relowner, 'usage'),
    'role', current_user
) order by n.nspname, c.relname, a.attnum, sn.nspname, sc.relname), '[]')::text
from unnest($1::text[], $2::text[]) as w (schema, name)
join pg_namespace n on n.nspname = w.schema
join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
cross join lateral (
    -- Its own by serial or identity, or one that its default names.
    select q.refobjsubid as attnum, q.objid as sequence from pg_depend q
    where q.classid = 'pg_class'::regclass and q.refclassid = 'pg_class'::regclass
        and q.refobjid = c.oid and q.deptype in ('a', 'i')
    union
    select f.adnum, q.refobjid from pg_attrdef f
    join pg_depend q on q.classid = 'pg_attrdef'::regclass and q.objid = f.oid
        and q.refclassid = 'pg_class'::regclass
    where f.adrelid = c.oid
) u
join pg_sequence s on s.seqrelid = u.sequence
join pg_class sc on sc.oid = s.seqrelid
join pg_namespace sn on sn.oid = sc.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum and (a.atthasdef or a.attidentity <> '')
join pg_type t on t.oid = a.atttypid
cross join lateral (
    select format_type(case t.typtype when 'd' then t.typbasetype else t.oid end, -1) as name
) y
cross join lateral (select has_schema_privilege(sn.oid, 'usage') as reaches) r
