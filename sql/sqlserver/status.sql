-- @P1 direction: as recorded in the database that is written: positions, rows by owner when they were last
-- counted, withheld rows by reason and by what the target said, and of each table the last run.
select m.table_name, m.watermark, m.last_sync_timestamp, m.consecutive_failures, sysdatetimeoffset() as now
from {{store}}._sync_metadata m
where m.direction = @P1 and m.stream = N'changes' and m.site = N'';
select c.table_name, c.owner, c.[rows]
from {{store}}._sync_metadata m
join {{store}}._sync_row_counts c on c.table_name = m.table_name and c.run_id = (
    select top (1) l.run_id from {{store}}._sync_row_counts l
    where l.table_name = m.table_name order by l.counted_at desc
)
where m.direction = @P1 and m.stream = N'changes' and m.site = N'';
select w.table_name, w.reason, count_big(*) as [rows]
from {{store}}._sync_withheld w
where w.direction = @P1
group by w.table_name, w.reason;
select w.table_name, w.detail, count_big(*) as [rows]
from {{store}}._sync_withheld w
where w.direction = @P1 and w.detail is not null
group by w.table_name, w.detail;
select r.table_name, r.run_id, r.outcome, r.started_at, r.inserted, r.updated, r.withheld, r.error
from {{store}}._sync_metadata m
join {{store}}._sync_runs r on r.table_name = m.table_name and r.direction = m.direction and r.run_id = (
    select top (1) l.run_id from {{store}}._sync_runs l
    where l.table_name = m.table_name and l.direction = m.direction order by l.started_at desc
)
where m.direction = @P1 and m.stream = N'changes' and m.site = N'';
