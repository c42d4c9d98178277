-- $1 tables, $2 direction: one JSON document for each table and stream, in the order of the tables.
select json_build_object(
    'table', t.name,
    'direction', $2::text,
    'stream', coalesce(m.stream, 'changes'),
    'watermark', m.watermark,
    'after_key', m.after_key,
    'generation', coalesce(m.generation, 0),
    'last_sync', m.last_sync_timestamp,
    'source_identity', m.source_identity,
    'run_id', m.run_id
)::text
from unnest($1::text[]) with ordinality as t (name, place)
left join {{store}}._sync_metadata m on m.table_name = t.name and m.direction = $2
order by t.place, m.stream
