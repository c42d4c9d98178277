//! `tidegate demo`.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::demo::{self, Kept, Told};
use crate::error::Result;
use crate::run;
use crate::sql::Sql;

use super::{Global, Output, print};

/// Tell the whole story on two throwaway PostgreSQL clusters, checked step by step.
///
/// Needs the PostgreSQL server's programs on this machine (Debian: postgresql) and no configuration;
/// touches no other database. As root it runs the servers as postgres or nobody.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Leave the clusters running, and print their URLs and a configuration
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(
    global: &Global,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<u8> {
    let told = match global.output {
        Output::Human => tell(arguments.keep, stop).await,
        Output::Json => document(arguments.keep, stop).await,
    };
    // Not as an error: which signal it was decides the exit code.
    Ok(told.map(|()| 0).unwrap_or_else(|e| {
        print::error(&e);
        e.kind().exit_code()
    }))
}

/// As it happens, for people.
async fn tell(keep: bool, stop: &CancellationToken) -> Result<()> {
    let start = Instant::now();
    let (step, checks) = (Cell::new(0), Cell::new(0));
    let colours = !config::no_color() && std::io::stdout().is_terminal();
    let paint = |code: &str, text: &str| match colours {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let kept = demo::tell(keep, &Sql::default(), stop, &|told| match told {
        Told::Step(title) => {
            let gap = if step.get() == 0 { "" } else { "\n" };
            step.set(step.get() + 1);
            println!("{gap}{}  {}", step.get(), paint("1", title));
        }
        Told::Does(what) => println!("   {what}"),
        Told::Shows(what) => println!("     {}", paint("2", &what)),
        Told::Checked(what) => {
            checks.set(checks.get() + 1);
            println!("   {} {what}", paint("32", "✓"));
        }
    })
    .await?;
    let seconds = start.elapsed().as_secs();
    println!("\n{} checks, all passed, in {seconds} seconds.", checks.get());
    match kept {
        None => println!("Both clusters were stopped and removed."),
        Some(kept) => show_kept(&kept),
    }
    Ok(())
}

fn show_kept(kept: &Kept) {
    let Kept { desktop_url, cloud_url, config, stop } = kept;
    let (config, stop) = (config.display(), stop.display());
    // As it was called: it need not be on the PATH.
    let program = std::env::args().next().unwrap_or_else(|| "tidegate".to_owned());
    println!(
        "
Both clusters run on:

  desktop  psql {desktop_url}
  cloud    psql {cloud_url}

  sync     {program} --config {config} sync
  look     {program} --config {config} status

  remove   {stop}"
    );
}

/// One step of the story, for machines.
#[derive(Debug, Default, Serialize)]
struct Step {
    title: &'static str,
    told: Vec<String>,
    checked: Vec<String>,
}

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    outcome: &'static str,
    steps: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
}

/// All of it in the end, for machines; an error is told on stderr alone.
async fn document(keep: bool, stop: &CancellationToken) -> Result<()> {
    let steps: RefCell<Vec<Step>> = RefCell::default();
    let kept = demo::tell(keep, &Sql::default(), stop, &|told| {
        let mut steps = steps.borrow_mut();
        match (told, steps.last_mut()) {
            (Told::Step(title), _) => steps.push(Step { title, ..Step::default() }),
            (Told::Does(what) | Told::Shows(what), Some(step)) => step.told.push(what),
            (Told::Checked(what), Some(step)) => step.checked.push(what),
            (_, None) => {}
        }
    })
    .await?;
    let schema_version = run::SCHEMA_VERSION;
    print::json(&Document { schema_version, outcome: "ok", steps: steps.into_inner(), kept })
}
