-- A ring of foreign keys that waits for itself: insert the row without its reference now; it stays
-- withheld, and the reference is set when the parent has arrived.
with loose as (
    update pg_temp.tidegate_stage s
    set {{clear}}
    from pg_temp.tidegate_verdict v
    where s.ctid = v.place and v.verdict = 'insert' and {{refers}}
        and not exists (select from {{parent}} p where {{staged_is_parent}})
        and not exists ({{staged_parent}})
    returning v.place as was, s.ctid as place
)
update pg_temp.tidegate_verdict v set detached = true, place = l.place
from loose l where v.place = l.was
