-- $1 table, $2 the transaction that everybody has read up to, $3 how many entries are looked at. Whole
-- transactions go, the oldest first; a deletion that is the last thing known of its row stays for ever. What
-- stays of a row must not be older than what goes, or it would be the last again.
with logged as materialized (
    select l.pruned_below from {{store}}._sync_logged l where l.table_name = $1 for update skip locked
),
-- What the latest counts had not seen explains what the next ones find.
counted as (
    select pg_snapshot_xmin(c.snapshot) as xid
    from {{store}}._sync_row_counts c
    where c.table_name = $1 and c.snapshot is not null and c.run_id = (
        select d.run_id from {{store}}._sync_row_counts d
        where d.table_name = $1 and d.snapshot is not null
        order by d.counted_at desc limit 1
    )
),
bound as (
    select x.xid
    from (values ($2::xid8) union all table counted) x (xid)
    order by x.xid limit 1
),
looked_at as materialized (
    select e.seq, e.xid, e.changed_at
    from logged l
    cross join bound b
    cross join lateral (
        select c.seq, c.xid, c.changed_at from {{store}}._sync_changes c
        where c.table_name = $1 and c.xid >= l.pruned_below and c.xid < b.xid
        order by c.xid, c.seq
        limit $3 + 1
    ) e
),
-- Exclusive. One transaction of more entries than are looked at goes as a whole.
ends as (
    select x.xid
    from (
        select b.xid from bound b
        union all
        (select e.xid from looked_at e where e.changed_at > clock_timestamp() - interval '7 days'
         order by e.xid limit 1)
        union all
        (select coalesce(nullif(e.xid, f.xid), (
            select c.xid from {{store}}._sync_changes c
            where c.table_name = $1 and c.xid > e.xid order by c.xid limit 1))
         from (select e.xid from looked_at e order by e.xid, e.seq offset $3 limit 1) e
         cross join (select e.xid from looked_at e order by e.xid limit 1) f)
    ) x
    where x.xid is not null
    order by x.xid limit 1
),
aged as materialized (
    select c.seq, c.key, c.operation,
        c.operation = 'delete' and not exists (
            select from {{store}}._sync_changes n
            where n.table_name = $1 and jsonb_hash_extended(n.key, 0) = jsonb_hash_extended(c.key, 0)
                and n.key = c.key and n.seq > c.seq and n.operation <> 'queued'
        ) as is_last
    from logged l
    cross join ends b
    join {{store}}._sync_changes c on c.table_name = $1 and c.xid >= l.pruned_below and c.xid < b.xid
),
gone as (
    delete from {{store}}._sync_changes c
    using aged a
    where not a.is_last and c.table_name = $1 and c.key = a.key
        and jsonb_hash_extended(c.key, 0) = jsonb_hash_extended(a.key, 0)
        and (c.seq = a.seq or c.seq < a.seq and a.operation <> 'queued')
    returning 1
),
moved as (
    update {{store}}._sync_logged l set pruned_below = e.xid
    from ends e cross join logged o
    where l.table_name = $1 and e.xid > o.pruned_below
)
select count(*) from gone
