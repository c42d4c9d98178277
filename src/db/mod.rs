//! What is particular to one kind of database: connections, TLS, catalogue, types.

mod kind;

pub mod postgres;
pub mod sqlserver;

pub use kind::{Connection, Database, Session};
pub use postgres::Purpose;
