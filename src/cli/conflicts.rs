//! `tidegate conflicts`.

use clap::{Args, Subcommand};

use crate::conflicts::{self, Request};
use crate::error::Result;
use crate::model::conflict::Id;
use crate::sql::Sql;

use super::{Global, print};

/// Show what both sides did to one row.
///
/// Both edited it, both made a row with its key, or one deleted it while the other still has it. What is
/// open waits on the list of withheld rows (_sync_withheld), what a run has decided is kept with the
/// version that lost (_sync_trash); both are asked for at both ends. Rows that are withheld for another
/// reason, such as a missing parent or a value that has to be unique, are counted by `status`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Show(Show),
}

/// List them: the open ones first, then those that runs decided, each from the latest.
///
/// An id is c or d for the end that keeps the entry (cloud, desktop), w or t for its list (withheld, so
/// open; trash, so decided), and the number there, as in cw12. It stays the same while the entry stands.
/// Shows keys, no other values of rows.
#[derive(Debug, Args)]
struct List {
    /// Only those of this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// No more than N of them; the last line says how many there are
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Show one with both versions, what differs, why it was decided so, and how to end it otherwise.
///
/// The versions are those that the run met; `tidegate explain` shows the row as it is now. This prints
/// values of rows. Exits with 1 when there is no such entry (any more).
#[derive(Debug, Args)]
struct Show {
    /// As `conflicts list` has it, such as cw12
    id: Id,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let sql = Sql::default();
    match &arguments.what {
        What::List(List { table, limit }) => {
            let request = Request { table: table.clone(), limit: *limit };
            let inbox = conflicts::list(&config, &request, &sql).await?;
            print::contract(global.output, &inbox, print::inbox)?;
        }
        What::Show(Show { id }) => {
            let shown = conflicts::show(&config, *id, &sql).await?;
            print::contract(global.output, &shown, print::conflict)?;
        }
    }
    Ok(0)
}
