-- $1 table, $2 direction, $3 run, $4 keys, $5 the key's columns in order: entries that this run asked
-- for again and met nowhere. Not those of a later run, nor those whose key has other columns than the
-- table's now: they could not be asked for.
delete from {{store}}._sync_withheld
where table_name = $1 and direction = $2 and key = any ($4::text[]::jsonb[]) and last_run_id < $3
    and (select array_agg(k order by k collate "C") from jsonb_object_keys(key) k) = $5::text[]
