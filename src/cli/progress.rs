//! A progress line on a terminal; nothing anywhere else.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::Event;

/// Tables done, and the rows of those at work.
pub(super) struct Bar {
    bar: ProgressBar,
    at_work: Mutex<BTreeMap<String, u64>>,
}

impl Bar {
    /// Hidden when `quiet`, and where stderr is no terminal.
    pub(super) fn new(quiet: bool) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} tables  {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar, at_work: Mutex::default() }
    }

    /// Takes in what a run tells.
    pub(super) fn show(&self, event: &Event<'_>) {
        let Ok(mut at_work) = self.at_work.lock() else { return };
        match event {
            Event::Begins { .. } => self.bar.reset(),
            Event::Planned { tables } => self.bar.set_length(*tables as u64),
            Event::Batch { table, read } => {
                at_work.insert((*table).to_owned(), *read);
            }
            Event::Through { table } => {
                at_work.remove(*table);
                self.bar.inc(1);
            }
        }
        let words: Vec<String> = at_work.iter().map(|(t, n)| format!("{t} {n} rows")).collect();
        self.bar.set_message(words.join(", "));
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
