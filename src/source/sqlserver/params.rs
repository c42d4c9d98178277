//! Values that a statement is bound to, under the numbers that its text names them by.

use std::fmt;

use tiberius::{ColumnData, ToSql};

use crate::db::sqlserver::statement::Param;
use crate::db::sqlserver::types::Value;
use crate::model::types::{Refusal, SqlType};

/// The values of one statement.
#[derive(Default)]
pub(super) struct Params(Vec<Bound>);

struct Bound(ColumnData<'static>);

impl ToSql for Bound {
    fn to_sql(&self) -> ColumnData<'_> {
        self.0.clone()
    }
}

impl Params {
    /// So many fit one statement of SQL Server.
    pub(super) const MAX: usize = 2_000;

    /// Binds a value of a column; gives its name in the statement.
    pub(super) fn value(&mut self, value: Value<'static>, of: SqlType) -> Result<String, Refusal> {
        let bound = self.bind(value.into_column_data(of)?);
        // It arrives as nvarchar, for which an index over varchar is not asked.
        Ok(match of {
            SqlType::Char { .. } | SqlType::VarChar { .. } => {
                format!("cast({bound} as {})", of.declaration())
            }
            _ => bound,
        })
    }

    /// Binds a text.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.bind(ColumnData::String(Some(text.to_owned().into())))
    }

    /// Binds bytes.
    pub(super) fn bytes(&mut self, bytes: Vec<u8>) -> String {
        self.bind(ColumnData::Binary(Some(bytes.into())))
    }

    /// Binds a truth.
    pub(super) fn bit(&mut self, bit: bool) -> String {
        self.bind(ColumnData::Bit(Some(bit)))
    }

    fn bind(&mut self, data: ColumnData<'static>) -> String {
        self.0.push(Bound(data));
        format!("@P{}", self.0.len())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// For a stream, which owns what it is bound to.
    pub(super) fn into_data(self) -> Vec<ColumnData<'static>> {
        self.0.into_iter().map(|bound| bound.0).collect()
    }

    /// As the connection takes them.
    pub(super) fn all(&self) -> Vec<Param<'_>> {
        self.0.iter().map(|bound| bound as Param<'_>).collect()
    }
}

/// The number of values alone: they are a row's.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({})", self.0.len())
    }
}
