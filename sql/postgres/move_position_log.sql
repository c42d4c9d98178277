-- $1 table, $2 direction, $3 expected generation, $4 run, $5 the snapshot that was read, $6 source identity,
-- $7 'end' | 'last_row' | 'stay'. A position in a change log moves with the rows, and never back. What the
-- last complete run saw above its watermark stays known until the next one comes to its end.
with reached as (
    select case $7
        when 'end' then pg_snapshot_xmin($5::pg_snapshot)
        -- A row without a place in the log moves nothing.
        when 'last_row' then case
            when l.xid < pg_snapshot_xmin($5::pg_snapshot) then l.xid
            when l.xid is not null then pg_snapshot_xmin($5::pg_snapshot)
        end
    end as watermark,
    case $7
        when 'end' then jsonb_build_object('seen', $5)
        when 'last_row' then case
            when l.xid < pg_snapshot_xmin($5::pg_snapshot) then jsonb_build_object('seq', l.seq)
            -- Whoever has a number has stopped on the way.
            else jsonb_build_object('seq', 0)
        end
    end as after_key
    from (select) as always
    left join lateral (
        select s._tidegate_xid as xid, s._tidegate_seq as seq
        from pg_temp.tidegate_stage s
        order by s.ctid desc
        limit 1
    ) l on $7 = 'last_row'
),
judged as (
    select r.watermark, case
            when $7 = 'last_row' and m.watermark ~ '^[0-9]+$' and m.after_key ? 'seen' then
                r.after_key || jsonb_build_object('seen', m.after_key -> 'seen')
            else r.after_key
        end as after_key,
        -- One of another kind, a stamp, says nothing.
        r.watermark is not null and coalesce(
            r.watermark >= case when m.watermark ~ '^[0-9]+$' then m.watermark::xid8 end, true
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
    watermark = case when j.ahead then j.watermark::text else m.watermark end,
    after_key = case when j.ahead then j.after_key else m.after_key end
from judged j
where m.table_name = $1 and m.direction = $2 and m.stream = 'changes' and m.generation = $3
returning m.watermark, m.after_key::text, m.generation, (
    select count(*) from pg_temp.tidegate_stage s
    where s._tidegate_stamp > clock_timestamp() + interval '5 minutes'
) as stamped_in_future
