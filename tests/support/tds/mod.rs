//! A server that speaks TDS 7.4 to the driver `tiberius`, and keeps its data in a PostgreSQL of the
//! test: a small rewrite turns T-SQL into what PostgreSQL understands.
//!
//! It proves the way over the wire: types, errors, transactions, cancellation, encryption. It does
//! **not** prove SQL Server's semantics: plans, locks, collations, optimistic conflicts and the
//! thousand rules of T-SQL are PostgreSQL's here, or are missing. What the rewrite does not know is
//! error 40000, never silence.
//!
//! Where it differs though a statement is known:
//!
//! - names are exact in their case, and compare by code points: collations mean nothing;
//! - `+` puts texts together only beside a literal, a variable or a function of text;
//! - a `SUM` of int is a bigint, a computed decimal has six digits behind the point, and a money,
//!   datetime, tinyint, xml or rowversion that is computed is a decimal, datetime2, smallint,
//!   nvarchar or varbinary;
//! - a day or time as text always has all seven digits;
//! - a unique index is error 2627 like a constraint;
//! - a bulk load fires triggers and checks foreign keys if it asks for either;
//! - a joined UPDATE or DELETE locks its rows by a statement before it.
//!
//! A test that speaks PostgreSQL to the same database writes a time, datetime2 or datetimeoffset as
//! `'…'::text`: their types read no literals. U+E000 and U+EDC0 stand for what PostgreSQL can't
//! store, see `text.rs`.

mod answer;
mod backend;
mod bulk;
mod changes;
mod connection;
mod decimal;
mod declared;
mod errors;
mod execute;
mod expressions;
mod functions;
mod lexer;
mod notes;
mod plan;
mod procedures;
mod query;
mod requests;
mod server;
mod session;
mod settings;
mod statements;
mod tables;
mod text;
mod tls;
mod triggers;
mod types;
mod values;
mod wire;

pub use server::Server;
pub use session::{execute, rewrite};
pub use tls::TlsMode;
