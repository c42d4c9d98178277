-- $1 table, $2 direction, $3 expected generation, $4 run, $5 horizon or null, $6 source identity,
-- $7 'end' | 'last_row' | 'stay'. A position moves with the rows, and never back.
with reached as (
    select case $7
        when 'end' then $5::timestamptz
        -- A row without a stamp, or an unknown horizon, moves nothing.
        when 'last_row' then case
            when l.stamp < $5::timestamptz then l.stamp
            when l.stamp >= $5::timestamptz then $5::timestamptz
        end
    end as watermark,
    case when $7 = 'last_row' and l.stamp < $5::timestamptz then l.key end as after_key
    from (select) as always
    left join lateral (
        select s._tidegate_stamp as stamp, {{key_json}} as key
        from pg_temp.tidegate_stage s
        order by s.ctid desc
        limit 1
    ) l on $7 = 'last_row'
),
judged as (
    -- One of another kind says nothing.
    select r.*, r.watermark is not null and coalesce(
        r.watermark >= case when m.watermark !~ '^([0-9]+$|0x)' then m.watermark::timestamptz end, true
    ) as ahead
    from reached r, {{store}}._sync_metadata m
    where m.table_name = $1 and m.direction = $2 and m.stream = 'changes'
)
update {{store}}._sync_metadata m
set generation = m.generation + 1,
    run_id = $4,
    source_identity = $6,
    -- A run that reads again what lies before the watermark, and stops there, has not read up to now.
    last_sync_timestamp = case
        when $7 = 'last_row' and not j.ahead then m.last_sync_timestamp else clock_timestamp()
    end,
    consecutive_failures = 0,
    -- The horizon as it was told: quiet tables have it so.
    watermark = case
        when j.ahead and j.watermark = $5::timestamptz then $5
        when j.ahead then j.watermark::text
        else m.watermark
    end,
    after_key = case when j.ahead then j.after_key else m.after_key end
from judged j
where m.table_name = $1 and m.direction = $2 and m.stream = 'changes' and m.generation = $3
returning m.watermark, m.after_key::text, m.generation, (
    select count(*) from pg_temp.tidegate_stage s
    where s._tidegate_stamp > clock_timestamp() + interval '5 minutes'
) as stamped_in_future
