-- $1 table, $2 direction: the desktop changed rows of the mobile side; the mobile versions stand, and go to
-- the desktop once more. A row that is on the list with the same change has been sent already.
insert into {{store}}._sync_changes (table_name, operation, key)
select $1, 'queued', {{key_json}}
from pg_temp.tidegate_verdict v
join pg_temp.tidegate_stage s on s.ctid = v.place
where {{contested}} and v.verdict = 'owner' and not exists (
    select from {{store}}._sync_withheld w
    where w.table_name = $1 and w.direction = $2 and w.key = {{key_json}} and w.reason = v.verdict
        and w.row = {{staged_json}}
)
