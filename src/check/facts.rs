//! What is read of each end: a few whole statements, one document each. The rules turn it into
//! findings and need no database.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::sequences::{self, Sequence};
use crate::db::postgres::statement::text;
use crate::db::postgres::{Connection, Database, Transport};
use crate::error::Result;
use crate::model::{Ownership, TableName};
use crate::source::postgres::Sight;
use crate::sql::Sql;

/// A server, its database and our session.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Server {
    pub(super) version: String,
    pub(super) major: u32,
    pub(super) maintained: bool,
    /// Seconds since 1970.
    pub(super) clock: f64,
    pub(super) database: String,
    pub(super) encoding: String,
    pub(super) role: String,
    pub(super) superuser: bool,
    pub(super) identity: String,
    pub(super) started: String,
    #[serde(flatten)]
    pub(super) sight: Sight,
    pub(super) track_counts: bool,
    pub(super) prepared: u64,
    /// Version and cipher of the server's own leg.
    pub(super) tls: Option<String>,
}

/// How our clock stands to a server's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds that the server is ahead.
    pub(super) ahead: f64,
    /// How far that may be off: half the time that the question took.
    pub(super) tolerance: f64,
}

/// The way to an end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) transport: Transport,
    /// When the server's certificate expires, if that is soon.
    pub(super) expires: Option<SystemTime>,
    /// Whether two connections were given one session: only a pooler does that.
    pub(super) shares_sessions: bool,
}

/// An end that answered.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) database: Database,
    pub(super) connection: Connection,
    pub(super) server: Server,
    pub(super) clock: Clock,
    pub(super) way: Way,
}

/// Connects, and asks for what there is to know without a table.
pub(super) async fn reach(database: Database, sql: &Sql) -> Result<Reached> {
    let connection = database.connection().await?;
    let statement = sql.render("postgres/check_server.sql", &[]);
    let doing = "looking at the server";
    // The first question of a session pays for catalogue caches; the second tells the clocks.
    let _: Server = connection.document(doing, &statement, &[]).await?;
    let before = SystemTime::now();
    let server: Server = connection.document(doing, &statement, &[]).await?;
    let clock = Clock::between(before, SystemTime::now(), server.clock);
    let way = Way {
        transport: database.transport(),
        expires: database.certificate_expires_soon(),
        shares_sessions: shares_sessions(&database, &connection).await?,
    };
    Ok(Reached { database, connection, server, clock, way })
}

impl Clock {
    fn between(before: SystemTime, after: SystemTime, server: f64) -> Self {
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
        };
        let (before, after) = (seconds(before), seconds(after));
        Self { ahead: server - (before + after) / 2.0, tolerance: (after - before).abs() / 2.0 }
    }
}

/// A pooler in transaction mode gives the session that one connection has just used to the next
/// that asks; without one, two open connections never share theirs.
async fn shares_sessions(database: &Database, first: &Connection) -> Result<bool> {
    const ATTEMPTS: usize = 3;
    let second = database.connection().await?;
    for _ in 0..ATTEMPTS {
        let sessions = (session(first).await?, session(&second).await?);
        if sessions.0 == sessions.1 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn session(connection: &Connection) -> Result<i32> {
    connection.value("looking at the session", "select pg_backend_pid()", &[]).await
}

/// What the catalogue says of a table beyond what planning needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Table {
    #[serde(flatten)]
    pub(super) table: TableName,
    /// Whether it is on, for whomever.
    pub(super) row_security: bool,
    pub(super) owned: bool,
    pub(super) deletes: bool,
    pub(super) truncates: bool,
    /// An estimate.
    pub(super) rows: i64,
    /// The columns that some index begins with.
    pub(super) indexed: Vec<String>,
    /// What columns are filled with that are not given, as SQL.
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) collations: Vec<Collation>,
    /// Those that its columns draw from.
    #[serde(skip)]
    pub(super) sequences: Vec<Sequence>,
}

impl Table {
    /// The sequence that its key, or a part of it, is drawn from.
    pub(super) fn sequence_of_key(&self, marks: &Ownership) -> Option<&Sequence> {
        self.sequences.iter().find(|s| s.fills_key(marks))
    }
}

/// The collation of a column.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Collation {
    pub(super) column: String,
    pub(super) name: String,
    pub(super) deterministic: bool,
}

/// What triggers of a table do, as their source tells.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Triggers {
    #[serde(flatten)]
    pub(super) table: TableName,
    pub(super) writes: Vec<TriggerWrites>,
    pub(super) sets: Vec<TriggerSets>,
}

/// A trigger that writes to a table.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TriggerWrites {
    pub(super) trigger: String,
    #[serde(flatten)]
    pub(super) table: TableName,
}

/// A trigger that sets a column of the row that is written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TriggerSets {
    pub(super) trigger: String,
    pub(super) column: String,
}

/// The facts of those of `tables` that exist.
pub(super) async fn tables(
    connection: &Connection,
    sql: &Sql,
    tables: &[TableName],
) -> Result<Vec<Table>> {
    let statement = sql.render("postgres/check_tables.sql", &[]);
    let mut found: Vec<Table> =
        about(connection, "looking at the tables", &statement, tables).await?;
    for sequence in sequences::read(connection, sql, tables).await? {
        let of = found.iter_mut().find(|t| t.table == sequence.table);
        of.into_iter().for_each(|t| t.sequences.push(sequence.clone()));
    }
    Ok(found)
}

/// The triggers of those of `tables` that exist.
pub(super) async fn triggers(
    connection: &Connection,
    sql: &Sql,
    tables: &[TableName],
) -> Result<Vec<Triggers>> {
    let statement = sql.render("postgres/check_triggers.sql", &[]);
    about(connection, "looking at the triggers", &statement, tables).await
}

async fn about<T: for<'d> Deserialize<'d>>(
    connection: &Connection,
    doing: &str,
    statement: &str,
    tables: &[TableName],
) -> Result<Vec<T>> {
    let schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    connection.document(doing, statement, &params).await
}

/// What one scan of a table counts.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Counts {
    pub(super) rows: u64,
    /// Rows with no stamp at all.
    pub(super) unstamped: u64,
    /// Rows that are neither side's.
    pub(super) strangers: u64,
    /// The greatest key below what the cloud's sequence hands out next that no mobile user made.
    pub(super) below: Option<i64>,
    /// The first key from there on that the sequence will come to.
    pub(super) taken: Option<i64>,
}

/// What to count, as expressions over the row `t`.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    pub(super) table: String,
    pub(super) unstamped: String,
    pub(super) owner: String,
    pub(super) key: String,
    /// What the cloud's sequence hands out next, and its step.
    pub(super) sequence: (Option<i64>, i64),
}

/// How long a table is counted, in seconds.
pub(super) const COUNT_SECONDS: &str = "30";

/// Counts in a transaction of its own, whose settings nobody else meets.
pub(super) async fn count(
    database: &Database,
    sql: &Sql,
    counting: &Counting,
    marks: &Ownership,
) -> Result<Counts> {
    let connection = database.connection().await?;
    let slots = [
        ("table", &*counting.table),
        ("unstamped", &*counting.unstamped),
        ("owner", &*counting.owner),
        ("key", &*counting.key),
    ];
    let begin = sql.render("postgres/check_begin.sql", &[("seconds", COUNT_SECONDS)]);
    let statement = sql.render("postgres/check_counts.sql", &slots);
    let doing = "counting rows";
    let counted = async {
        connection.batch(doing, &begin).await?;
        let (next, step) = &counting.sequence;
        let [desktop, mobile] = [&marks.desktop, &marks.mobile].map(text);
        let params = [desktop, mobile, (next as _, Type::INT8), (step as _, Type::INT8)];
        let counts = connection.document(doing, &statement, &params).await?;
        connection.batch(doing, "commit").await?;
        Ok(counts)
    };
    let counted = counted.await;
    if counted.is_err() {
        connection.discard();
    }
    counted
}
