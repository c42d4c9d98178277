-- $1 the run or verification, $2 rows by owner as JSON, of tables as they were counted at one moment each.
insert into {{store}}._sync_row_counts (table_name, run_id, owner, rows, counted_at, snapshot)
select r.table_name, $1, r.owner, r.rows, r.counted_at, r.snapshot
from json_to_recordset($2::json)
    as r (table_name text, owner text, rows bigint, counted_at timestamptz, snapshot pg_snapshot)
on conflict (table_name, run_id, owner) do update
set rows = excluded.rows, counted_at = excluded.counted_at, snapshot = excluded.snapshot
