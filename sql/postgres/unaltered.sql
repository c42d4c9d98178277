-- $1 columns, $2 their types as planned: whether the table is still what plan and snapshot take it for.
-- Naming it here keeps it from being altered until it is read. One that was written anew since the
-- snapshot, by ALTER or TRUNCATE, looks empty to it.
select (
    select count(*) = cardinality($1::text[])
    from unnest($1::text[], $2::text[], array[{{types}}]::oid[]) as w (name, planned, now)
    join pg_attribute a on a.attrelid = c.oid and a.attname = w.name
    where format_type(a.atttypid, a.atttypmod) = w.planned and a.atttypid = w.now
) and not exists (
    select from pg_class l
    where (l.oid = c.oid or l.oid in (select p.relid from pg_partition_tree(c.oid) p))
        and nullif(l.relfilenode, 0) is distinct from pg_relation_filenode(l.oid)
) as unaltered
from pg_class c
left join {{source}} s on false
where c.oid = {{source_name}}::regclass
