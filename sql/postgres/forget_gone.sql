-- $1 table, $2 direction, $3 run, $4 keys: entries that this run asked for again and met nowhere.
delete from {{store}}._sync_withheld
where table_name = $1 and direction = $2 and key = any ($4::text[]::jsonb[]) and last_run_id <> $3
