//! Who calls the pipeline: all tables of a run, parents first, in parallel where independent.

mod by_hand;
mod counting;
mod ending;
mod one_way;
mod opening;
mod report;
mod retry;
mod schedule;
pub mod script;
pub mod sequences;
pub mod setup;
mod survey;
mod target;
pub mod watermark;
mod worker;
mod written;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::error::Result;
use crate::model::Direction;
use crate::sql::Sql;

pub use by_hand::status;
use one_way::OneWay;
pub use one_way::{Request, same_source};
pub use opening::{Catalogues, Ends, Planned, selected, sql_server_store, store};
pub use report::{Outcome, Rehearsed, RunReport, SCHEMA_VERSION, TableReport, Trouble};

/// What a run tells while it is at work.
#[derive(Debug)]
pub enum Event<'e> {
    /// It begins with a direction.
    Begins {
        /// Which.
        direction: Direction,
    },
    /// It knows its tables.
    Planned {
        /// How many there are.
        tables: usize,
    },
    /// A batch was committed.
    Batch {
        /// The table.
        table: &'e str,
        /// Rows read so far.
        read: u64,
    },
    /// A table's changes are through.
    Through {
        /// The table.
        table: &'e str,
    },
}

/// Told of every [`Event`].
pub type Events<'e> = dyn Fn(Event<'_>) + 'e;

/// What all workers of one run share.
struct Run<'r, V, T> {
    view: &'r V,
    target: &'r T,
    stop: &'r CancellationToken,
    events: &'r Events<'r>,
    full: bool,
    row: Option<&'r str>,
}

/// Which way a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In one direction.
    One(Direction),
    /// Reverse, then forward.
    Both,
}

impl Way {
    /// The word in output.
    pub const fn word(self) -> &'static str {
        match self {
            Way::One(direction) => direction.word(),
            Way::Both => "sync",
        }
    }

    /// In their order.
    pub const fn directions(self) -> &'static [Direction] {
        match self {
            Way::One(Direction::Forward) => &[Direction::Forward],
            Way::One(Direction::Reverse) => &[Direction::Reverse],
            // What mobile users did comes home first: what forward reads then contains it.
            Way::Both => &[Direction::Reverse, Direction::Forward],
        }
    }
}

/// Runs once, under one run id.
///
/// # Errors
/// Only what concerns the run as a whole; a table's own error is in the report.
pub async fn run(
    config: &Config,
    way: Way,
    request: &Request,
    sql: &Sql,
    stop: &CancellationToken,
    events: &Events<'_>,
) -> Result<RunReport> {
    let run_id = Uuid::now_v7();
    let mut tables = Vec::new();
    let mut survey = None;
    for &direction in way.directions() {
        if stop.is_cancelled() && !tables.is_empty() {
            break;
        }
        events(Event::Begins { direction });
        let one_way = OneWay { config, way, direction, run_id, request, sql, stop, events };
        tables.extend(Box::pin(one_way.run(&mut survey)).await?);
    }
    Ok(RunReport::new(run_id, way.word(), request.dry_run, tables))
}

/// Runs forward sync once: desktop → cloud.
///
/// # Errors
/// See [`run`].
pub async fn forward(
    config: &Config,
    request: &Request,
    sql: &Sql,
    stop: &CancellationToken,
    events: &Events<'_>,
) -> Result<RunReport> {
    run(config, Way::One(Direction::Forward), request, sql, stop, events).await
}
