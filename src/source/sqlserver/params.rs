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

    /// Binds a value of a column; gives its name in the statement. A text is of the column's
    /// collation: of another one it might be no text of its code page, nor comparable.
    pub(super) fn value(
        &mut self,
        value: Value<'static>,
        of: SqlType,
        collation: Option<&str>,
    ) -> Result<String, Refusal> {
        let bound = self.bind(value.into_column_data(of)?);
        let bound = match collation.filter(|name| is_plain(name)) {
            Some(name) if of.is_text() => format!("{bound} collate {name}"),
            _ => bound,
        };
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

/// Whether the name can stand in a statement as it is; all of the server's can.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The number of values alone: they are a row's.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::{Length, Page};

    #[test]
    fn a_text_is_bound_in_the_collation_and_the_type_of_its_column() {
        let mut params = Params::default();
        let mut bind = |of, collation| {
            let text = Value::Text(b"a"[..].into());
            params.value(text, of, collation).unwrap()
        };
        let varchar = SqlType::VarChar { length: Length::Of(9), page: Page::of(1250) };
        let nvarchar = SqlType::NVarChar { length: Length::Of(9) };
        let polish = Some("Polish_BIN2");
        assert_eq!(bind(varchar, polish), "cast(@P1 collate Polish_BIN2 as varchar(9))");
        assert_eq!(bind(nvarchar, polish), "@P2 collate Polish_BIN2");
        assert_eq!(bind(nvarchar, Some("no name; --")), "@P3");
        assert_eq!(bind(nvarchar, None), "@P4");
    }
}
