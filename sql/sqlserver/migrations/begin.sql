set xact_abort on;
set lock_timeout 30000;
begin transaction;
