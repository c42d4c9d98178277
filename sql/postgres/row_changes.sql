-- $1 table, $2 key, $3 and $4 how far reverse had come (watermark and after), $5 how many: what the change log
-- has of a row, the latest first. What tidegate has written over is settled.
with entries as (
    select c.*, max(c.seq) filter (where c.operation = 'overwritten') over () as settled
    from {{store}}._sync_changes c
    where c.table_name = $1 and c.key = $2::jsonb
)
select json_build_object(
    'logged', exists (select from {{store}}._sync_logged g where g.table_name = $1),
    'entries', coalesce((
        select json_agg(json_build_object(
            'operation', c.operation,
            'changed_at', c.changed_at,
            'pending', c.operation <> 'overwritten' and c.seq > coalesce(c.settled, 0) and {{beyond}}
        ) order by c.seq desc)
        from (select * from entries order by seq desc limit $5) c
    ), '[]')
)::text
