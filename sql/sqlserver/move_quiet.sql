-- @P1 direction, @P2 run, @P3 source identity, then of each table its name, its generation and where it moves
-- to: tables with nothing to do move to the horizon together. One that another run has moved stays.
update m
set generation = m.generation + 1,
    run_id = @P2,
    source_identity = @P3,
    last_sync_timestamp = sysdatetimeoffset(),
    consecutive_failures = 0,
    watermark = q.watermark,
    after_key = q.after_key
output inserted.table_name, inserted.watermark
from {{store}}._sync_metadata m
join (values {{quiet}}) as q (table_name, generation, watermark, after_key)
    on m.table_name = q.table_name collate Latin1_General_BIN2 and q.generation = m.generation
where m.direction = @P1 and m.stream = N'changes' and m.site = N''
