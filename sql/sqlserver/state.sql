-- @P1 direction, @P2 the mark of mobile rows: all that a run has to know of the database that it writes before
-- it can plan.
select coalesce(max(version), 0) as version from {{store}}._sync_migrations;
select m.table_name, m.watermark, m.after_key, m.generation, m.source_identity, m.last_sync_timestamp,
    sysdatetimeoffset() as now, case when exists (
        select 1 from {{store}}._sync_withheld w where w.table_name = m.table_name and w.direction = @P1
    ) then 1 else 0 end as withholds
from {{store}}._sync_metadata m
where m.direction = @P1 and m.stream = N'changes' and m.site = N'';
select c.table_name, cast(sum(case when c.owner = @P2 then c.[rows] else 0 end) as bigint) as mobile
from {{store}}._sync_metadata m
join {{store}}._sync_row_counts c on c.table_name = m.table_name and c.run_id = (
    select top (1) l.run_id from {{store}}._sync_row_counts l
    where l.table_name = m.table_name order by l.counted_at desc
)
where m.direction = @P1 and m.stream = N'changes' and m.site = N''
group by c.table_name;
