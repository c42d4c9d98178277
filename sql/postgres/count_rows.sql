-- $1 table, $2 the mark of mobile rows. One statement, so that rows and change log are of one snapshot.
select json_build_object(
    'at', clock_timestamp(),
    'owners', coalesce((
        select json_object_agg(c.owner, c.rows)
        from (select coalesce({{owner}}, '') as owner, count(*) as rows from {{target}} t group by 1) c
    ), '{}'),
    'snapshot', (select pg_current_snapshot()::text from {{store}}._sync_logged where table_name = $1),
    'logged', ({{log_since}})
)::text
