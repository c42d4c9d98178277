-- @P1 run, then entries with their numbers: what is on the list already, and was met again.
update w
set reason = e.reason, detail = e.detail, [row] = e.[row], target_row = e.target_row,
    target_version = e.target_version, since = e.since, contested = e.contested, last_run_id = @P1,
    last_seen_at = sysdatetimeoffset(), attempts = w.attempts + 1
from {{store}}._sync_withheld w
join (values {{entries}}) as e
    (id, reason, detail, [row], target_row, target_version, since, contested) on e.id = w.id
