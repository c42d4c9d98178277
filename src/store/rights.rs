//! What runs need to be allowed to do with tidegate's own tables; `migrate` needs to own them.

/// A table, and the rights that runs need on it.
pub type TableRights = (&'static str, &'static [&'static str]);

/// The rights of runs.
pub const RIGHTS: &[TableRights] = &[
    ("_sync_migrations", &["select"]),
    ("_sync_metadata", &["select", "insert", "update"]),
    ("_sync_runs", &["select", "insert", "update"]),
    ("_sync_row_counts", &["select", "insert", "update"]),
    ("_sync_withheld", &["select", "insert", "update", "delete"]),
    ("_sync_changes", &["select", "insert", "delete"]),
    ("_sync_logged", &["select", "update"]),
    ("_sync_images", &["select", "insert", "update", "delete"]),
    ("_sync_trash", &["select", "insert"]),
];
