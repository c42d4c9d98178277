-- Where the database allows no snapshots: what is committed when it is read. A row that moves meanwhile may
-- come twice, or not at all; then it was changed, and lies above the horizon.
set transaction isolation level read committed;
set deadlock_priority low;
-- For a user's transaction that stays open nobody waits for ever.
set lock_timeout 30000;
