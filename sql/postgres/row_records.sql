-- $1 table, $2 key, $3 the transaction that wrote the row as it is: what this end has on record about a row.
select json_build_object(
    'written_by', (
        select json_build_object('run_id', r.run_id, 'direction', r.direction, 'started_at', r.started_at)
        from {{store}}._sync_runs r
        where r.table_name = $1 and exists (select from unnest(r.xids) x where x::xid = $3::xid)
        order by r.started_at desc
        limit 1
    ),
    'withheld', coalesce((
        select json_agg(json_build_object('number', w.id, 'direction', w.direction, 'reason', w.reason,
            'contested', w.contested, 'detail', w.detail, 'since', w.first_seen_at,
            'last_seen', w.last_seen_at, 'attempts', w.attempts) order by w.id)
        from {{store}}._sync_withheld w
        where w.table_name = $1 and w.key = $2::jsonb
    ), '[]'),
    'trash', coalesce((
        select json_agg(json_build_object('number', t.id, 'direction', t.direction, 'reason', t.reason,
            'run_id', t.run_id, 'since', t.trashed_at) order by t.id)
        from {{store}}._sync_trash t
        where t.table_name = $1 and t.key = $2::jsonb
    ), '[]')
)::text
