//! What is read of a PostgreSQL: one document a statement.

use std::time::SystemTime;

use serde::Deserialize;
use tokio_postgres::types::Type;

use super::{COUNT_SECONDS, Clock, Counts, Role, Table, Triggers};
use crate::db::postgres::sequences::{self, INTEGERS, Sequence};
use crate::db::postgres::statement::text;
use crate::db::postgres::{Connection, Database, Transport};
use crate::error::{End, Result};
use crate::model::plan::{ColumnPlan, Origin};
use crate::model::{Ownership, TableName, TablePlan};
use crate::source::postgres::Sight;
use crate::sql::{Sql, column, table};

/// A server, its database and our session.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::check) struct Server {
    pub(in crate::check) version: String,
    pub(in crate::check) major: u32,
    pub(in crate::check) maintained: bool,
    /// Seconds since 1970.
    pub(in crate::check) clock: f64,
    pub(in crate::check) database: String,
    pub(in crate::check) encoding: String,
    pub(in crate::check) role: String,
    pub(in crate::check) superuser: bool,
    pub(in crate::check) identity: String,
    pub(in crate::check) started: String,
    #[serde(flatten)]
    pub(in crate::check) sight: Sight,
    pub(in crate::check) track_counts: bool,
    pub(in crate::check) prepared: u64,
    /// Version and cipher of the server's own leg.
    pub(in crate::check) tls: Option<String>,
}

/// The way to an end.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Way {
    pub(in crate::check) transport: Transport,
    /// When the server's certificate expires, if that is soon.
    pub(in crate::check) expires: Option<SystemTime>,
    /// Whether two connections were given one session: only a pooler does that.
    pub(in crate::check) shares_sessions: bool,
}

/// An end that answered.
#[derive(Debug)]
pub(in crate::check) struct Reached {
    pub(in crate::check) database: Database,
    pub(in crate::check) connection: Connection,
    pub(in crate::check) server: Server,
    pub(in crate::check) clock: Clock,
    pub(in crate::check) way: Way,
}

/// Connects, and asks for what there is to know without a table.
pub(in crate::check) async fn reach(database: Database, sql: &Sql) -> Result<Reached> {
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

impl Reached {
    /// The role that we are.
    pub(in crate::check) fn role(&self) -> Role<'_> {
        let power = self.server.superuser.then_some("a superuser");
        Role { power, ..Role::named(&self.server.role) }
    }

    /// The facts of those of `tables` that exist.
    pub(in crate::check) async fn tables(
        &self,
        sql: &Sql,
        tables: &[TableName],
    ) -> Result<Vec<Table>> {
        let statement = sql.render("postgres/check_tables.sql", &[]);
        let mut found: Vec<Table> =
            about(&self.connection, "looking at the tables", &statement, tables).await?;
        for sequence in sequences::read(&self.connection, sql, tables).await? {
            let of = found.iter_mut().find(|t| t.table == sequence.table);
            of.into_iter().for_each(|t| t.sequences.push(sequence.clone()));
        }
        Ok(found)
    }

    /// The triggers of those of `tables` that exist.
    pub(in crate::check) async fn triggers(
        &self,
        sql: &Sql,
        tables: &[TableName],
    ) -> Result<Vec<Triggers>> {
        let statement = sql.render("postgres/check_triggers.sql", &[]);
        about(&self.connection, "looking at the triggers", &statement, tables).await
    }

    /// Scans the table of `plan`, beside what the cloud's sequence hands out for its key.
    pub(in crate::check) async fn count(
        &self,
        sql: &Sql,
        plan: &TablePlan,
        sequence: Option<&Sequence>,
        marks: &Ownership,
    ) -> Result<Counts> {
        let counting = match self.database.end() {
            End::Desktop => at_source(plan, sequence),
            End::Cloud => at_target(plan, sequence),
        };
        count(&self.database, sql, &counting, marks).await
    }
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

/// What to count, as expressions over the row `t`.
#[derive(Debug, Clone)]
struct Counting {
    table: String,
    unstamped: String,
    owner: String,
    key: String,
    /// What the cloud's sequence hands out next, and its step.
    sequence: (Option<i64>, i64),
}

/// Counts in a transaction of its own, whose settings nobody else meets.
async fn count(
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

/// What to count on the desktop. Where it has no ownership column, every row is its own.
fn at_source(plan: &TablePlan, sequence: Option<&Sequence>) -> Counting {
    let is_null = |name: &str| format!("{} is null", column("t", name));
    let stamps: Vec<String> = plan.stamps.source.iter().map(|s| is_null(&s.name)).collect();
    let owner = plan.owner_column().source_name();
    Counting {
        table: table(&plan.source),
        unstamped: stamps.join(" and "),
        owner: owner.map_or("$1".to_owned(), |name| format!("{}::text", column("t", name))),
        key: key(plan, sequence, integer_at_source),
        sequence: numbers(sequence),
    }
}

/// What to count in the cloud.
fn at_target(plan: &TablePlan, sequence: Option<&Sequence>) -> Counting {
    Counting {
        table: table(&plan.target),
        unstamped: "false".to_owned(),
        owner: format!("{}::text", column("t", &plan.owner_column().target)),
        key: key(plan, sequence, |c| Some(c.target.clone())),
        sequence: numbers(sequence),
    }
}

/// The column of the key that the cloud's sequence fills, where it is an integer.
fn key(
    plan: &TablePlan,
    sequence: Option<&Sequence>,
    name: impl FnOnce(&ColumnPlan) -> Option<String>,
) -> String {
    let filled = sequence.and_then(|s| plan.key_columns().find(|c| c.target == s.column));
    filled.and_then(name).map_or("null::bigint".to_owned(), |name| column("t", &name))
}

fn integer_at_source(column: &ColumnPlan) -> Option<String> {
    match &column.origin {
        Origin::Column { name, type_name } if INTEGERS.contains(&type_name.as_str()) => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// What the sequence hands out next, and its step.
fn numbers(sequence: Option<&Sequence>) -> (Option<i64>, i64) {
    sequence.map_or((None, 1), |s| (s.next, s.step))
}
