-- $1 schemas, $2 names: the triggers that fire when rows of a table are written, and the tables that
-- they, or triggers of those tables, write to. A guess from their source: EXECUTE, and functions that
-- call others, tell nothing.
with recursive sources as (
    select g.tgrelid, g.tgname, g.tgtype, g.tgargs, p.proname, pn.nspname, p.prosecdef,
        -- Without comments; one expression for both would be greedy.
        regexp_replace(regexp_replace(p.prosrc, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g') as source
    from pg_trigger g
    join pg_proc p on p.oid = g.tgfoid
    join pg_namespace pn on pn.oid = p.pronamespace
    where not g.tgisinternal and g.tgenabled in ('O', 'A')
        -- Not the change log's: they pass tidegate's writes over.
        and g.tgname not in ('_sync_log_change', '_sync_log_truncate')
),
named as (
    select s.tgrelid, s.tgname, s.tgtype, s.nspname,
        case when m[2] is null then null when m[1] like '"%' then replace(trim(both '"' from m[1]), '""', '"')
            else lower(m[1]) end as schema,
        case when coalesce(m[2], m[1]) like '"%' then replace(trim(both '"' from coalesce(m[2], m[1])), '""', '"')
            else lower(coalesce(m[2], m[1])) end as name
    from sources s
    cross join lateral regexp_matches(s.source,
        '\m(?:insert\s+into|merge\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?'
        || '("(?:[^"]|"")+"|[[:alpha:]_][\w$]*)(?:\s*\.\s*("(?:[^"]|"")+"|[[:alpha:]_][\w$]*))?', 'gi') m
),
writes as materialized (
    select distinct w.tgrelid, w.tgname, w.tgtype, t.oid as written
    from named w
    join pg_class t on t.relname = w.name and t.relkind in ('r', 'p') and t.relpersistence <> 't'
    join pg_namespace tn on tn.oid = t.relnamespace
    where tn.nspname = w.schema
        or w.schema is null and (pg_table_is_visible(t.oid) or tn.nspname = w.nspname)
),
reached (root, trigger, written) as (
    -- tgtype: 4 insert, 16 update
    select tgrelid, tgname, written from writes where tgtype & 20 <> 0
    union
    select r.root, r.trigger, w.written from reached r join writes w on w.tgrelid = r.written
)
select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'writes', (
        select coalesce(json_agg(distinct jsonb_build_object(
            'trigger', r.trigger, 'schema', tn.nspname, 'name', t.relname)), '[]')
        from reached r
        join pg_class t on t.oid = r.written
        join pg_namespace tn on tn.oid = t.relnamespace
        where r.root = c.oid
    ),
    -- Columns that BEFORE row triggers assign to NEW. tgtype: 1 row, 2 before
    'sets', (
        select coalesce(json_agg(distinct jsonb_build_object('trigger', s.tgname, 'column', x.col)), '[]')
        from sources s
        cross join lateral (
            select case when m[1] like '"%' then trim(both '"' from m[1]) else lower(m[1]) end as col
            from regexp_matches(s.source,
                '(?:;|\mbegin|\mthen|\melse|\mloop)\s*new\s*\.\s*("[^"]+"|\w+)\s*:?=', 'gi') m
            union all
            -- The extension's function is in C; its column is the trigger's argument.
            select replace(encode(s.tgargs, 'escape'), '\000', '') where s.proname = 'moddatetime'
        ) x
        where s.tgrelid = c.oid and s.tgtype & 3 = 3 and s.tgtype & 20 <> 0
    )
)), '[]')::text
from unnest($1::text[], $2::text[]) as w (schema, name)
join pg_namespace n on n.nspname = w.schema
join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
