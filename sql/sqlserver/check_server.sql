-- What there is to know of a server, its database and our session, without any special right.
select cast(serverproperty('ProductVersion') as nvarchar(128)) as version,
    cast(serverproperty('Edition') as nvarchar(128)) as edition,
    cast(serverproperty('EngineEdition') as int) as engine,
    sysutcdatetime() as clock,
    -- How far the server's own clock is ahead of UTC now, in minutes.
    datepart(tzoffset, sysdatetimeoffset()) as ahead_of_utc,
    db_name() as database_name,
    user_name() as role_name,
    -- Rights on the server are given to it, those on the database to its user.
    suser_sname() as login_name,
    coalesce(is_srvrolemember('sysadmin'), 0) as is_sysadmin,
    coalesce(is_member('db_owner'), 0) as is_owner,
    d.snapshot_isolation_state,
    d.is_read_only
from sys.databases d
where d.database_id = db_id();
