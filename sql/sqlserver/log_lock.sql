-- Nobody may be changing the table when its log begins.
set xact_abort on;
set lock_timeout 3000;
begin transaction;
