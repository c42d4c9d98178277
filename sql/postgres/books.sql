-- $1 table, $2 the mark of mobile rows, $3 direction: what is on record about one table.
select json_build_object(
    'at', now(),
    'watermark', m.watermark,
    'source_identity', m.source_identity,
    'recorded', c.owners,
    'recorded_at', l.counted_at,
    'snapshot', (select pg_current_snapshot()::text from {{store}}._sync_logged where table_name = $1),
    'logged', ({{log_since}}),
    -- At least what runs have inserted that the last record does not count. A run that never ended
    -- may have inserted after it, unless a later one ended before the record.
    'inserted_since', (
        select coalesce(sum(r.inserted), 0)::bigint
        from {{store}}._sync_runs r
        where r.table_name = $1 and r.direction = $3 and r.run_id <> l.run_id
            and case
                when r.finished_at is not null then r.finished_at > l.counted_at
                else not exists (
                    select from {{store}}._sync_runs o
                    where o.table_name = $1 and o.direction = $3
                        and o.started_at > r.started_at and o.finished_at <= l.counted_at
                )
            end
    )
)::text
from (select) as always
left join {{store}}._sync_metadata m
    on m.table_name = $1 and m.direction = $3 and m.stream = 'changes'
left join lateral (
    select n.run_id, n.counted_at
    from {{store}}._sync_row_counts n
    where n.table_name = $1
    order by n.counted_at desc
    limit 1
) l on true
left join lateral (
    select json_object_agg(n.owner, n.rows) as owners
    from {{store}}._sync_row_counts n
    where n.table_name = $1 and n.run_id = l.run_id
) c on true
