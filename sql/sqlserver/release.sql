-- @P1 table, @P2 direction, then keys: rows that have arrived leave the list.
delete from {{store}}._sync_withheld
where table_name = @P1 and direction = @P2 and key_hash in ({{keys}})
