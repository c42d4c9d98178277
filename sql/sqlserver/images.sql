-- @P1 table, then keys: what triggers of this end have made of rows.
select i.[key], i.sent, i.kept
from {{store}}._sync_images i
where i.table_name = @P1 and i.key_hash in ({{keys}})
