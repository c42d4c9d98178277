//! The command line: one file per verb, each turns arguments into a library call and prints what
//! comes back. Results go to stdout, logs to stderr.

mod check;
mod config;
mod conflicts;
mod demo;
mod explain;
mod grants;
mod init;
mod logging;
mod migrate;
mod plan;
mod print;
mod progress;
mod runs;
mod signals;
mod status;
mod uninstall;
mod verify;
mod watermark;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::error::{End, Error, Result};
use crate::model::Direction;
use crate::run::Way;

/// Keeps a desktop database and a cloud PostgreSQL in step without losing a row that a mobile user
/// made.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done; withheld rows and warnings are lines of the output
  1    an error that fits nothing below
  2    wrong usage
  3    done in part: some tables failed (with --strict also: rows were withheld, or `verify` warns)
  10   configuration, or something that a database must be set up with first
  11   desktop unreachable
  12   not authorised
  13   cloud unreachable
  20   verification failed: a transaction wrote something else than was planned, and was rolled
       back; or mobile rows are missing that the change log does not explain; or `verify` found a
       difference that nothing explains
  21   `plan` found rows to write
  75   another run holds the table
  130  interrupted (143: terminated); the next run goes on";

/// What every verb knows.
#[derive(Debug, Args)]
struct Global {
    /// The configuration; if it is not named, ./tidegate.toml, then /etc/tidegate/tidegate.toml
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// How results are written to stdout
    #[arg(long, value_enum, default_value_t = Output::Human, global = true)]
    output: Output,
    /// How logs are written; if it is not said, the journal under systemd, otherwise human
    #[arg(long, value_enum, global = true)]
    log_format: Option<logging::Format>,
    /// Log more, and say what caused an error
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    /// Log errors only, and show no progress
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    quiet: bool,
}

/// The tables that a verb is about.
#[derive(Debug, Args)]
struct Tables {
    /// Only this table, also if it is not enabled (may be given several times)
    #[arg(long = "table", value_name = "TABLE")]
    names: Vec<String>,
}

/// Which runs there are to be.
#[derive(Debug, Args)]
struct Directions {
    /// For an office of which nothing comes home: leave out what only reverse runs need
    #[arg(long)]
    forward_only: bool,
}

impl Directions {
    fn way(&self) -> Way {
        if self.forward_only { FORWARD } else { Way::Both }
    }
}

/// [`End`], as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    /// The office's database.
    Desktop,
    /// The PostgreSQL that the mobile app works on.
    Cloud,
}

impl Side {
    fn end(self) -> End {
        match self {
            Side::Desktop => End::Desktop,
            Side::Cloud => End::Cloud,
        }
    }
}

/// [`Direction`], as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Heading {
    /// The desktop's changes, to the cloud.
    Forward,
    /// What mobile users did, home to the desktop.
    Reverse,
}

impl Heading {
    fn direction(self) -> Direction {
        match self {
            Heading::Forward => Direction::Forward,
            Heading::Reverse => Direction::Reverse,
        }
    }
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Human,
    /// One JSON document, a stable contract.
    Json,
}

/// Each verb's help stands at its arguments, but for the runs, which have the same.
#[derive(Debug, Subcommand)]
enum Verb {
    Init(init::Arguments),
    Migrate(migrate::Arguments),
    Grants(grants::Arguments),
    Check(check::Arguments),
    Plan(plan::Arguments),
    /// Bring the desktop's changes to the cloud.
    ///
    /// Reads what changed since the last run and merges it. A row that a mobile user made is never
    /// overwritten; a mobile edit that the desktop has not got yet, only by a later edit of the
    /// desktop's. A row that is not written is kept in _sync_withheld with its reason, and tried again
    /// once that may have changed; the others go on.
    Forward(runs::Arguments),
    /// Bring home what mobile users did: their rows, and their edits of the desktop's rows.
    ///
    /// Reads the cloud's change log since the last run and merges what it names into the desktop.
    /// Where both sides edited a row of the desktop's, the later edit stands, and the other version is
    /// kept (see `conflicts`). The desktop's own triggers fire as for any writer. A row that is not
    /// written is kept in the desktop's _sync_withheld with its reason.
    Reverse(runs::Arguments),
    /// Both ways: reverse, then forward, as one run.
    ///
    /// In this order, because what forward reads then contains what mobile users did.
    Sync(runs::Arguments),
    Conflicts(conflicts::Arguments),
    Explain(explain::Arguments),
    Verify(verify::Arguments),
    Status(status::Arguments),
    Watermark(watermark::Arguments),
    Config(config::Arguments),
    Uninstall(uninstall::Arguments),
    Demo(demo::Arguments),
}

const FORWARD: Way = Way::One(Direction::Forward);
const REVERSE: Way = Way::One(Direction::Reverse);

impl Global {
    fn load(&self) -> Result<Config> {
        Config::load(self.config.as_deref())
    }
}

/// The exit code of a wrong usage, as clap has it.
const USAGE: u8 = 2;

/// Says what is wrong with an argument; gives the exit code.
fn usage(message: impl std::fmt::Display) -> u8 {
    // Where stderr is closed there is nobody to tell.
    Cli::command().error(ErrorKind::ValueValidation, message).print().ok();
    USAGE
}

/// Runs the command line; gives the exit code.
pub fn main() -> u8 {
    let cli = Cli::parse();
    logging::start(&cli.global);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(e) => Err(Error::new(crate::error::Kind::Other, "no async runtime").because(e)),
    };
    outcome.unwrap_or_else(|e| {
        print::error(&e);
        e.kind().exit_code()
    })
}

async fn run(cli: &Cli) -> Result<u8> {
    let stop = signals::listen();
    let code = match &cli.verb {
        Verb::Init(arguments) => init::run(&cli.global, arguments).await,
        Verb::Migrate(arguments) => migrate::run(&cli.global, arguments).await,
        Verb::Grants(arguments) => grants::run(&cli.global, arguments).await,
        Verb::Check(arguments) => check::run(&cli.global, arguments).await,
        Verb::Plan(arguments) => plan::run(&cli.global, arguments, stop.token()).await,
        Verb::Forward(arguments) => runs::run(&cli.global, FORWARD, arguments, stop.token()).await,
        Verb::Reverse(arguments) => runs::run(&cli.global, REVERSE, arguments, stop.token()).await,
        Verb::Sync(arguments) => runs::run(&cli.global, Way::Both, arguments, stop.token()).await,
        Verb::Conflicts(arguments) => conflicts::run(&cli.global, arguments).await,
        Verb::Explain(arguments) => explain::run(&cli.global, arguments, stop.token()).await,
        Verb::Verify(arguments) => verify::run(&cli.global, arguments, stop.token()).await,
        Verb::Status(arguments) => status::run(&cli.global, arguments).await,
        Verb::Watermark(arguments) => watermark::run(&cli.global, arguments).await,
        Verb::Config(arguments) => config::run(&cli.global, arguments),
        Verb::Uninstall(arguments) => uninstall::run(&cli.global, arguments).await,
        Verb::Demo(arguments) => demo::run(&cli.global, arguments, stop.token()).await,
    }?;
    Ok(stop.code(code))
}
