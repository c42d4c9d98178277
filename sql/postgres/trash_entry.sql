-- $1 number: one decided conflict with both versions, as the run met them.
select json_build_object('number', t.id, 'table', t.table_name, 'key', t.key,
    'direction', t.direction, 'reason', t.reason, 'since', t.trashed_at,
    'lost', t.row, 'won', t.winner, 'runs', json_build_array(t.run_id))::text
from {{store}}._sync_trash t
where t.id = $1
