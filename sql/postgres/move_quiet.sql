-- $1 tables, $2 their generations, $3 their horizons or nulls, $4 direction, $5 run, $6 source
-- identity: tables with nothing to do move to the horizon together, in one statement.
with quiet as (
    select q.table_name, q.generation, q.horizon
    from unnest($1::text[], $2::bigint[], $3::text[]) as q (table_name, generation, horizon)
),
made as (
    insert into {{store}}._sync_metadata
        (table_name, direction, stream, generation, run_id, source_identity, last_sync_timestamp, watermark,
         after_key)
    select q.table_name, $4, 'changes', 1, $5, $6, clock_timestamp(), {{watermark}}, {{after}}
    from quiet q
    where q.generation = 0
    on conflict do nothing
    returning table_name, watermark
),
moved as (
    update {{store}}._sync_metadata m
    set generation = m.generation + 1,
        run_id = $5,
        source_identity = $6,
        last_sync_timestamp = clock_timestamp(),
        consecutive_failures = 0,
        watermark = case when a.ahead then a.watermark else m.watermark end,
        after_key = case when a.ahead then a.after_key else m.after_key end
    from (
        select q.*, {{watermark}} as watermark, {{after}} as after_key, q.horizon is not null and coalesce(
            ({{watermark}})::{{type}} >= case when o.watermark {{kind}} then o.watermark::{{type}} end,
            true
        ) as ahead
        from quiet q
        join {{store}}._sync_metadata o
            on o.table_name = q.table_name and o.direction = $4 and o.stream = 'changes'
    ) a
    where m.table_name = a.table_name and m.direction = $4 and m.stream = 'changes'
        and m.generation = a.generation
    returning m.table_name, m.watermark
)
select table_name, watermark from made
union all
select table_name, watermark from moved
