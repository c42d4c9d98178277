-- @P1 table, @P2 version: the entries from there on, not more than fit one question. Closed: what was committed late
-- has the version at which it was read.
select top ({{entries}}) c.version, c.[key]
from {{store}}._sync_changes c
where c.table_name = @P1 and c.version >= @P2
order by c.version
