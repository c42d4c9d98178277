-- @P1 direction: all positions.
select m.table_name, m.stream, m.watermark, m.after_key, m.generation, m.last_sync_timestamp, m.source_identity,
    m.run_id
from {{store}}._sync_metadata m
where m.direction = @P1
order by m.table_name, m.stream
