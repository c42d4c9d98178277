//! Reads tables out of the catalogue: the same nouns as PostgreSQL's, in which a column says as what
//! its values travel.

use std::collections::BTreeMap;

use tiberius::Row;

use super::Session;
use super::sets::{any, get};
use super::statement::Param;
use crate::error::{Error, Result};
use crate::model::TableName;
use crate::model::schema::{Column, ForeignKey, Key, TableSchema, UniqueIndex};
use crate::model::types::{Declared, Refusal, SqlType};
use crate::sql::{Sql, list, tsql};

const DOING: &str = "reading the desktop's catalogue";

/// Those of `tables` that exist, in one round trip.
pub async fn read(session: &Session, sql: &Sql, tables: &[TableName]) -> Result<Vec<TableSchema>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let quoted: Vec<String> = tables.iter().map(tsql::table).collect();
    let params: Vec<Param<'_>> = quoted.iter().map(|name| name as Param<'_>).collect();
    let wanted = list((0..tables.len()).map(|i| format!("(@P{})", i + 1)), ", ");
    let statement = sql.render("sqlserver/catalogue.sql", &[("wanted", &wanted)]);
    let results = session.result_sets(DOING, &statement, &params).await?;
    let mut sets = results.into_iter();
    let mut next = || sets.next().unwrap_or_default();
    let (found, columns, indexes, references) = (next(), next(), next(), next());
    let (logs, hidden) = (next(), next());
    let parts = Parts {
        columns: by_object(&columns)?,
        indexes: by_object(&indexes)?,
        references: by_object(&references)?,
        logs: by_object(&logs)?,
        hidden: by_object(&hidden)?,
    };
    let schemas = found.iter().map(|row| parts.table(row)).collect::<Result<Vec<_>>>()?;
    // The catalogue may not tell cases apart; the configuration does.
    Ok(schemas.into_iter().filter(|schema| tables.contains(&schema.table())).collect())
}

/// The rows of each result, by the table that they are about.
struct Parts<'r> {
    columns: ByObject<'r>,
    indexes: ByObject<'r>,
    references: ByObject<'r>,
    logs: ByObject<'r>,
    hidden: ByObject<'r>,
}

type ByObject<'r> = BTreeMap<i32, Vec<&'r Row>>;

fn by_object(rows: &[Row]) -> Result<ByObject<'_>> {
    let mut found = ByObject::new();
    for row in rows {
        found.entry(get(row, "object_id")?).or_default().push(row);
    }
    Ok(found)
}

impl<'r> Parts<'r> {
    fn table(&self, row: &Row) -> Result<TableSchema> {
        let id: i32 = get(row, "object_id")?;
        let of = |parts: &ByObject<'r>| parts.get(&id).cloned().unwrap_or_default();
        let is = |name| Ok::<_, Error>(get::<i32>(row, name)? == 1);
        let (primary_key, uniques) = keys(&of(&self.indexes))?;
        Ok(TableSchema {
            schema: text(row, "schema_name")?,
            name: text(row, "table_name")?,
            kind: match get::<&str>(row, "kind")? {
                "U" => "r".to_owned(),
                _ => "v".to_owned(),
            },
            row_security: self.hidden.contains_key(&id),
            in_memory: is("in_memory")?,
            readable: is("readable")?,
            writable: is("insertable")? && is("updatable")?,
            columns: of(&self.columns).into_iter().map(column).collect::<Result<_>>()?,
            primary_key,
            uniques,
            foreign_keys: foreign_keys(&of(&self.references))?,
            before_triggers: get::<i32>(row, "triggers")? > 0,
            log_arguments: None,
            desktop_log: of(&self.logs)
                .into_iter()
                .map(|row| text(row, "name"))
                .collect::<Result<_>>()?,
        })
    }
}

/// Oids that stand for no type of PostgreSQL: such a column can't travel.
const NO_TYPE: u32 = 0;

const ENCRYPTED: &str =
    "is encrypted, and only programs that have its key can read it (Always Encrypted)";

fn column(row: &Row) -> Result<Column> {
    let name = text(row, "name")?;
    let type_name: &str = get(row, "type_name")?;
    let known = declared(row)?;
    let sql_type = known.as_ref().ok().copied();
    let travels = sql_type.map(SqlType::travels_as);
    let spelled = travels.and_then(|t| t.declaration()).unwrap_or_else(|| type_name.to_owned());
    let is = |name| Ok::<_, Error>(get::<i32>(row, name)? == 1);
    let is_computed =
        get(row, "is_computed")? || is("is_period")? || sql_type == Some(SqlType::RowVersion);
    let is_identity = get(row, "is_identity")?;
    Ok(Column {
        name,
        type_oid: travels.map_or(NO_TYPE, |t| t.oid),
        typmod: travels.map_or(-1, |t| t.typmod),
        bare_type: spelled.split('(').next().unwrap_or_default().to_owned(),
        type_name: spelled,
        portable: sql_type.is_some(),
        not_null: !get::<bool>(row, "is_nullable")?,
        has_default: get::<i32>(row, "default_object_id")? != 0 || is_computed || is_identity,
        generated: is_computed,
        identity_always: is_identity,
        sql_type,
        refused: match is("is_encrypted")? {
            true => Some(ENCRYPTED.to_owned()),
            false => known.err().map(|refusal| refusal.reason().to_owned()),
        },
        masked: is("is_masked")?,
        collation: any::<&str>(row, "collation_name")?.map(str::to_owned),
    })
}

/// The type of a column as `sys.columns` and `sys.types` describe it, or why it can't travel.
///
/// # Errors
/// When the row is no such description.
pub fn declared(row: &Row) -> Result<Result<SqlType, Refusal>> {
    Ok(SqlType::of(&Declared {
        name: get(row, "type_name")?,
        max_length: get(row, "max_length")?,
        precision: get(row, "precision")?,
        scale: get(row, "scale")?,
        code_page: any(row, "code_page")?.unwrap_or_default(),
    }))
}

/// The primary key, and the other unique indexes.
fn keys(rows: &[&Row]) -> Result<(Option<Key>, Vec<UniqueIndex>)> {
    let (mut primary, mut uniques) = (None, Vec::new());
    for columns in rows.chunk_by(|a, b| is_same(a, b, "index_id")) {
        let names = columns.iter().map(|row| text(row, "column_name")).collect::<Result<_>>()?;
        match get(columns[0], "is_primary_key")? {
            true => primary = Some(Key { columns: names, deferrable: false }),
            false => uniques.push(UniqueIndex {
                columns: names,
                deferrable: false,
                referenced: get::<i32>(columns[0], "referring")? > 0,
            }),
        }
    }
    Ok((primary, uniques))
}

fn foreign_keys(rows: &[&Row]) -> Result<Vec<ForeignKey>> {
    let key = |columns: &[&Row]| {
        let all = |name| columns.iter().map(|row| text(row, name)).collect::<Result<Vec<_>>>();
        let readable = get::<i32>(columns[0], "readable")? == 1;
        Ok(ForeignKey {
            name: text(columns[0], "name")?,
            readable,
            lockable: readable,
            columns: all("column_name")?,
            parent_schema: text(columns[0], "parent_schema")?,
            parent_name: text(columns[0], "parent_name")?,
            parent_columns: all("parent_column")?,
        })
    };
    rows.chunk_by(|a, b| is_same(a, b, "constraint_id")).map(key).collect()
}

fn is_same(a: &Row, b: &Row, name: &str) -> bool {
    let id = |row: &Row| row.try_get::<i32, _>(name).ok().flatten();
    id(a) == id(b)
}

fn text(row: &Row, name: &str) -> Result<String> {
    get::<&str>(row, name).map(str::to_owned)
}
