//! `tidegate watermark`.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::error::Result;
use crate::run::watermark::{self, Accepted, Placed, Skipping, Unset};
use crate::sql::Sql;
use crate::store::TablePosition;

use super::{Global, Tables, print, usage};

/// What `--to` takes in place of a moment.
const BEGINNING: &str = "beginning";

/// Show how far each table has been read, and move that by hand.
///
/// The watermark is kept in the cloud and moves with the rows; a run reads what changed on the
/// desktop since then.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show each table's position: watermark, key to go on after, generation, source database, run
    Show(Tables),
    Set(Set),
    /// Accept that the desktop is another database than before, because it was moved or restored.
    ///
    /// Forgets where the tables stood that were read from the old one, so that the next run compares
    /// them as a whole with the new one. Rows of mobile users stay, as in any run; so do rows that
    /// the new database lacks.
    Accept(Tables),
}

/// Set the position of one table.
///
/// An earlier moment is always safe: the rows since then are compared again, and nothing is written
/// that is the same. A later one needs --skip, because changes in between would never be read.
#[derive(Debug, Args)]
struct Set {
    /// The table, by its name in the cloud
    table: String,
    /// Up to where the table is to count as read: a timestamp with its zone, as in
    /// "2026-03-01 00:00:00+01"; or "beginning", so that the next run compares the whole table
    #[arg(long, value_name = "TIMESTAMP")]
    to: String,
    /// Allow a later position than the present one: changes in between are skipped, and only
    /// `forward --full` brings them
    #[arg(long)]
    skip: bool,
}

#[derive(Serialize)]
struct Shown {
    tables: Vec<TablePosition>,
}

#[derive(Serialize)]
struct Taken {
    source_identity: String,
    tables: Vec<Accepted>,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    match &arguments.what {
        What::Show(tables) => show(global, tables).await,
        What::Set(arguments) => set(global, arguments).await,
        What::Accept(tables) => accept(global, tables).await,
    }
}

async fn show(global: &Global, arguments: &Tables) -> Result<u8> {
    let tables = watermark::show(&global.load()?, &arguments.names, &Sql::default()).await?;
    print_as(global, Shown { tables }, |shown| print::positions(&shown.tables))
}

async fn set(global: &Global, arguments: &Set) -> Result<u8> {
    let to = Some(arguments.to.as_str()).filter(|to| *to != BEGINNING);
    let skipping = if arguments.skip { Skipping::Allowed } else { Skipping::Refused };
    let config = global.load()?;
    match watermark::set(&config, &arguments.table, to, skipping, &Sql::default()).await? {
        Ok(placed) => print_as(global, placed, tell_placed),
        Err(unset) => Ok(usage(why(&unset))),
    }
}

fn tell_placed(placed: &Placed) {
    let from = placed.watermark_from.as_deref().unwrap_or(BEGINNING);
    let (to, then) = match placed.watermark.as_deref() {
        Some(to) => (to, "the next run reads what changed since"),
        None => (BEGINNING, "the next run compares the whole table"),
    };
    println!("{}: {from} → {to}; {then}", placed.table);
}

fn why(unset: &Unset) -> String {
    match unset {
        Unset::Unreadable => {
            "--to is no timestamp that PostgreSQL can read, nor \"beginning\"; write it as in \
             \"2026-03-01 00:00:00+01\""
                .to_owned()
        }
        Unset::Zoneless => {
            "--to says no zone, so it could mean another moment than yours; write it as in \
             \"2026-03-01 00:00:00+01\""
                .to_owned()
        }
        Unset::Ahead => "--to lies in the future: no run has read up to there".to_owned(),
        Unset::Skips { from, to } => {
            let from = from.as_deref().unwrap_or("the beginning");
            format!(
                "no run has read the changes between {from} and {to}, and none ever would; if that \
                 is meant, add --skip"
            )
        }
    }
}

async fn accept(global: &Global, arguments: &Tables) -> Result<u8> {
    let config = global.load()?;
    let (source_identity, tables) =
        watermark::accept(&config, &arguments.names, &Sql::default()).await?;
    print_as(global, Taken { source_identity, tables }, |taken| {
        for table in &taken.tables {
            println!(
                "{}: {} → {}; the next run compares the whole table",
                table.table, table.identity_from, taken.source_identity
            );
        }
        if taken.tables.is_empty() {
            println!("nothing to accept: the desktop is {}, as before", taken.source_identity);
        }
    })
}

fn print_as<T: Serialize>(global: &Global, content: T, human: impl FnOnce(&T)) -> Result<u8> {
    print::contract(global.output, &content, human)?;
    Ok(0)
}
