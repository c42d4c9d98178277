-- How a session writes: the first error rolls back all of it, nobody is waited for longer than a moment, and
-- in a deadlock the users of the desktop come first. Triggers can tell our writes by the mark, 'tidegate'.
set xact_abort on;
-- The server may be set up otherwise.
set nocount off;
set lock_timeout 500;
set deadlock_priority low;
set transaction isolation level read committed;
set context_info 0x7469646567617465;
begin transaction;
