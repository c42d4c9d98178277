//! SQL Server's values, pure and without a connection.
//!
//! A row's cells are [`Value`]s; [`encode`] and [`decode`] turn them into fields of a binary COPY and
//! back, [`text`] and [`parse`] into the words that PostgreSQL prints. The one rule of all of it: a
//! value arrives as it was or is refused, see [`model::types`](crate::model::types).

mod calendar;
mod column_data;
mod decode;
mod encode;
mod fit;
mod float;
mod floored;
mod parse;
mod read;
mod text;
mod value;
mod zone;

pub use decode::decode;
pub use encode::encode;
pub use parse::parse;
pub use text::text;
pub use value::Value;
pub use zone::Zone;
