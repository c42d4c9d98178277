-- Whether the change log has anything of the table since the position: if not, the table need not be read.
-- The bound alone says nothing that the condition does not, but it is one that an index can use.
select exists (
    select from {{store}}._sync_changes c
    where c.table_name = {{label}} and c.xid >= {{watermark}}::xid8 and {{beyond}}
)
