-- How far reverse has come with each table, and where tables stood when rows were withheld that are asked for
-- again, with all that was done to them since.
select m.table_name, m.watermark, cast(null as nvarchar(max)) as since
from {{store}}._sync_metadata m
where m.direction = 'reverse' and m.stream = 'changes'
union all
select w.table_name, null, w.since
from {{store}}._sync_withheld w
where w.direction = 'reverse' and w.since is not null
