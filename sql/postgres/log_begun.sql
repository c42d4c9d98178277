-- $1 labels: those of tables whose log has begun.
select table_name from {{store}}._sync_logged where table_name = any ($1::text[])
