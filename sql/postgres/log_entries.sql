-- What the change log says of each row that users changed, or that was queued, since a position: the place
-- of its first entry, so that a run which stops in the middle leaves no row whose entries it has passed in
-- part; when the last user changed it and which stamp it had before that, and what it was before.
-- What tidegate has written over is settled. A part of read_log.sql and its neighbours.
select c.key,
    (array_agg(c.xid order by c.xid, c.seq))[1] as xid,
    (array_agg(c.seq order by c.xid, c.seq))[1] as seq,
    bool_or(c.operation not in ('marked', 'queued')) as edited,
    (array_agg(c.changed_at order by c.seq desc) filter (where c.operation not in ('marked', 'queued')))[1] as changed_at,
    (array_agg({{stamp_before}} order by c.seq desc) filter (where c.operation not in ('marked', 'queued')))[1] as stamp_before,
    {{bases}} as bases
from (
    select c.*, max(c.seq) filter (where c.operation = 'overwritten') over (partition by c.key) as settled
    from {{store}}._sync_changes c
    {{asked_for}}
    where c.table_name = {{label}} and {{beyond}}
) c
left join lateral {{store}}._sync_row_of(null::{{source}}, c.old) b on c.old is not null
{{counterpart}}
where c.operation <> 'overwritten' and c.seq > coalesce(c.settled, 0)
group by c.key
