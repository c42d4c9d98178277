-- A rehearsal merges many batches in one transaction: the temporary tables of the last one go. Counters
-- of what a savepoint undid stay, which is why real batches have none.
drop table if exists pg_temp.tidegate_stage, pg_temp.tidegate_verdict, pg_temp.tidegate_pinned;
release savepoint tidegate_batch;
savepoint tidegate_batch;
