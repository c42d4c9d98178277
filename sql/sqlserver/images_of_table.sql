-- @P1 table: what this end has made of rows that were written to it.
select i.key_hash, i.sent, i.kept
from {{store}}._sync_images i
where i.table_name = @P1
