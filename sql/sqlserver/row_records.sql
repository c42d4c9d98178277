-- @P1 table, @P2 key: what this end has on record about a row.
select w.id, w.direction, w.reason, w.contested, w.detail, w.first_seen_at, w.last_seen_at, w.attempts
from {{store}}._sync_withheld w
where w.table_name = @P1 and w.key_hash = @P2
order by w.id;
select t.id, t.direction, t.reason, t.run_id, t.trashed_at
from {{store}}._sync_trash t
where t.table_name = @P1 and t.key_hash = @P2
order by t.id;
