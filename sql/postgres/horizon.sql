-- $1 lags in seconds: the horizon for each. Read before the snapshot, in a transaction of its own. A
-- transaction that is open now may still commit rows that it stamped at its start; only our own
-- readers never write.
select json_build_object(
    'horizons', coalesce((
        -- Not a cast: that would follow the session's DateStyle.
        select json_agg(to_char(least(
            clock_timestamp() - make_interval(secs => l.lag),
            o.oldest
        ) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' order by l.place)
        from unnest($1::float8[]) with ordinality as l (lag, place)
    ), '[]'),
    'clock', extract(epoch from clock_timestamp()),
    'prepared', exists (select from pg_prepared_xacts where database = current_database()),
    'sees_others', pg_has_role('pg_read_all_stats', 'usage'),
    'tracks', current_setting('track_activities')::boolean,
    'standby', pg_is_in_recovery(),
    'identity', (select system_identifier::text from pg_control_system()) || '/' || current_database()
)::text
from (
    select min(a.xact_start) as oldest from pg_stat_activity a
    where a.datname = current_database() and a.pid <> pg_backend_pid()
        and a.backend_type <> 'autovacuum worker'
        and not (a.application_name = 'tidegate snapshot' and a.usename = current_user)
) as o
