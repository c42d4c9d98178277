-- $1 number: one withheld row with both versions, as the run met them.
select json_build_object('number', w.id, 'table', w.table_name, 'key', w.key,
    'direction', w.direction, 'reason', w.reason, 'contested', w.contested,
    'since', w.first_seen_at, 'attempts', w.attempts, 'last_seen', w.last_seen_at, 'detail', w.detail,
    'sent', w.row, 'held', w.target_row,
    'runs', case
        when w.first_run_id = w.last_run_id then json_build_array(w.first_run_id)
        else json_build_array(w.first_run_id, w.last_run_id)
    end)::text
from {{store}}._sync_withheld w
where w.id = $1
