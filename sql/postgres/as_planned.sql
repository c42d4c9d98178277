-- $1 columns, $2 their types as planned: whether rows may be blamed for what the table refuses, or it is
-- another table by now.
select not exists (
    select from unnest($1::text[], $2::text[]) as w (name, bare_type)
    left join (
        pg_attribute a join pg_type t on t.oid = a.atttypid
    ) on a.attrelid = {{relation}} and a.attname = w.name and a.attnum > 0
    where format_type(case t.typtype when 'd' then t.typbasetype else t.oid end, -1)
        is distinct from w.bare_type
) and not exists (
    select from pg_attribute a
    where a.attrelid = {{relation}} and a.attnum > 0 and not a.attisdropped and a.attname <> all ($1)
        and a.attnotnull and not a.atthasdef and a.attidentity = ''
)
