-- @P1 run, @P2 table, @P3 direction, then what it has done so far: kept with the rows it speaks of.
update {{store}}._sync_runs
set [read] = @P4, inserted = @P5, updated = @P6, unchanged = @P7, withheld = @P8, withheld_by = @P9
where run_id = @P1 and table_name = @P2 and direction = @P3
