-- $1 tables, $2 direction, $3 the mark of mobile rows: all that a run has to know of the database that it
-- writes before it can plan.
select json_build_object(
    'version', (select max(version) from {{store}}._sync_migrations),
    'track_counts', current_setting('track_counts')::boolean,
    'snapshot', pg_current_snapshot()::text,
    'tables', coalesce((
        select json_agg(json_build_object(
            'table', t.name,
            'watermark', m.watermark,
            'after', m.after_key::text,
            'generation', coalesce(m.generation, 0),
            'source_identity', m.source_identity,
            -- A position in a change log is no stamp, nor is a row version.
            'moved', case when m.watermark !~ '^([0-9]+$|0x)' and isfinite(m.watermark::timestamptz) then json_build_object(
                'watermark', extract(epoch from m.watermark::timestamptz),
                'ago', coalesce(extract(epoch from clock_timestamp() - m.last_sync_timestamp), 0)
            ) end,
            'mobile', c.rows,
            'withholds', exists (
                select from {{store}}._sync_withheld w
                where w.table_name = t.name and w.direction = $2
            )
        ))
        from unnest($1::text[]) as t (name)
        left join {{store}}._sync_metadata m
            on m.table_name = t.name and m.direction = $2 and m.stream = 'changes'
        left join lateral (
            select coalesce(sum(r.rows) filter (where r.owner = $3), 0)::bigint as rows
            from {{store}}._sync_row_counts r
            where r.table_name = t.name and r.run_id = (
                select l.run_id from {{store}}._sync_row_counts l
                where l.table_name = t.name order by l.counted_at desc limit 1
            )
            having count(*) > 0
        ) c on true
    ), '[]')
)::text
