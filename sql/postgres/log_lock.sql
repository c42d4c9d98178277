-- Writers wait for whoever waits for this lock, so it waits for nobody long. Nothing is written before it is
-- there: then no writer without the trigger has a later transaction id than ours.
begin;
set local lock_timeout = '3s';
lock table {{table}} in share row exclusive mode;
