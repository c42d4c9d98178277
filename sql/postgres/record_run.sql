-- $1 run, $2 table, $3 direction, $4 counts as JSON: kept with the rows it speaks of.
insert into {{store}}._sync_runs as r
    (run_id, table_name, direction, outcome, read, inserted, updated, unchanged, withheld, withheld_by)
select $1, $2, $3, 'running', c.read, c.inserted, c.updated, c.unchanged, c.withheld, c.withheld_by
from json_to_record($4::json) as c
    (read bigint, inserted bigint, updated bigint, unchanged bigint, withheld bigint, withheld_by jsonb)
on conflict (run_id, table_name, direction) do update
set read = excluded.read, inserted = excluded.inserted, updated = excluded.updated,
    unchanged = excluded.unchanged, withheld = excluded.withheld, withheld_by = excluded.withheld_by
