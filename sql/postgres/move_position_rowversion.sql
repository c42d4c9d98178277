-- $1 table, $2 direction, $3 expected generation, $4 run, $5 horizon or null, $6 source identity,
-- $7 'end' | 'last_row' | 'stay'. A position among row versions moves with the rows, and never back. No two
-- rows of a database have the same version, and all are written with the same number of digits.
with reached as (
    select case $7
        when 'end' then $5
        -- A row without a version, or an unknown horizon, moves nothing.
        when 'last_row' then case
            when l.version < $5 collate "C" then l.version
            when l.version >= $5 collate "C" then $5
        end
    end as watermark
    from (select) as always
    left join lateral (
        select s._tidegate_version as version
        from pg_temp.tidegate_stage s
        order by s.ctid desc
        limit 1
    ) l on $7 = 'last_row'
),
judged as (
    -- One of another kind says nothing.
    select r.*, r.watermark is not null and coalesce(
        r.watermark >= case when m.watermark ~ '^0x' then m.watermark end collate "C", true
    ) as ahead
    from reached r, {{store}}._sync_metadata m
    where m.table_name = $1 and m.direction = $2 and m.stream = 'changes'
)
update {{store}}._sync_metadata m
set generation = m.generation + 1,
    run_id = $4,
    source_identity = $6,
    last_sync_timestamp = clock_timestamp(),
    consecutive_failures = 0,
    watermark = case when j.ahead then j.watermark else m.watermark end,
    after_key = null
from judged j
where m.table_name = $1 and m.direction = $2 and m.stream = 'changes' and m.generation = $3
returning m.watermark, m.after_key::text, m.generation, (
    select count(*) from pg_temp.tidegate_stage s
    where s._tidegate_stamp > clock_timestamp() + interval '5 minutes'
) as stamped_in_future
