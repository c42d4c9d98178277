-- Whoever has the session next finds it as it was.
commit transaction;
set context_info 0x00;
set deadlock_priority normal;
set lock_timeout -1;
set xact_abort off;
if object_id('tempdb..#tidegate_keys') is not null drop table #tidegate_keys;
if object_id('tempdb..#tidegate_rows') is not null drop table #tidegate_rows;
