-- $1 kinds, $2 schemas, $3 names, $4 columns, $5 privileges: which of these rights the role has, in the
-- order asked; null where the object does not exist.
select coalesce(json_agg(
    case w.kind
        when 'database' then has_database_privilege(current_database(), w.privilege)
        when 'schema' then has_schema_privilege(n.oid, w.privilege)
        when 'table' then has_table_privilege(c.oid, w.privilege)
        when 'column' then has_column_privilege(c.oid, a.attnum, w.privilege)
        when 'sequence' then has_sequence_privilege(c.oid, w.privilege)
        when 'role' then pg_has_role(w.name, w.privilege)
    end order by w.place), '[]')::text
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
    as w (kind, schema, name, col, privilege, place)
left join pg_namespace n on n.nspname = w.schema
left join pg_class c on c.relnamespace = n.oid and c.relname = w.name
left join pg_attribute a on a.attrelid = c.oid and a.attname = w.col and not a.attisdropped
