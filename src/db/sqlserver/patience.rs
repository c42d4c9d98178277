//! How long a server may take; a connection on which it takes longer is given up.

use std::time::Duration;

/// TCP, TLS and login together: room for a dead IPv6 address before a living IPv4 one.
pub(super) const LOGIN: Duration = Duration::from_secs(30);
/// An answer, as for PostgreSQL. The system finds a dead server before, but not one that waits for
/// a lock, or a proxy that takes everything and never answers.
pub(super) const ANSWER: Duration = Duration::from_secs(10 * 60);
/// A source may have to sort a whole table before its first row.
pub(super) const FIRST_ROW: Duration = Duration::from_secs(30 * 60);

/// `usual`; tests can't wait for minutes.
pub(super) fn of(usual: Duration) -> Duration {
    fail::fail_point!("patience", |millis: Option<String>| {
        millis.and_then(|m| m.parse().ok()).map_or(usual, Duration::from_millis)
    });
    usual
}
