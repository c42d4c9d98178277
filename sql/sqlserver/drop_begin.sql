set xact_abort on;
set lock_timeout 3000;
begin transaction;
