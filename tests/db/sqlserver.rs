//! SQL Server as the desktop.

mod check;
mod grants;
mod home;
mod identities;
mod init;
mod log;
mod merging;
mod pair;
mod refused;
mod samples;
mod store;
mod target;
mod twins;
mod values;
mod verbs;
mod verify;
mod wire;
mod zones;
