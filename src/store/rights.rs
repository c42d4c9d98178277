//! What runs need to be allowed to do with tidegate's own tables; `migrate` needs to own them.

/// A table, and the rights that runs need on it.
pub type TableRights = (&'static str, &'static [&'static str]);

/// Where rows are written.
pub const RIGHTS: &[TableRights] = &[
    ("_sync_migrations", &["select"]),
    ("_sync_metadata", &["select", "insert", "update"]),
    ("_sync_runs", &["select", "insert", "update"]),
    ("_sync_row_counts", &["select", "insert", "update"]),
    ("_sync_withheld", &["select", "insert", "update", "delete"]),
    ("_sync_changes", &["select"]),
    ("_sync_logged", &["select"]),
    ("_sync_images", &["select", "insert", "update"]),
    ("_sync_trash", &["select", "insert"]),
];

/// Where rows are only read: what came from the other end, and how far.
pub const READING_RIGHTS: &[TableRights] = &[
    ("_sync_migrations", &["select"]),
    ("_sync_metadata", &["select"]),
    ("_sync_withheld", &["select"]),
    ("_sync_logged", &["select"]),
    ("_sync_images", &["select"]),
];

/// Where there is a change log, beside: to note in it what is written over, and what is to be read again.
pub const LOG_RIGHTS: &[TableRights] = &[("_sync_changes", &["insert"])];

/// Where a SQL Server desktop keeps one, beside: to read it, and to forget what of it has arrived.
pub const DESKTOP_LOG_RIGHTS: &[TableRights] =
    &[("_sync_changes", &["select", "delete"]), ("_sync_logged", &["select", "update"])];

/// Where it is read, beside: to forget what of it was carried.
pub const PRUNING_RIGHTS: &[TableRights] =
    &[("_sync_changes", &["delete"]), ("_sync_logged", &["update"])];
