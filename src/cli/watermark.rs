//! `tidegate watermark`.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::error::{Kind, Result};
use crate::model::Direction;
use crate::run::watermark::{self, Accepted, Placed, Skipping, Unset};
use crate::sql::Sql;
use crate::store::TablePosition;

use super::{Global, Heading, Tables, print, usage};

/// What `--to` takes in place of a moment.
const BEGINNING: &str = "beginning";

/// Show how far each table has been read, and move that by hand.
///
/// The watermark is kept in the database that is written, forward's in the cloud and reverse's on the
/// desktop, and moves with the rows; a run reads what changed at the other end since then.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show each table's position: watermark, key to go on after, generation, source database, run.
    ///
    /// Of both directions; where the desktop can't be asked, forward's, and a warning.
    Show(Positions),
    Set(Set),
    /// Accept that an end is another database than before, because it was moved or restored.
    ///
    /// Forgets where the tables stood that were read from the old one, so that the next run compares
    /// them as a whole with the new one: of a new desktop the next forward run, of a new cloud the next
    /// reverse run. Rows of mobile users stay, as in any run; so do rows that the new database lacks.
    Accept(Positions),
}

/// Which positions.
#[derive(Debug, Args)]
struct Positions {
    #[command(flatten)]
    tables: Tables,
    /// Only of this direction
    #[arg(long, value_enum)]
    direction: Option<Heading>,
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
    /// "2026-03-01 00:00:00+01"; or "beginning", so that the next run compares the whole table. A
    /// position in a change log, or among the versions of rows, is no timestamp: there, only "beginning"
    #[arg(long, value_name = "TIMESTAMP")]
    to: String,
    /// Of which direction
    #[arg(long, value_enum, default_value_t = Heading::Forward)]
    direction: Heading,
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
        What::Show(positions) => show(global, positions).await,
        What::Set(arguments) => set(global, arguments).await,
        What::Accept(positions) => accept(global, positions).await,
    }
}

impl Positions {
    fn directions(&self) -> Vec<Direction> {
        match self.direction {
            Some(heading) => vec![heading.direction()],
            None => vec![Direction::Forward, Direction::Reverse],
        }
    }

    /// Whether an error may be left at a warning: nobody asked for reverse, and forward works without.
    fn can_do_without(&self, direction: Direction) -> bool {
        direction == Direction::Reverse && self.direction.is_none()
    }
}

async fn show(global: &Global, arguments: &Positions) -> Result<u8> {
    let (config, sql) = (global.load()?, Sql::default());
    let mut tables = Vec::new();
    for direction in arguments.directions() {
        match watermark::show(&config, &arguments.tables.names, direction, &sql).await {
            Ok(positions) => tables.extend(positions),
            Err(e) if arguments.can_do_without(direction) => {
                tracing::warn!("reverse is left out: {e}");
            }
            Err(e) => return Err(e),
        }
    }
    print_as(global, Shown { tables }, |shown| print::positions(&shown.tables))
}

async fn set(global: &Global, arguments: &Set) -> Result<u8> {
    let to = Some(arguments.to.as_str()).filter(|to| *to != BEGINNING);
    let skipping = if arguments.skip { Skipping::Allowed } else { Skipping::Refused };
    let (config, direction) = (global.load()?, arguments.direction.direction());
    let to = (to, skipping);
    match watermark::set(&config, &arguments.table, direction, to, &Sql::default()).await? {
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
    let table = print::heading(&placed.table, placed.direction);
    println!("{table}: {from} → {to}; {then}");
}

fn why(unset: &Unset) -> String {
    match unset {
        Unset::Unreadable => {
            "--to is no timestamp that PostgreSQL can read, nor \"beginning\"; write it as in \
             \"2026-03-01 00:00:00+01\""
                .to_owned()
        }
        Unset::OfALog => {
            "a position of reverse is one in the cloud's change log, and no timestamp: \
             --to can only be \"beginning\""
                .to_owned()
        }
        Unset::OfVersions => {
            "a position of this table is the version of a row (capture = \"rowversion\"), and no \
             timestamp: --to can only be \"beginning\""
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

async fn accept(global: &Global, arguments: &Positions) -> Result<u8> {
    let (config, sql) = (global.load()?, Sql::default());
    let (mut identities, mut tables) = (Vec::new(), Vec::new());
    for direction in arguments.directions() {
        match watermark::accept(&config, &arguments.tables.names, direction, &sql).await {
            Ok((identity, accepted)) => {
                identities.push((direction.source(), identity));
                tables.extend(accepted);
            }
            // Where reverse was never set up, nothing was read.
            Err(e) if e.kind() == Kind::Config && arguments.can_do_without(direction) => {
                tracing::warn!("reverse is left out: {e}");
            }
            Err(e) => return Err(e),
        }
    }
    let source_identity = identities.first().map(|(_, id)| id.clone()).unwrap_or_default();
    print_as(global, Taken { source_identity, tables }, |taken| {
        for Accepted { table, direction, identity_from, identity, .. } in &taken.tables {
            let table = print::heading(table, direction);
            println!(
                "{table}: {identity_from} → {identity}; the next run compares the whole table"
            );
        }
        if taken.tables.is_empty() {
            let known: Vec<String> = identities
                .iter()
                .map(|(end, identity)| format!("the {end} is {identity}"))
                .collect();
            println!("nothing to accept: {}, as before", known.join(", "));
        }
    })
}

fn print_as<T: Serialize>(global: &Global, content: T, human: impl FnOnce(&T)) -> Result<u8> {
    print::contract(global.output, &content, human)?;
    Ok(0)
}
