//! Which entries of a change log a position has not reached.

/// That the entry `entry` lies beyond a position, whose parts are the expressions `watermark`, a
/// text, and `after`, JSON text; both may be null: then every entry does.
///
/// A transaction that the snapshot saw which was read last has been read, though it lies above the
/// watermark; and entries of one transaction are read in their order.
pub fn beyond(entry: &str, watermark: &str, after: &str) -> String {
    format!(
        "(coalesce({entry}.xid >= {watermark}::xid8, true) \
         and coalesce(({entry}.xid, {entry}.seq) > ({watermark}::xid8, ({after}::json ->> 'seq')::bigint), true) \
         and not coalesce(pg_visible_in_snapshot({entry}.xid, ({after}::json ->> 'seen')::pg_snapshot), false))"
    )
}
