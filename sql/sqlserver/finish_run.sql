-- @P1 run, @P2 table, @P3 direction, then what came of it.
update {{store}}._sync_runs
set [read] = @P4, inserted = @P5, updated = @P6, unchanged = @P7, withheld = @P8, withheld_by = @P9,
    outcome = @P10, mobile_before = @P11, mobile_after = @P12, watermark_from = @P13, watermark_to = @P14,
    seconds = @P15, error = @P16, finished_at = sysdatetimeoffset()
where run_id = @P1 and table_name = @P2 and direction = @P3
