//! `tidegate status`.

use clap::Args;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::model::Direction;
use crate::run::{self, Trouble};
use crate::sql::Sql;
use crate::store::TableStatus;

use super::{Global, Output, Tables, print};

/// Show how each table stands in both directions: watermark, lag, rows by owner, withheld rows, last run.
///
/// Asks each end only for what runs and verifications have recorded there: the cloud for forward, the
/// desktop for reverse. Where the desktop can't be asked, forward is shown, with a warning.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    direction: &'static str,
    tables: &'d [TableStatus],
    reverse: Reverse<'d>,
}

/// Whether the desktop says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    NotSetUp,
    Unreachable,
    Failed,
}

/// What the desktop says.
#[derive(Serialize)]
struct Reverse<'d> {
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
    tables: &'d [TableStatus],
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let settings = run::selected(&config, &arguments.tables.names)?;
    let labels: Vec<String> = settings.iter().map(|t| t.cloud.to_string()).collect();
    let sql = Sql::default();
    let ask = |direction| Box::pin(run::status(&config, direction, &labels, &sql));
    let (forward, reverse) = tokio::join!(ask(Direction::Forward), ask(Direction::Reverse));
    let forward = forward?;
    let (reverse, missing) = match reverse {
        Ok(tables) => (tables, None),
        Err(e) => (Vec::new(), Some(e)),
    };
    match global.output {
        Output::Json => print::json(&Document {
            schema_version: run::SCHEMA_VERSION,
            direction: Direction::Forward.word(),
            tables: &forward,
            reverse: Reverse {
                state: missing.as_ref().map_or(State::Ok, state),
                error: missing.as_ref().map(Trouble::from),
                tables: &reverse,
            },
        })?,
        Output::Human => {
            let both = forward.iter().enumerate();
            print::status(both.flat_map(|(i, t)| [Some(t), reverse.get(i)]).flatten());
        }
    }
    if let Some(e) = missing {
        tell(global, &e);
    }
    Ok(0)
}

fn state(e: &Error) -> State {
    match e.kind() {
        Kind::Config => State::NotSetUp,
        Kind::Unreachable(_) => State::Unreachable,
        _ => State::Failed,
    }
}

/// Why there is nothing of reverse. That it was never set up is no fault.
fn tell(global: &Global, e: &Error) {
    match (state(e), global.output) {
        (State::NotSetUp, Output::Human) => println!("reverse: not set up: {e}\n  {}", e.remedy()),
        (State::NotSetUp, Output::Json) => {}
        _ => tracing::warn!("reverse can't be shown: {e}"),
    }
}
