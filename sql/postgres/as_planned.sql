-- $1 columns, $2 their types as they were planned: whether they still are, and whether the snapshot sees the
-- table's rows. A table that is rewritten after the snapshot, as by ALTER TABLE or TRUNCATE, looks empty to
-- it. Naming the table locks it against that from here on.
with recursive parts (oid) as (
    select {{relation}}::oid
    union all
    select i.inhrelid from pg_inherits i join parts p on p.oid = i.inhparent
)
select not exists (select from {{source}} limit 0)
    -- The left side is what the snapshot shows, the right side what is true now.
    and not exists (
        select from parts p
        join pg_class c on c.oid = p.oid
        where c.relfilenode <> coalesce(pg_relation_filenode(c.oid)::oid, 0)
    )
    and not exists (
        select from unnest($1::text[], $2::text[]) as w (name, type_name)
        left join pg_attribute a on a.attrelid = {{relation}} and a.attname = w.name and a.attnum > 0
        where format_type(a.atttypid, a.atttypmod) is distinct from w.type_name
    )
