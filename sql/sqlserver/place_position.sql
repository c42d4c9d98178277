-- @P1 table, @P2 direction, @P3 watermark or null, @P4 source identity, @P5 run: by hand, where the position
-- is locked already. A new generation, so that a run that is under way does not go on from the old one.
update {{store}}._sync_metadata
set watermark = @P3,
    after_key = null,
    source_identity = @P4,
    generation = generation + 1,
    run_id = @P5,
    last_sync_timestamp = sysdatetimeoffset()
where table_name = @P1 and direction = @P2 and stream = N'changes' and site = N''
