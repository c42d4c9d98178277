//! What is read of a SQL Server: its catalogue's views, and one scan of each table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tiberius::Row;
use tokio::time::timeout;

use super::{COUNT_SECONDS, Clock, Counts, Role, Table, Triggers, source};
use crate::check::grants::Grant;
use crate::config::Config;
use crate::db::postgres::sequences::{INTEGERS, Sequence};
use crate::db::sqlserver::sets::{any, get};
use crate::db::sqlserver::statement::Param;
use crate::db::sqlserver::{Database, Session, Transport};
use crate::error::{Error, Kind, Result};
use crate::model::plan::Origin;
use crate::model::{Capture, Ownership, TableName, TablePlan};
use crate::source::sqlserver::{SqlServerSource, clock, lowest_version, original, unix_seconds};
use crate::sql::{Sql, list, tsql};

/// So many rights are asked for at once: the server takes 2,100 parameters.
const QUESTIONS_MAX: usize = 500;

/// A server, its database and our session.
#[derive(Debug, Clone)]
pub(in crate::check) struct Server {
    /// `15.0.2000.5`
    pub(in crate::check) version: String,
    pub(in crate::check) edition: String,
    /// Which engine: 5 and above are Azure's.
    pub(in crate::check) engine: i32,
    /// Ticks since the year 1, UTC.
    pub(in crate::check) now: i64,
    /// How far the server's clock is ahead of UTC, in minutes.
    pub(in crate::check) ahead_of_utc: i32,
    pub(in crate::check) database: String,
    pub(in crate::check) role: String,
    pub(in crate::check) login: String,
    pub(in crate::check) is_sysadmin: bool,
    pub(in crate::check) is_owner: bool,
    /// Whether a transaction may read one moment of the database.
    pub(in crate::check) has_snapshots: bool,
    pub(in crate::check) is_read_only: bool,
    pub(in crate::check) identity: String,
    /// Why nothing can be read, if the database is a copy of another.
    pub(in crate::check) no_original: Option<Arc<Error>>,
    /// Why tables can't be read by the versions of their rows, if any is to be.
    pub(in crate::check) no_versions: Option<Arc<Error>>,
}

/// A desktop that answered.
#[derive(Debug)]
pub(in crate::check) struct Reached {
    pub(in crate::check) database: Arc<Database>,
    pub(in crate::check) session: Session,
    pub(in crate::check) server: Server,
    pub(in crate::check) clock: Clock,
    pub(in crate::check) transport: Transport,
}

/// Connects, and asks for what there is to know without a table.
pub(in crate::check) async fn reach(
    database: Database,
    config: &Config,
    sql: &Sql,
) -> Result<Reached> {
    let database = Arc::new(database);
    let session = Session::new(database.connection().await?);
    let identity = SqlServerSource::new(Arc::clone(&database), sql).identity().await?;
    let reads_versions = config.tables.iter().any(|t| t.capture.positions() == Capture::Rowversion);
    let no_versions = match reads_versions {
        true => lowest_version(&mut *session.lock().await, sql).await.err().map(Arc::new),
        false => None,
    };
    let no_original = original(&mut *session.lock().await, sql).await.err().map(Arc::new);
    let statement = sql.render("sqlserver/check_server.sql", &[]);
    let doing = "looking at the server";
    // The first time costs the server a plan; the second tells the clocks.
    session.rows(doing, &statement, &[]).await?;
    let before = SystemTime::now();
    let rows = session.rows(doing, &statement, &[]).await?;
    let after = SystemTime::now();
    let row = rows.first().ok_or_else(|| Error::new(Kind::Other, format!("{doing}: no row")))?;
    let now = clock(row)?;
    let text = |name| Ok::<_, Error>(any::<&str>(row, name)?.unwrap_or_default().to_owned());
    let is = |name| Ok::<_, Error>(get::<i32>(row, name)? == 1);
    let server = Server {
        version: text("version")?,
        edition: text("edition")?,
        engine: get(row, "engine")?,
        now,
        ahead_of_utc: get(row, "ahead_of_utc")?,
        database: text("database_name")?,
        role: text("role_name")?,
        login: text("login_name")?,
        is_sysadmin: is("is_sysadmin")?,
        is_owner: is("is_owner")?,
        has_snapshots: get::<u8>(row, "snapshot_isolation_state")? == 1,
        is_read_only: get(row, "is_read_only")?,
        identity,
        no_original,
        no_versions,
    };
    let transport = database.transport();
    let clock = Clock::between(before, after, unix_seconds(now));
    Ok(Reached { database, session, server, clock, transport })
}

impl Reached {
    /// The role that we are.
    pub(in crate::check) fn role(&self) -> Role<'_> {
        let power = match (self.server.is_sysadmin, self.server.is_owner) {
            (true, _) => Some("a sysadmin of the server"),
            (false, true) => Some("an owner of the database"),
            (false, false) => None,
        };
        Role { name: &self.server.role, login: &self.server.login, power }
    }

    /// The facts of those of `tables` that exist.
    pub(in crate::check) async fn tables(
        &self,
        sql: &Sql,
        tables: &[TableName],
    ) -> Result<Vec<Table>> {
        let doing = "looking at the tables";
        let results = self.about(doing, "sqlserver/check_tables.sql", sql, tables).await?;
        let mut sets = results.into_iter();
        let mut next = || sets.next().unwrap_or_default();
        let (found, indexed, defaults, identities) = (next(), next(), next(), next());
        let indexed = by_table(&indexed, |row| Ok(get::<&str>(row, "name")?.to_owned()))?;
        let defaults = by_table(&defaults, |row| {
            let value = bare_value(get(row, "definition")?).to_owned();
            Ok((get::<&str>(row, "name")?.to_owned(), value))
        })?;
        let identities = by_table(&identities, |row| identity(row, tables, &self.server.role))?;
        let table = |row: &Row| {
            let number: i32 = get(row, "number")?;
            let name = named(tables, number)?;
            Ok(Table {
                table: name.clone(),
                row_security: false,
                owned: get::<i32>(row, "owned")? == 1,
                deletes: get::<i32>(row, "deletes")? == 1,
                truncates: false,
                rows: get(row, "rows")?,
                indexed: indexed.get(&number).cloned().unwrap_or_default(),
                defaults: defaults.get(&number).into_iter().flatten().cloned().collect(),
                collations: Vec::new(),
                sequences: identities.get(&number).cloned().unwrap_or_default(),
                is_history: get::<u8>(row, "temporal_type")? == 1,
            })
        };
        found.iter().map(table).collect()
    }

    /// The triggers of those of `tables` that have some, and what they write of these tables.
    pub(in crate::check) async fn triggers(
        &self,
        sql: &Sql,
        tables: &[TableName],
    ) -> Result<Vec<Triggers>> {
        let doing = "looking at the triggers";
        let results = self.about(doing, "sqlserver/check_triggers.sql", sql, tables).await?;
        let found = results.first().map_or(&[][..], Vec::as_slice);
        let mut by_table = BTreeMap::<i32, Triggers>::new();
        for row in found {
            let number = get(row, "number")?;
            let table = named(tables, number)?;
            let (trigger, text): (&str, &str) = (get(row, "name")?, get(row, "definition")?);
            let of = by_table.entry(number).or_insert_with(|| Triggers::none(table));
            of.add(trigger, source::written(text, table, tables));
        }
        Ok(by_table.into_values().collect())
    }

    /// Which of the rights that `grants` ask for the role has, one after the other; none where the
    /// object does not exist.
    pub(in crate::check) async fn held(
        &self,
        sql: &Sql,
        grants: &[Grant],
    ) -> Result<Vec<Option<bool>>> {
        let questions: Vec<Question> =
            grants.iter().flat_map(Grant::asked).map(Question::of).collect();
        let mut held = Vec::new();
        for some in questions.chunks(QUESTIONS_MAX) {
            let params: Vec<Param<'_>> = some.iter().flat_map(Question::params).collect();
            let row = |i: usize| {
                let at = 4 * i;
                format!("({i}, @P{}, @P{}, @P{}, @P{})", at + 1, at + 2, at + 3, at + 4)
            };
            let wanted = list((0..some.len()).map(row), ", ");
            let statement = sql.render("sqlserver/check_rights.sql", &[("wanted", &wanted)]);
            let rows = self.session.rows("looking at the rights", &statement, &params).await?;
            for row in &rows {
                held.push(any::<i32>(row, "held")?.map(|held| held == 1));
            }
        }
        Ok(held)
    }

    /// Scans the source of `plan`, beside what the cloud's sequence hands out for its key.
    pub(in crate::check) async fn count(
        &self,
        sql: &Sql,
        plan: &TablePlan,
        sequence: Option<&Sequence>,
        marks: &Ownership,
    ) -> Result<Counts> {
        let owner = match plan.owner_column().source_name() {
            Some(name) => exact(&tsql::column("t", name)),
            None => "@P1".to_owned(),
        };
        let slots = [
            ("table", &*tsql::table(&plan.source)),
            ("unstamped", &*unstamped(plan)),
            ("owner", &*owner),
            ("key", &*key(plan, sequence)),
        ];
        let statement = sql.render("sqlserver/check_counts.sql", &slots);
        let (next, step) = (sequence.and_then(|s| s.next), sequence.map_or(1, |s| s.step));
        let params: [Param<'_>; 4] = [&marks.desktop, &marks.mobile, &next, &step];
        let begin = match self.server.has_snapshots {
            true => sql.render("sqlserver/snapshot.sql", &[]),
            false => sql.render("sqlserver/committed.sql", &[]),
        };
        let mut connection = self.database.connection().await?;
        let counted = async {
            connection.begin_with("counting rows", &begin).await?;
            connection.rows("counting rows", &statement, &params).await
        };
        let seconds = Duration::from_secs(COUNT_SECONDS.parse().unwrap_or(30));
        let answer = timeout(seconds, counted).await;
        // Whatever still runs there ends with it, and so does its isolation.
        connection.discard();
        let rows = answer.map_err(|_| Error::new(Kind::Slow, "no answer in time"))??;
        let row = rows.first().ok_or_else(|| Error::new(Kind::Other, "counting rows: no row"))?;
        let number = |name| Ok::<_, Error>(get::<i64>(row, name)?.unsigned_abs());
        Ok(Counts {
            rows: number("rows")?,
            unstamped: number("unstamped")?,
            strangers: number("strangers")?,
            below: any(row, "below")?,
            taken: any(row, "taken_above")?.or(any(row, "taken_below")?),
        })
    }

    async fn about(
        &self,
        doing: &str,
        name: &'static str,
        sql: &Sql,
        tables: &[TableName],
    ) -> Result<Vec<Vec<Row>>> {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let quoted: Vec<String> = tables.iter().map(tsql::table).collect();
        let params: Vec<Param<'_>> = quoted.iter().map(|name| name as Param<'_>).collect();
        let wanted = list((0..tables.len()).map(|i| format!("({i}, @P{})", i + 1)), ", ");
        let statement = sql.render(name, &[("wanted", &wanted)]);
        self.session.result_sets(doing, &statement, &params).await
    }
}

/// What is asked of `has_perms_by_name`; the server as a whole has no name.
struct Question {
    securable: Option<String>,
    class: Option<&'static str>,
    privilege: String,
    column: Option<String>,
}

impl Question {
    fn of([kind, schema, name, column, privilege]: [&str; 5]) -> Self {
        let (securable, class) = match kind {
            "server" => (None, None),
            "database" => (Some(tsql::ident(name)), Some("DATABASE")),
            "schema" => (Some(tsql::ident(schema)), Some("SCHEMA")),
            _ => (Some(tsql::table(&TableName::new(schema, name))), Some("OBJECT")),
        };
        let column = (kind == "column").then(|| column.to_owned());
        Self { securable, class, privilege: privilege.to_uppercase(), column }
    }

    fn params(&self) -> [Param<'_>; 4] {
        [&self.securable, &self.class, &self.privilege, &self.column]
    }
}

fn named(tables: &[TableName], number: i32) -> Result<&TableName> {
    let place = usize::try_from(number).ok();
    place.and_then(|place| tables.get(place)).ok_or_else(|| {
        Error::new(Kind::Other, "the desktop speaks of a table that was not asked for")
    })
}

fn by_table<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<BTreeMap<i32, Vec<T>>> {
    let mut found = BTreeMap::<i32, Vec<T>>::new();
    for row in rows {
        found.entry(get(row, "number")?).or_default().push(read(row)?);
    }
    Ok(found)
}

/// An identity column as the sequence that it draws from.
fn identity(row: &Row, tables: &[TableName], role: &str) -> Result<Sequence> {
    let table = named(tables, get(row, "number")?)?.clone();
    let (column, value): (&str, Option<i64>) = (get(row, "name")?, any(row, "value")?);
    let step: i64 = any(row, "step")?.unwrap_or(1);
    let (column_type, last) = match get(row, "type_name")? {
        "tinyint" => ("smallint", u8::MAX.into()),
        "smallint" => ("smallint", i16::MAX.into()),
        "int" => ("integer", i32::MAX.into()),
        _ => ("bigint", i64::MAX),
    };
    let is_called = get::<i32>(row, "is_called")? == 1;
    Ok(Sequence {
        sequence: table.clone(),
        table,
        column: column.to_owned(),
        column_type: column_type.to_owned(),
        key: vec![column.to_owned()],
        step,
        by_default: false,
        last,
        readable: true,
        movable: false,
        owned: false,
        role: role.to_owned(),
        next: value.map(|value| if is_called { value.saturating_add(step) } else { value }),
    })
}

/// A default without what the catalogue puts around it: `(N'M')` is `'M'`.
fn bare_value(definition: &str) -> &str {
    let mut value = definition.trim();
    while let Some(inner) = value.strip_prefix('(').and_then(|v| v.strip_suffix(')')) {
        value = inner.trim();
    }
    value.strip_prefix('N').filter(|text| text.starts_with('\'')).unwrap_or(value)
}

/// A mark as it is, whatever the column's collation takes for the same.
fn exact(column: &str) -> String {
    format!("cast({column} as nvarchar(4000)) collate Latin1_General_BIN2")
}

/// A row that no run would see change; where rows have versions there is none.
fn unstamped(plan: &TablePlan) -> String {
    let is_null = |name: &str| format!("{} is null", tsql::column("t", name));
    let stamps: Vec<String> = plan.stamps.source.iter().map(|s| is_null(&s.name)).collect();
    match plan.capture.positions() == Capture::Rowversion || stamps.is_empty() {
        true => "1 = 0".to_owned(),
        false => stamps.join(" and "),
    }
}

/// The column of the key that the cloud's sequence fills, where it is an integer.
fn key(plan: &TablePlan, sequence: Option<&Sequence>) -> String {
    let filled = sequence.and_then(|s| plan.key_columns().find(|c| c.target == s.column));
    match filled.map(|column| &column.origin) {
        Some(Origin::Column { name, type_name }) if INTEGERS.contains(&type_name.as_str()) => {
            format!("cast({} as bigint)", tsql::column("t", name))
        }
        _ => "cast(null as bigint)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_compared_without_its_brackets() {
        for (definition, value) in [
            ("('M')", "'M'"),
            ("(N'M')", "'M'"),
            ("((1))", "1"),
            ("'M'", "'M'"),
            ("(getdate())", "getdate()"),
            ("(N)", "N"),
        ] {
            assert_eq!(bare_value(definition), value);
        }
    }
}
