//! Temporary tables: keys that are looked up, and rows that are written, by bulk load.

use std::collections::BTreeMap;

use tiberius::{ColumnData, IntoSql, Row, SqlBulkCopyOptions, ToSql, TokenRow};

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::statement::Param;
use crate::db::sqlserver::types::Value;
use crate::error::{Error, Kind, Result};
use crate::model::plan::{ColumnPlan, Parent};
use crate::model::types::{Refusal, SqlType};
use crate::model::{TableName, TablePlan};
use crate::sql::{Sql, list, tsql};

use super::rows::{Held, Layout};

/// Keys, as `c1`, `c2` …
pub(super) const KEYS: &str = "#tidegate_keys";
/// The rows to be written: each column that travels as `c1`, `c2` …
pub(super) const ROWS: &str = "#tidegate_rows";

/// What becomes of a row that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is only looked up.
    None = 0,
    /// It is inserted.
    Insert = 1,
    /// It is updated.
    Update = 2,
}

/// A row of a temporary table: the number of the staged row, what becomes of it, its columns.
pub(super) type Line = (usize, Deed, Vec<ColumnData<'static>>);

/// A temporary table that is made like another.
pub(super) struct Sheet<'s> {
    pub(super) name: &'static str,
    like: &'s TableName,
    /// Of each column its type, and the one of the other table that it is compared with, if it is.
    columns: Vec<(SqlType, Option<&'s str>)>,
}

impl<'s> Sheet<'s> {
    /// For keys of the target.
    pub(super) fn of_keys(layout: &Layout<'s>) -> Self {
        let key = |&i: &usize| (layout.codecs[i].of, Some(layout.plan.columns[i].target.as_str()));
        let columns = layout.plan.key.iter().map(key).collect();
        Self { name: KEYS, like: &layout.plan.target, columns }
    }

    /// For keys of a parent.
    pub(super) fn of_parent(layout: &Layout<'_>, parent: &'s Parent) -> Self {
        let key = |(from, to): &'s (usize, String)| (layout.codecs[*from].of, Some(to.as_str()));
        Self { name: KEYS, like: &parent.table, columns: parent.columns.iter().map(key).collect() }
    }

    /// For whole rows: they are compared by key and owner.
    pub(super) fn of_rows(layout: &Layout<'s>) -> Self {
        let plan = layout.plan;
        let is_compared = |i: usize| plan.key.contains(&i) || i == plan.owner.column;
        let column = |(i, c): (usize, &'s ColumnPlan)| {
            (layout.codecs[i].of, is_compared(i).then_some(c.target.as_str()))
        };
        Self {
            name: ROWS,
            like: &plan.target,
            columns: plan.columns.iter().enumerate().map(column).collect(),
        }
    }

    /// The columns that the table is made with: those that are compared, of what they are compared with.
    fn made(&self) -> String {
        let made = |(i, (of, like)): (usize, &(SqlType, Option<&str>))| {
            let value = like.map_or_else(|| "null".to_owned(), |name| tsql::column("t", name));
            let made = format!(", cast({value} as {}) as c{}", of.staging_type(), i + 1);
            (!is_added(*of)).then_some(made)
        };
        list(self.columns.iter().enumerate().filter_map(made), "")
    }

    /// What adds the other columns, one by one: Babelfish takes no more at once.
    fn added(&self) -> String {
        let added = |(i, (of, _)): (usize, &(SqlType, Option<&str>))| {
            let type_name = of.staging_type();
            is_added(*of)
                .then(|| format!("alter table {} add c{} {type_name} null;", self.name, i + 1))
        };
        list(self.columns.iter().enumerate().filter_map(added), "\n")
    }

    /// The names of the columns.
    fn names(&self) -> Vec<String> {
        (1..=self.columns.len()).map(|i| format!("c{i}")).collect()
    }

    /// That a row of the other table, `t`, has the key of the line `k`.
    pub(super) fn same_row(&self) -> String {
        let same = |(i, (of, like)): (usize, &(SqlType, Option<&str>))| {
            Some(format!("{} = {}", tsql::column("t", (*like)?), cell(i, *of)))
        };
        list(self.columns.iter().enumerate().filter_map(same), " and ")
    }
}

/// Whether a column of the type is added to a table that is there: in a cast Babelfish forgets how many
/// decimals of a second it has.
fn is_added(of: SqlType) -> bool {
    matches!(of, SqlType::Time { .. } | SqlType::DateTime2 { .. } | SqlType::DateTimeOffset { .. })
}

/// The column of this index of the line `k`, in the type of the column that it was made for: an index
/// over that is of no use to another type.
pub(super) fn cell(i: usize, of: SqlType) -> String {
    let name = format!("k.c{}", i + 1);
    match of.staging_type() == of.declaration() {
        true => name,
        false => format!("cast({name} as {})", of.declaration()),
    }
}

/// That the target's row `t` has the key of the line `k` of [`ROWS`].
pub(super) fn same_key(layout: &Layout<'_>) -> String {
    let same = |&i: &usize| {
        let held = tsql::column("t", &layout.plan.columns[i].target);
        format!("{held} = {}", cell(i, layout.codecs[i].of))
    };
    list(layout.plan.key.iter().map(same), " and ")
}

/// What is read of the target's row `t`: the columns that travel, then its stamps.
pub(super) fn selected(layout: &Layout<'_>) -> String {
    let columns = layout.plan.columns.iter().zip(&layout.codecs);
    let columns = columns.map(|(c, codec)| codec.of.selected(&tsql::column("t", &c.target)));
    let stamps = layout.plan.stamps.held.iter().map(|stamp| {
        let column = tsql::column("t", &stamp.name);
        stamp.sql_type.map_or_else(|| column.clone(), |of| of.selected(&column))
    });
    list(columns.chain(stamps), ", ")
}

impl Layout<'_> {
    /// A row of the target as [`selected`] reads it, and the number of the staged row.
    pub(super) fn read(&self, row: Row) -> Result<(usize, Held)> {
        let mut cells = row.into_iter();
        let number = number(cells.next());
        let cells: Vec<ColumnData<'static>> = cells.collect();
        let (columns, stamps) = cells.split_at(self.codecs.len().min(cells.len()));
        let types = self.codecs.iter().map(|codec| codec.of);
        let values = read(columns, types)?;
        let stamps = read(stamps, self.plan.stamps.held.iter().filter_map(|stamp| stamp.sql_type))?;
        Ok((number, self.held(values, &stamps)))
    }
}

fn read(
    cells: &[ColumnData<'static>],
    types: impl Iterator<Item = SqlType>,
) -> Result<Vec<Value<'static>>> {
    let value = |(cell, of)| Value::read(cell, of).map(Value::into_owned);
    let values: Result<Vec<_>, Refusal> = cells.iter().zip(types).map(value).collect();
    Ok(values?)
}

/// The number of a staged row, as a temporary table has it.
pub(super) fn number(cell: Option<ColumnData<'_>>) -> usize {
    match cell {
        Some(ColumnData::I32(Some(n))) => usize::try_from(n).unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

/// Makes a temporary table and fills it.
pub(super) async fn fill(
    connection: &mut Connection,
    sql: &Sql,
    doing: &str,
    (sheet, lines): (&Sheet<'_>, Vec<Line>),
) -> Result<()> {
    let (made, added, like) = (sheet.made(), sheet.added(), tsql::table(sheet.like));
    let slots = [("stage", sheet.name), ("made", &*made), ("like", &*like), ("added", &*added)];
    connection.batch(doing, &sql.render("sqlserver/stage.sql", &slots)).await?;
    if lines.is_empty() {
        return Ok(());
    }
    let names = sheet.names();
    let columns: Vec<&str> =
        ["n", "deed"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let wanted = lines.len();
    let rows = lines.into_iter().map(token_row);
    let options = SqlBulkCopyOptions::default();
    let loaded = connection.bulk(doing, sheet.name, &columns, options, rows).await?;
    match usize::try_from(loaded) == Ok(wanted) {
        true => Ok(()),
        false => {
            let message = format!("{doing}: {wanted} rows were sent and {loaded} were staged");
            Err(Error::new(Kind::Other, message))
        }
    }
}

/// A value that a statement is bound to.
struct Bound(ColumnData<'static>);

impl ToSql for Bound {
    fn to_sql(&self) -> ColumnData<'_> {
        self.0.clone()
    }
}

/// Adds a line to a temporary table that has been made: one with a value that is too large for bulk load.
pub(super) async fn add(
    connection: &mut Connection,
    sql: &Sql,
    doing: &str,
    (sheet, (number, deed, cells)): (&Sheet<'_>, Line),
) -> Result<()> {
    let value = |(i, (of, _)): (usize, &(SqlType, Option<&str>))| {
        // The driver's parameters are of types of its own.
        format!("cast(@P{} as {})", i + 3, of.staging_type())
    };
    let values = list(sheet.columns.iter().enumerate().map(value), ", ");
    let columns = sheet.names().join(", ");
    let slots = [("stage", sheet.name), ("columns", &*columns), ("values", &*values)];
    let sql = sql.render("sqlserver/stage_line.sql", &slots);
    let (number, deed) = (i32::try_from(number).ok(), deed as i32);
    let cells: Vec<Bound> = cells.into_iter().map(Bound).collect();
    let mut params: Vec<Param<'_>> = vec![&number, &deed];
    params.extend(cells.iter().map(|cell| cell as Param<'_>));
    connection.run(doing, &sql, &params).await?;
    Ok(())
}

/// Which rows of the target are read: those under the keys of a temporary table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'l> {
    /// The table's name.
    pub(super) stage: &'static str,
    /// That the target's row `t` is that of the line `k`.
    pub(super) same_row: &'l str,
    /// A table hint, or nothing.
    pub(super) lock: &'static str,
}

impl Layout<'_> {
    /// A key that is looked up for the staged row of this number.
    pub(super) fn key_line(&self, number: usize, values: &[Value<'static>]) -> Result<Line> {
        let cell = |(&i, value): (&usize, &Value<'static>)| {
            value.clone().into_column_data(self.codecs[i].of)
        };
        let cells: Result<Vec<_>, Refusal> = self.plan.key.iter().zip(values).map(cell).collect();
        Ok((number, Deed::None, cells.map_err(unwritable)?))
    }

    /// Rows of the target, each with the number of its line.
    pub(super) async fn look_up(
        &self,
        connection: &mut Connection,
        sql: &Sql,
        doing: &str,
        lookup: Lookup<'_>,
    ) -> Result<Vec<(usize, Held)>> {
        let columns = selected(self);
        let target = tsql::table(&self.plan.target);
        let slots = [
            ("columns", &*columns),
            ("stage", lookup.stage),
            ("target", &*target),
            ("lock", lookup.lock),
            ("same_row", lookup.same_row),
        ];
        let sql = sql.render("sqlserver/lookup.sql", &slots);
        let rows = connection.rows(doing, &sql, &[]).await?;
        rows.into_iter().map(|row| self.read(row)).collect()
    }
}

/// The digests of the rows that `plan`'s target has under `keys`, which are JSON objects, column of the
/// cloud → text; those that it has.
///
/// # Errors
/// When the database can't be asked.
pub async fn held_digests(
    connection: &mut Connection,
    sql: &Sql,
    plan: &TablePlan,
    keys: &[String],
) -> Result<BTreeMap<String, String>> {
    let layout = Layout::of(plan)?;
    let mut lines = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        // No row has a key that the columns can't hold.
        if let Some(values) = layout.parsed_key(key) {
            lines.push(layout.key_line(number, &values)?);
        }
    }
    let sheet = Sheet::of_keys(&layout);
    let doing = format!("looking up rows of {}", plan.label());
    fill(connection, sql, &doing, (&sheet, lines)).await?;
    let lookup = Lookup { stage: KEYS, same_row: &sheet.same_row(), lock: "" };
    let held = layout.look_up(connection, sql, &doing, lookup).await?;
    Ok(held.into_iter().filter_map(|(n, held)| Some((keys.get(n)?.clone(), held.digest))).collect())
}

/// What the desktop can't be given, though it could hold it.
pub(super) fn unwritable(refusal: Refusal) -> Error {
    Error::new(Kind::Other, "a value of the batch can't be written").because(refusal)
}

fn token_row((number, deed, cells): Line) -> TokenRow<'static> {
    let mut row = TokenRow::with_capacity(cells.len() + 2);
    row.push(i32::try_from(number).ok().into_sql());
    row.push((deed as i32).into_sql());
    cells.into_iter().for_each(|cell| row.push(cell));
    row
}
