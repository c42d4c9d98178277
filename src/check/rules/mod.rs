//! From facts to findings: pure, one file an area.

pub(super) mod columns;
pub(super) mod configuration;
pub(super) mod ends;
pub(super) mod horizon;
pub(super) mod indexes;
pub(super) mod keys;
pub(super) mod log;
pub(super) mod planning;
pub(super) mod rights;
pub(super) mod sequences;
pub(super) mod sqlserver;
pub(super) mod store;
pub(super) mod triggers;
pub(super) mod values;

#[cfg(test)]
mod testing;
