-- $1 table, $2 direction, $3 watermark or null, $4 source identity, $5 run: by hand, where the position
-- is locked already. A new generation, so that a run that is under way does not go on from the old one.
update {{store}}._sync_metadata
set watermark = $3,
    after_key = null,
    source_identity = $4,
    generation = generation + 1,
    run_id = $5,
    last_sync_timestamp = clock_timestamp()
where table_name = $1 and direction = $2 and stream = 'changes'
