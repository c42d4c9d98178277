-- One moment of the database for all that is read from here on; no lock is taken, and none waited for.
set transaction isolation level snapshot;
begin transaction;
