//! The PostgreSQL behind a connection.

use std::collections::HashMap;
use std::error::Error;
use std::pin::pin;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use tokio::task::JoinSet;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{CancelToken, Client, Config, NoTls, Row};

use super::answer::{Answer, Column};
use super::errors::SqlError;
use super::requests::Parameter;
use super::types::SqlType;

const NULLABLE: u16 = 0x01;
const UPDATEABLE: u16 = 0x08;
const IDENTITY: u16 = 0x10;
const COMPUTED: u16 = 0x20;

/// What `pg_attribute` says of a table: the domain and the flags of each column.
const TABLE: &str = "
    select a.attnum, case when t.typtype = 'd' then t.typname::text end,
        a.attnotnull, a.attidentity <> '', a.attgenerated <> ''
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = $1 and a.attnum > 0";

/// A statement of PostgreSQL with the places of the variables that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub sql: String,
    pub used: Vec<usize>,
}

/// A session of PostgreSQL.
pub struct Backend {
    client: Client,
    tables: HashMap<u32, HashMap<i16, Described>>,
    _connection: JoinSet<Result<(), tokio_postgres::Error>>,
}

/// What a table says of its column.
#[derive(Debug, Clone, Default)]
struct Described {
    domain: Option<String>,
    flags: u16,
}

impl Backend {
    pub async fn connect(config: &Config) -> Result<Self, SqlError> {
        let (client, connection) = config.connect(NoTls).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Ok(Self { client, tables: HashMap::new(), _connection: tasks })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether PostgreSQL has ended the session.
    pub fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    pub fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// A statement that says nothing.
    pub async fn say_nothing(&self) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute("select").await
    }

    /// Statements without variables and rows.
    pub async fn batch(&mut self, sql: &str) -> Result<(), SqlError> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// The tables are no longer what they were.
    pub fn forget_tables(&mut self) {
        self.tables.clear();
    }

    /// Runs a statement and answers its rows; how many they were, or how many it changed.
    pub async fn answer(
        &mut self,
        statement: &Prepared,
        variables: &[Parameter],
        answer: &mut Answer,
    ) -> Result<u64, SqlError> {
        let prepared = self.client.prepare(&statement.sql).await?;
        let mut columns = Vec::with_capacity(prepared.columns().len());
        for column in prepared.columns() {
            columns.push(self.column(column).await?);
        }
        let rows = self.client.query_raw(&prepared, values(statement, variables)).await?;
        let mut rows = pin!(rows);
        if columns.is_empty() {
            while rows.try_next().await?.is_some() {}
            return Ok(rows.rows_affected().unwrap_or(0));
        }
        answer.columns(&columns);
        let mut count = 0;
        while let Some(row) = rows.try_next().await? {
            answer
                .row(|place| Ok(row.try_get::<_, Option<Raw<'_>>>(place)?.map(|raw| raw.0)))
                .await?;
            count += 1;
        }
        Ok(count)
    }

    /// Runs a statement whose rows nobody sees; how many it changed.
    pub async fn execute(
        &mut self,
        statement: &Prepared,
        variables: &[Parameter],
    ) -> Result<u64, SqlError> {
        let prepared = self.client.prepare(&statement.sql).await?;
        let rows = self.client.query_raw(&prepared, values(statement, variables)).await?;
        let mut rows = pin!(rows);
        while rows.try_next().await?.is_some() {}
        Ok(rows.rows_affected().unwrap_or(0))
    }

    /// The rows of a query.
    pub async fn rows(
        &mut self,
        statement: &Prepared,
        variables: &[Parameter],
    ) -> Result<Vec<Row>, SqlError> {
        let prepared = self.client.prepare(&statement.sql).await?;
        let rows = self.client.query_raw(&prepared, values(statement, variables)).await?;
        Ok(rows.try_collect().await?)
    }

    async fn column(&mut self, column: &tokio_postgres::Column) -> Result<Column, SqlError> {
        let described = match column.table_oid().zip(column.column_id()) {
            Some((table, place)) => self.described(table, place).await?,
            None => Described { flags: NULLABLE | UPDATEABLE, domain: None },
        };
        let name = match column.name() {
            "?column?" => "",
            name => name,
        };
        let kind = column.type_();
        Ok(Column {
            name: name.to_owned(),
            kind: SqlType::of_column(kind, column.type_modifier(), described.domain.as_deref()),
            flags: described.flags,
        })
    }

    async fn described(&mut self, table: u32, place: i16) -> Result<Described, SqlError> {
        if !self.tables.get(&table).is_some_and(|columns| columns.contains_key(&place)) {
            let rows = self.client.query(TABLE, &[&table]).await?;
            let columns = rows.iter().map(|row| (row.get(0), describe(row)));
            self.tables.insert(table, columns.collect());
        }
        Ok(self.tables[&table].get(&place).cloned().unwrap_or_default())
    }
}

fn describe(row: &Row) -> Described {
    let domain: Option<String> = row.get(1);
    let computed = row.get(4);
    let stamp = domain.as_deref() == Some("rowversion");
    let mut flags = 0;
    for (holds, flag) in [
        (!row.get::<_, bool>(2), NULLABLE),
        (row.get(3), IDENTITY),
        (computed, COMPUTED),
        (!row.get::<_, bool>(3) && !computed && !stamp, UPDATEABLE),
    ] {
        flags |= if holds { flag } else { 0 };
    }
    Described { domain, flags }
}

fn values<'v>(
    statement: &Prepared,
    variables: &'v [Parameter],
) -> impl ExactSizeIterator<Item = Carried<'v>> + Send + use<'v> {
    let values = statement.used.iter().map(|place| Carried(variables[*place].value.as_deref()));
    values.collect::<Vec<_>>().into_iter()
}

/// A value as PostgreSQL sent it.
pub struct Raw<'a>(pub &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value in PostgreSQL's binary form.
#[derive(Debug)]
struct Carried<'a>(Option<&'a [u8]>);

impl ToSql for Carried<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match self.0 {
            Some(value) => {
                out.extend_from_slice(value);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
