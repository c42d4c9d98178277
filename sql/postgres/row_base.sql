-- $1 table, $2 key, $3 moment or null: what the row was before the last change by a mobile user until then.
select json_build_object('changed_at', c.changed_at, 'values', (
    select json_object_agg(o.key, o.value) from json_each_text(c.old) o
))::text
from {{store}}._sync_changes c
where c.table_name = $1 and c.key = $2::jsonb and c.old is not null
    and c.changed_at <= coalesce($3::timestamptz, 'infinity')
order by c.seq desc
limit 1
