alter table {{store}}._sync_withheld add column detail text;
comment on column {{store}}._sync_withheld.detail is 'What the target said of the row, without values.';
comment on column {{store}}._sync_withheld.target_version is
    'xmin of the row it met, or the mark of the table definition that refused it; when that moves, the row is tried again.';

create function {{store}}._sync_definition(relation regclass) returns text language sql stable as $$
    select 'definition ' || md5(concat(
        string_agg(concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum),
        (select string_agg(k.oid || k.xmin::text, ',' order by k.oid) from pg_catalog.pg_constraint k
         where k.conrelid = relation or k.contypid = any (array_agg(a.atttypid))),
        (select string_agg(i.indexrelid || i.xmin::text, ',' order by i.indexrelid) from pg_catalog.pg_index i
         where i.indrelid = relation and i.indisunique),
        (select string_agg(e.oid::text, ',' order by e.oid) from pg_catalog.pg_enum e
         where e.enumtypid = any (array_agg(a.atttypid))),
        (select string_agg(concat_ws(' ', g.oid, g.tgenabled, p.xmin), ',' order by g.oid)
         from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid
         where g.tgrelid = relation and not g.tgisinternal)
    ))
    from pg_catalog.pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
$$;
comment on function {{store}}._sync_definition(regclass) is
    'Everything by which a table, its types and its triggers may refuse a row, as one mark.';
