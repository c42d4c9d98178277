-- Since when there are entries, by table.
select l.table_name, l.since from {{store}}._sync_logged l where l.since is not null
