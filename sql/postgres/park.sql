-- Rows whose unique value another row of the batch gets are parked at a free one, because
-- the index is checked row by row.
with parked as (
    update {{target}} t
    set {{column}} = {{free}}
    from (
        select s.*, row_number() over () as _tidegate_number
        from pg_temp.tidegate_stage s
        join pg_temp.tidegate_verdict v on s.ctid = v.place
        where v.verdict = 'update'
    ) s
    where {{same_row}} and {{held_owner}} = {{staged_owner}} and row({{held}}) is distinct from row({{staged}})
        and exists (
            select from pg_temp.tidegate_stage o
            join pg_temp.tidegate_verdict v on o.ctid = v.place
            where v.verdict in ('insert', 'update') and {{other_wants}} and not ({{other_is_row}})
        )
    returning t.tableoid as parked_in
)
select p.parked_in::bigint as oid, count(*) as rows from parked p group by p.parked_in
