-- @P1 number: one withheld row with both versions, as the run met them.
select w.id, w.table_name, w.[key], w.direction, w.reason, w.contested, w.first_seen_at as since, w.attempts,
    w.last_seen_at, w.detail, w.[row], w.target_row, w.first_run_id, w.last_run_id
from {{store}}._sync_withheld w
where w.id = @P1
