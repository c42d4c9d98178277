-- @P1 table, then the digests of rows by their keys: what triggers made of rows, so that it is not taken for an
-- edit.
insert into {{store}}._sync_images (table_name, [key], key_hash, sent, kept)
select @P1, n.[key], n.key_hash, n.sent, n.kept
from (values {{images}}) as n ([key], key_hash, sent, kept)
where not exists (
    select 1 from {{store}}._sync_images i where i.table_name = @P1 and i.key_hash = n.key_hash
)
