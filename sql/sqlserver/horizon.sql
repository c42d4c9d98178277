-- The clock, whether the database allows snapshots, its identity, and whether it is a copy of another one: read
-- before the snapshot.
select sysutcdatetime() as clock, d.snapshot_isolation_state, d.name,
    -- Not every server has the one.
    coalesce(cast(d.service_broker_guid as nvarchar(36)), convert(nvarchar(30), d.create_date, 126)) as guid,
    case when d.source_database_id is not null then N'snapshot'
        when d.is_in_standby = 1 then N'standby'
        -- What an administrator has set to be read only has no other that feeds it.
        when d.is_read_only = 0 and cast(databasepropertyex(d.name, N'Updateability') as nvarchar(60)) = N'READ_ONLY'
            then N'secondary'
    end as copy
from sys.databases d
where d.database_id = db_id();
