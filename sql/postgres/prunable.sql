-- $1 tables: the transactions below which nobody needs the cloud's log of them any more. What could not be
-- written yet is asked for again, with all that was done to it since.
select m.table_name, (
    select x.xid
    from (
        select m.watermark::xid8
        union all
        select (w.since ->> 'watermark')::xid8 from {{store}}._sync_withheld w
        where w.table_name = m.table_name and w.direction = 'reverse' and w.since is not null
    ) x (xid)
    order by x.xid nulls first
    limit 1
)::text as below
from {{store}}._sync_metadata m
where m.table_name = any ($1) and m.direction = 'reverse' and m.stream = 'changes' and m.watermark ~ '^[0-9]+$'
