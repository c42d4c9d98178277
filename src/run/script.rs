//! The statements of a run as text, in the order in which a rehearsal came to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::model::Direction;
use crate::sql::{Recorder, Rendered, Sql};

use super::Event;

/// Listens to a rehearsal. Its tables have to be worked on one after the other.
#[derive(Debug, Default)]
pub struct Script {
    recorder: Recorder,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    direction: Option<Direction>,
    parts: Vec<Part>,
}

/// The statements of one table, or of what surrounds the tables.
#[derive(Debug, Serialize)]
pub struct Part {
    /// `forward` or `reverse`.
    pub direction: &'static str,
    /// The table; `None`: before the first table, or after the last.
    pub table: Option<String>,
    /// In the order of their first use.
    pub statements: Vec<Statement>,
}

/// A statement; values are `$1`, `$2` … and its first lines say what they are.
#[derive(Debug, Serialize)]
pub struct Statement {
    /// Its file below `sql/`.
    pub name: &'static str,
    /// How often it was used.
    pub times: usize,
    /// Its text.
    pub sql: String,
}

impl Script {
    /// Statements that note themselves here.
    pub fn sql(&self) -> Sql {
        Sql::default().recorded(&self.recorder)
    }

    /// Takes in what the rehearsal tells.
    pub fn hear(&self, event: &Event<'_>) {
        match event {
            Event::Begins { direction } => {
                self.close(None);
                self.noted().direction = Some(*direction);
            }
            Event::Planned { .. } => self.close(None),
            Event::Through { table } => self.close(Some(table)),
            Event::Batch { .. } => {}
        }
    }

    /// The whole script.
    pub fn parts(self) -> Vec<Part> {
        self.close(None);
        self.noted.into_inner().unwrap_or_else(PoisonError::into_inner).parts
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, table: Option<&str>) {
        let statements = statements(self.recorder.take());
        let mut noted = self.noted();
        if !statements.is_empty() {
            let direction = noted.direction.map_or("", Direction::word);
            noted.parts.push(Part { direction, table: table.map(str::to_owned), statements });
        }
    }
}

/// What only a rehearsal sends, between two batches: a run has a transaction for each.
const REHEARSAL: [&str; 2] = ["postgres/own_output.sql", "postgres/clear.sql"];

/// Each statement once. An arm of a greater statement is not one of its own.
fn statements(rendered: Vec<Rendered>) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    let of_a_run = rendered.into_iter().filter(|rendered| !REHEARSAL.contains(&rendered.name));
    for Rendered { name, text } in of_a_run {
        match statements.iter_mut().find(|known| known.sql == text) {
            Some(known) => known.times += 1,
            None => statements.push(Statement { name, times: 1, sql: text }),
        }
    }
    let texts: Vec<String> = statements.iter().map(|s| s.sql.clone()).collect();
    let is_arm = |sql: &str| texts.iter().any(|text| text.len() > sql.len() && text.contains(sql));
    statements.retain(|statement| !is_arm(&statement.sql));
    statements
}
