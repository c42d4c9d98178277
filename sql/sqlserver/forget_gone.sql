-- @P1 table, @P2 direction, @P3 run, then keys: entries that this run asked for again and met nowhere. Not
-- those of a later run: as texts, run numbers are in the order of time.
delete from {{store}}._sync_withheld
where table_name = @P1 and direction = @P2 and key_hash in ({{keys}})
    and cast(last_run_id as char(36)) collate Latin1_General_BIN2 < cast(@P3 as char(36))
