//! What is particular to one kind of database: connections, TLS, catalogue, types.

pub mod postgres;
