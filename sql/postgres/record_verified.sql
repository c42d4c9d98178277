-- $1 the verification, $2 rows by owner as JSON, of tables as they were counted at one moment each.
insert into {{store}}._sync_row_counts (table_name, run_id, owner, rows, counted_at)
select r.table_name, $1, r.owner, r.rows, r.counted_at
from json_to_recordset($2::json) as r (table_name text, owner text, rows bigint, counted_at timestamptz)
