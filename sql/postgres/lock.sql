-- $1 table, $2 direction: the batches of two runs take turns. Not got within lock_timeout: another run
-- is at work. The mark tells our writes from those of the database's users.
select set_config('tidegate.writing', $2, true), pg_advisory_xact_lock(hashtextextended('tidegate ' || $1, 0))::text
