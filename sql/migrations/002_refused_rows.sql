alter table {{store}}._sync_withheld add column detail text;
comment on column {{store}}._sync_withheld.detail is 'What the target said of the row, without values.';
comment on column {{store}}._sync_withheld.target_version is
    'xmin of the row it met, or the mark of the table definition that refused it; when that moves, the row is tried again.';

create function {{store}}._sync_definition(relation regclass) returns text language sql stable as $$
    with recursive relations (oid) as (
        select relation::oid
        union select p.relid::oid from pg_catalog.pg_partition_tree(relation) p
    ),
    columns as (
        select a.attrelid, a.attnum, a.atttypid, a.atttypmod, a.attnotnull
        from pg_catalog.pg_attribute a
        where a.attrelid in (select oid from relations) and a.attnum > 0 and not a.attisdropped
    ),
    -- With what they are made of: a domain may stand on a domain, an array have elements of one.
    types (oid) as (
        select c.atttypid from columns c
        union
        select part.oid
        from types y
        join pg_catalog.pg_type t on t.oid = y.oid
        cross join lateral (values (t.typbasetype), (t.typelem)) as part (oid)
        where part.oid <> 0
    )
    select 'definition ' || md5(concat_ws(';',
        (select string_agg(concat_ws(' ', r.oid, r.relpartbound), ',' order by r.oid)
         from pg_catalog.pg_class r where r.oid in (select oid from relations)),
        (select string_agg(concat_ws(' ', c.attrelid, c.attnum, c.atttypid, c.atttypmod, c.attnotnull), ','
             order by c.attrelid, c.attnum)
         from columns c),
        (select string_agg(concat_ws(' ', t.oid, t.typnotnull), ',' order by t.oid)
         from pg_catalog.pg_type t where t.oid in (select oid from types)),
        (select string_agg(concat_ws(' ', k.oid, k.xmin), ',' order by k.oid) from pg_catalog.pg_constraint k
         where k.conrelid in (select oid from relations) or k.contypid in (select oid from types)),
        (select string_agg(concat_ws(' ', i.indexrelid, i.xmin), ',' order by i.indexrelid)
         from pg_catalog.pg_index i where i.indrelid in (select oid from relations) and i.indisunique),
        (select string_agg(e.oid::text, ',' order by e.oid) from pg_catalog.pg_enum e
         where e.enumtypid in (select oid from types)),
        (select string_agg(concat_ws(' ', g.oid, g.tgenabled, p.xmin), ',' order by g.oid)
         from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid
         where g.tgrelid in (select oid from relations) and not g.tgisinternal)
    ))
$$;
comment on function {{store}}._sync_definition(regclass) is
    'Everything by which a table, its partitions, types and triggers may refuse a row, as one mark.';
