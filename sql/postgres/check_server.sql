-- What there is to know of a server, its database and our session, without any special right.
select json_build_object(
    'version', current_setting('server_version'),
    'major', v.major,
    -- Each major version is maintained for five years, to a November.
    'maintained', clock_timestamp() < make_date(2012 + v.major, 11, 15),
    'clock', extract(epoch from clock_timestamp())::float8,
    'database', current_database(),
    'encoding', getdatabaseencoding(),
    'role', current_user,
    'superuser', (select rolsuper from pg_roles where rolname = current_user),
    -- The name under which positions know a source; with its start it is one server for sure.
    'identity', (select system_identifier::text from pg_control_system()) || '/' || current_database(),
    'started', pg_postmaster_start_time()::text,
    'standby', pg_is_in_recovery(),
    'track_counts', current_setting('track_counts')::boolean,
    'tracks', current_setting('track_activities')::boolean,
    'sees_others', pg_has_role('pg_read_all_stats', 'usage'),
    'prepared', (select count(*) from pg_prepared_xacts where database = current_database()),
    'tls', (
        select s.version || ', ' || s.cipher from pg_stat_ssl s where s.pid = pg_backend_pid() and s.ssl
    )
)::text
from (select current_setting('server_version_num')::integer / 10000 as major) v
