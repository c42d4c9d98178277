-- @P1 table, @P2 direction, @P3 expected generation, @P4 run, @P5 watermark, @P6 after_key, @P7 source identity,
-- @P8 whether the table was read up to now: where the rows of this transaction bring the position.
update {{store}}._sync_metadata
set generation = generation + 1,
    run_id = @P4,
    watermark = @P5,
    after_key = @P6,
    source_identity = @P7,
    last_sync_timestamp = case when @P8 = 1 then sysdatetimeoffset() else last_sync_timestamp end,
    consecutive_failures = 0
where table_name = @P1 and direction = @P2 and stream = N'changes' and site = N'' and generation = @P3
