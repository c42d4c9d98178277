select coalesce(max(version), 0) from {{store}}._sync_migrations
