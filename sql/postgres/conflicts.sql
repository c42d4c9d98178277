-- $1 table or null, $2 how many of each list, $3 reasons: what both sides did to one row, the latest first,
-- and how many there are. Contents of rows are left to who asks for one entry.
with open as (
    select w.id, w.table_name, w.key, w.direction, w.reason, w.contested, w.first_seen_at, w.attempts
    from {{store}}._sync_withheld w
    where ($1 is null or w.table_name = $1) and (w.contested or w.reason = any ($3))
),
decided as (
    select t.id, t.table_name, t.key, t.direction, t.reason, t.trashed_at
    from {{store}}._sync_trash t
    where $1 is null or t.table_name = $1
)
select json_build_object(
    'open', (select count(*) from open),
    'decided', (select count(*) from decided),
    'withheld', coalesce((
        select json_agg(json_build_object('number', o.id, 'table', o.table_name, 'key', o.key,
            'direction', o.direction, 'reason', o.reason, 'contested', o.contested,
            'since', o.first_seen_at, 'attempts', o.attempts) order by o.id desc)
        from (select * from open order by id desc limit $2) o
    ), '[]'),
    'trash', coalesce((
        select json_agg(json_build_object('number', d.id, 'table', d.table_name, 'key', d.key,
            'direction', d.direction, 'reason', d.reason, 'since', d.trashed_at) order by d.id desc)
        from (select * from decided order by id desc limit $2) d
    ), '[]')
)::text
