-- $1 tables, $2 direction: one JSON document a table, as recorded in the database that is written.
select json_build_object(
    'table', t.name,
    'direction', $2::text,
    'watermark', m.watermark,
    -- What a position in a change log, or among row versions, has passed was read when it moved.
    'lag_seconds', extract(epoch from clock_timestamp() - case
        when m.watermark ~ '^([0-9]+$|0x)' then m.last_sync_timestamp
        else m.watermark::timestamptz
    end)::bigint,
    'last_sync', m.last_sync_timestamp,
    'consecutive_failures', coalesce(m.consecutive_failures, 0),
    'counts', coalesce((
        select json_object_agg(r.owner, r.rows order by r.owner)
        from {{store}}._sync_row_counts r
        where r.table_name = t.name and r.run_id = (
            select l.run_id from {{store}}._sync_row_counts l
            where l.table_name = t.name order by l.counted_at desc limit 1
        )
    ), '{}'),
    'withheld_by', coalesce((
        select json_object_agg(w.reason, w.rows order by w.reason)
        from (
            select reason, count(*) as rows from {{store}}._sync_withheld
            where table_name = t.name and direction = $2 group by reason
        ) w
    ), '{}'),
    'refused', coalesce((
        select json_agg(json_build_object('detail', w.detail, 'rows', w.rows) order by w.rows desc, w.detail)
        from (
            select detail, count(*) as rows from {{store}}._sync_withheld
            where table_name = t.name and direction = $2 and detail is not null
            group by detail order by rows desc, detail limit 5
        ) w
    ), '[]'),
    'last_run', (
        select json_build_object('run_id', r.run_id, 'outcome', r.outcome, 'started_at', r.started_at,
            'inserted', r.inserted, 'updated', r.updated, 'withheld', r.withheld, 'error', r.error)
        from {{store}}._sync_runs r
        where r.table_name = t.name and r.direction = $2
        order by r.started_at desc limit 1
    )
)::text
from unnest($1::text[]) with ordinality as t (name, place)
left join {{store}}._sync_metadata m
    on m.table_name = t.name and m.direction = $2 and m.stream = 'changes'
order by t.place
