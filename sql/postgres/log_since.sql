-- What the change log says of a table's mobile rows since they were last counted. A part of
-- count_rows.sql and books.sql, with their values: $1 table, $2 the mark of mobile rows.
with last as (
    select l.snapshot, (
        select coalesce(sum(n.rows) filter (where n.owner = $2), 0)::bigint
        from {{store}}._sync_row_counts n
        where n.table_name = $1 and n.run_id = l.run_id
    ) as rows
    from (
        select n.run_id, n.snapshot
        from {{store}}._sync_row_counts n
        where n.table_name = $1
        order by n.counted_at desc
        limit 1
    ) l
    -- No gap since then, and no snapshot of another server.
    join {{store}}._sync_logged g on g.table_name = $1 and g.pruned_below <= pg_snapshot_xmin(l.snapshot)
    where pg_snapshot_xmax(l.snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
), entry as (
    select e.operation,
        {{was}} is not distinct from $2 as was_mobile,
        {{is}} is not distinct from $2 as is_mobile
    from {{store}}._sync_changes e
    where e.table_name = $1
        and e.xid >= (select pg_snapshot_xmin(snapshot) from last)
        -- True of all that can be seen: between two bounds the planner expects few.
        and e.xid < pg_snapshot_xmax(pg_current_snapshot())
        and not pg_visible_in_snapshot(e.xid, (select snapshot from last))
)
select json_build_object(
    'before', last.rows,
    'made', e.made,
    'deleted', e.deleted,
    'gained', e.gained,
    'ceded', e.ceded
)
from last, (
    select count(*) filter (where operation = 'insert' and is_mobile) as made,
        count(*) filter (where operation = 'delete' and was_mobile) as deleted,
        count(*) filter (where operation in ('update', 'marked') and is_mobile and not was_mobile) as gained,
        count(*) filter (where operation in ('update', 'marked') and was_mobile and not is_mobile) as ceded
    from entry
) e
