-- @P1 table, then the digests of rows by their keys: what triggers made of rows that they had changed before.
update i
set sent = n.sent, kept = n.kept
from {{store}}._sync_images i
join (values {{images}}) as n ([key], key_hash, sent, kept) on n.key_hash = i.key_hash
where i.table_name = @P1
