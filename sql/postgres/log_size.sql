-- $1 labels, $2 a number: those of the tables of which the log holds more entries than that, but for what is
-- never pruned.
select l.table_name
from {{store}}._sync_logged l
where l.table_name = any ($1::text[]) and exists (
    select from {{store}}._sync_changes c
    where c.table_name = l.table_name and c.xid >= l.pruned_below
    offset $2
)
