-- @P1 table, @P2 version: the keys of what was changed from there on.
select distinct c.[key] from {{store}}._sync_changes c where c.table_name = @P1 and c.version >= @P2
