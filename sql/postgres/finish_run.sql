-- $1 run, $2 table, $3 direction, $4 what came of it, as JSON.
insert into {{store}}._sync_runs as r
    (run_id, table_name, direction, outcome, read, inserted, updated, unchanged, withheld, withheld_by,
     mobile_before, mobile_after, watermark_from, watermark_to, seconds, error, finished_at)
select $1, $2, $3, c.outcome, c.read, c.inserted, c.updated, c.unchanged, c.withheld, c.withheld_by,
    c.mobile_before, c.mobile_after, c.watermark_from, c.watermark, c.seconds, c.error, clock_timestamp()
from json_to_record($4::json) as c
    (outcome text, read bigint, inserted bigint, updated bigint, unchanged bigint, withheld bigint,
     withheld_by jsonb, mobile_before bigint, mobile_after bigint, watermark_from text, watermark text,
     seconds numeric, error text)
on conflict (run_id, table_name, direction) do update
set outcome = excluded.outcome, read = excluded.read, inserted = excluded.inserted,
    updated = excluded.updated, unchanged = excluded.unchanged, withheld = excluded.withheld,
    withheld_by = excluded.withheld_by, mobile_before = excluded.mobile_before,
    mobile_after = excluded.mobile_after, watermark_from = excluded.watermark_from,
    watermark_to = excluded.watermark_to, seconds = excluded.seconds, error = excluded.error,
    finished_at = excluded.finished_at
