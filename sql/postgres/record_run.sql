-- $1 run, $2 table, $3 direction, $4 counts as JSON: kept with the rows it speaks of, and the latest 1,000
-- transactions that wrote some.
insert into {{store}}._sync_runs as r
    (run_id, table_name, direction, outcome, read, inserted, updated, unchanged, withheld, withheld_by,
     xids)
select $1, $2, $3, 'running', c.read, c.inserted, c.updated, c.unchanged, c.withheld, c.withheld_by,
    case when c.inserted + c.updated > 0 then array[pg_current_xact_id()] else '{}' end
from json_to_record($4::json) as c
    (read bigint, inserted bigint, updated bigint, unchanged bigint, withheld bigint, withheld_by jsonb)
on conflict (run_id, table_name, direction) do update
set read = excluded.read, inserted = excluded.inserted, updated = excluded.updated,
    unchanged = excluded.unchanged, withheld = excluded.withheld, withheld_by = excluded.withheld_by,
    xids = case
        when excluded.inserted + excluded.updated > r.inserted + r.updated then
            (r.xids || excluded.xids)[greatest(cardinality(r.xids) - 998, 1):]
        else r.xids
    end
