-- @P1 table, @P2 version: the last of the oldest entries that every reader has passed and that are old enough.
select top (1) e.version
from (
    select top ({{entries}}) c.version, c.changed_at
    from {{store}}._sync_changes c
    where c.table_name = @P1 and c.version < @P2
    order by c.version
) e
where e.changed_at < dateadd(day, -7, sysdatetimeoffset())
order by e.version desc
