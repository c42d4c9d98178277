-- What the cloud's change log says of a staged row: whether the desktop has not got a mobile user's change
-- of it yet, whether what is staged is what the row was before such a change, when the last of them was made
-- and which stamp the row had before that, and whether a mobile user has deleted a row of the writer's. Where
-- the log knows nothing of the table, nothing is looked up. A part of classify.sql and its neighbours.
left join lateral (
    select bool_or(c.pending) as pending,
        -- What the desktop had before all of it; where the last reverse run stopped on the way, it may have
        -- got some of it.
        case when $4::json ->> 'seq' is null
            then (array_agg({{was_staged}} order by c.seq) filter (where c.pending and c.old is not null))[1]
            else bool_or(c.pending and ({{was_staged}}))
        end as was_staged,
        (array_agg(c.changed_at order by c.seq desc) filter (where c.pending))[1] as changed_at,
        (array_agg({{stamp_before}} order by c.seq desc) filter (where c.pending))[1] as stamp_before,
        (array_agg(c.operation = 'delete' and {{old_owner}} = $1 order by c.seq desc))[1] as deleted,
        (select g.installed_at from {{store}}._sync_logged g where g.table_name = {{label}}) as installed_at
    from (
        select c.*, {{beyond}} as pending,
            max(c.seq) filter (where c.operation = 'overwritten') over () as settled
        from {{store}}._sync_changes c
        where (select exists (select from {{store}}._sync_changes x where x.table_name = {{label}}))
            and c.table_name = {{label}} and {{is_row}} and c.operation not in ('marked', 'queued')
    ) c
    left join lateral {{store}}._sync_row_of(null::{{target}}, c.old) b on c.old is not null
    where c.seq > coalesce(c.settled, 0)
) l on true
