-- $1 table: the log of a database that was restored from a backup. Transactions are counted anew there, so
-- those of the original that are still to come by that count are put before all others, in their order; and
-- what was done before now is not to be told from the log.
with of_original as (
    delete from {{store}}._sync_changes
    where table_name = $1 and xid >= pg_snapshot_xmax(pg_current_snapshot())
    returning *
), put_before as (
    insert into {{store}}._sync_changes (seq, xid, table_name, operation, key, old, new_owner, changed_at)
    overriding system value
    select seq, '3'::xid8, table_name, operation, key, old, new_owner, changed_at from of_original
)
update {{store}}._sync_logged
set installed_at = clock_timestamp(), pruned_below = pg_snapshot_xmin(pg_current_snapshot())
where table_name = $1
