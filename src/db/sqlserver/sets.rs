//! Columns of a result by their names.

use tiberius::{FromSql, Row};

use super::failed;
use crate::error::{End, Error, Kind, Result};

/// The value of a column; NULL is an error.
///
/// # Errors
/// When there is no such column, or its value is NULL or of another type.
pub fn get<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T> {
    any(row, name)?
        .ok_or_else(|| Error::new(Kind::Other, format!("{name} of the desktop's answer is null")))
}

/// The value of a column, or `None` for NULL.
///
/// # Errors
/// When there is no such column, or its value is of another type.
pub fn any<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<Option<T>> {
    row.try_get(name).map_err(|e| failed(&format!("reading {name}"), End::Desktop, &e))
}
