-- @P1 number: one decided conflict with both versions, as the run met them.
select t.id, t.table_name, t.[key], t.direction, t.reason, t.trashed_at as since, t.[row], t.winner, t.run_id
from {{store}}._sync_trash t
where t.id = @P1
