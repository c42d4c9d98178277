//! SQL Server's types, and as which type of PostgreSQL their values travel.
//!
//! What a type can't hold at all, [`Fit`] says beforehand; what of a value has no place in the other
//! database is a [`Refusal`], which never quotes it.

mod fits;
mod form;
mod page;
pub(crate) mod refusal;
mod sql_type;
mod travel;

pub use fits::Fit;
pub use form::Form;
pub use page::Page;
pub use refusal::Refusal;
pub use sql_type::{Declared, Length, SqlType};
pub use travel::PgType;
