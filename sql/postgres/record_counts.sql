-- $1 table, $2 run, $3 the mark of mobile rows: rows by owner, recorded; returns the mobile ones.
with counted as (
    insert into {{store}}._sync_row_counts (table_name, run_id, owner, rows)
    select $1, $2, coalesce({{owner}}, ''), count(*)
    from {{target}} t
    group by 3
    on conflict (table_name, run_id, owner) do update set rows = excluded.rows, counted_at = clock_timestamp()
    returning owner, rows
)
select coalesce(sum(rows) filter (where owner = $3), 0)::bigint from counted
