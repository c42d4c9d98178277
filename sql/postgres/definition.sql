-- Everything by which a table, its types and its triggers may refuse a value, as one mark. A part of
-- withhold.sql and due.sql: a row that was refused is tried again when it changes.
select 'definition ' || md5(concat(
    string_agg(concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum),
    (select string_agg(k.oid || k.xmin::text, ',' order by k.oid) from pg_constraint k
     where k.conrelid = {{relation}} or k.contypid = any (array_agg(a.atttypid))),
    (select string_agg(i.indexrelid || i.xmin::text, ',' order by i.indexrelid) from pg_index i
     where i.indrelid = {{relation}} and i.indisunique),
    (select string_agg(e.oid::text, ',' order by e.oid) from pg_enum e
     where e.enumtypid = any (array_agg(a.atttypid))),
    (select string_agg(concat_ws(' ', g.oid, g.tgenabled, p.xmin), ',' order by g.oid)
     from pg_trigger g join pg_proc p on p.oid = g.tgfoid
     where g.tgrelid = {{relation}} and not g.tgisinternal)
)) as version, null::jsonb as row
from pg_attribute a
where a.attrelid = {{relation}} and a.attnum > 0 and not a.attisdropped
