-- A rehearsal merges many batches in one transaction: the temporary tables of the last one go.
drop table if exists pg_temp.tidegate_stage, pg_temp.tidegate_verdict, pg_temp.tidegate_pinned
