-- @P1 table, @P2 direction: one more run that failed.
update {{store}}._sync_metadata
set consecutive_failures = consecutive_failures + 1
where table_name = @P1 and direction = @P2 and stream = N'changes' and site = N''
