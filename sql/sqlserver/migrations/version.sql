select coalesce(max(version), 0) as version from {{store}}._sync_migrations
