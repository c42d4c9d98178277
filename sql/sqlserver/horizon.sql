-- The clock, whether the database allows snapshots, and its identity: read before the snapshot.
select sysutcdatetime() as clock, d.snapshot_isolation_state, d.name,
    -- Not every server has the one.
    coalesce(cast(d.service_broker_guid as varchar(36)), convert(varchar(30), d.create_date, 126)) as guid
from sys.databases d
where d.database_id = db_id();
