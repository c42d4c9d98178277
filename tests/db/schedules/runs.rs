//! Runs of every kind, one after the other, now and then two at once.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tidegate::config::Config;
use tidegate::run::{self, Event, Request};
use tidegate::sql::Sql;
use tokio_util::sync::CancellationToken;

use crate::support::{Dice, TIDEGATE};

/// Runs between two databases.
pub struct Runs<'s> {
    urls: [String; 2],
    lag: &'static str,
    sql: &'s Sql,
    directory: TempDir,
    /// What was wrong with any of them.
    pub findings: Vec<String>,
}

/// One run.
#[derive(Debug, Clone, Default)]
struct Kind {
    full: bool,
    /// Asked to stop after so many batches.
    stopped_after: Option<usize>,
    batch_rows: u64,
    workers: u64,
}

impl<'s> Runs<'s> {
    pub fn new(desktop: &str, cloud: &str, sql: &'s Sql, dice: &mut Dice) -> Self {
        Self {
            urls: [desktop.to_owned(), cloud.to_owned()],
            // Without it, nothing arrives by its grace.
            lag: dice.pick(&["0s", "0s", "0s", "2s"]),
            sql,
            directory: TempDir::new().unwrap(),
            findings: Vec::new(),
        }
    }

    /// The next run, or two.
    pub async fn go(&mut self, dice: &mut Dice) {
        let kind = Kind {
            full: dice.one_in(8),
            stopped_after: dice.one_in(4).then(|| 1 + dice.roll(3) as usize),
            batch_rows: dice.pick(&[1, 4, 20, 20, 50_000]),
            workers: dice.pick(&[1, 4]),
        };
        let other = Kind { batch_rows: 50, workers: 4, ..Kind::default() };
        match dice.roll(8) {
            0 => {
                let (one, two) = tokio::join!(self.within(&kind), self.spawned(&other));
                self.judge(&one);
                self.judge(&two);
            }
            1 => {
                let report = self.spawned(&kind).await;
                self.judge(&report);
            }
            _ => {
                let report = self.within(&kind).await;
                self.judge(&report);
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(40))).await;
    }

    /// Everybody rests: one run brings what is there, and a second one finds nothing to write.
    pub async fn last(&mut self) {
        let kind = Kind { batch_rows: 50_000, workers: 4, ..Kind::default() };
        for quiet in [false, true] {
            let report = self.within(&kind).await;
            self.judge(&report);
            let tables = report["tables"].as_array().cloned().unwrap_or_default();
            let wrote = |t: &Value| t["inserted"] != 0 || t["updated"] != 0;
            if report["outcome"] != "ok" || quiet && tables.iter().any(wrote) {
                self.findings.push(format!("the last run: {report}"));
            }
        }
    }

    fn config(&self, kind: &Kind) -> PathBuf {
        let path = self.directory.path().join(format!("{}-{}.toml", kind.batch_rows, kind.workers));
        let [desktop, cloud] = &self.urls;
        let text = format!(
            "[desktop]\nkind = \"postgres\"\nurl = \"{desktop}\"\n[cloud]\nurl = \"{cloud}\"\n\
             [sync]\nlag = \"{}\"\nbatch_rows = {}\nworkers = {}\n[tables.tasks]\n[tables.jobs]\n",
            self.lag, kind.batch_rows, kind.workers
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Through the library: its report.
    async fn within(&self, kind: &Kind) -> Value {
        let config = Config::load(Some(&self.config(kind))).unwrap();
        let request = Request { full: kind.full, ..Request::default() };
        let stop = CancellationToken::new();
        let batches = Cell::new(0);
        let events = |event: Event<'_>| {
            batches.set(batches.get() + usize::from(matches!(event, Event::Batch { .. })));
            if kind.stopped_after == Some(batches.get()) {
                stop.cancel();
            }
        };
        match run::forward(&config, &request, self.sql, &stop, &events).await {
            Ok(report) => serde_json::to_value(report).unwrap(),
            Err(e) => Value::String(format!("{e:?}")),
        }
    }

    /// As a process: its report. It has the statements as they are, whatever is planted.
    async fn spawned(&self, kind: &Kind) -> Value {
        let mut command = tokio::process::Command::new(TIDEGATE);
        command.arg("--config").arg(self.config(kind)).args(["forward", "--output", "json"]);
        command.args(kind.full.then_some("--full")).env_remove("JOURNAL_STREAM");
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| Value::String(format!("{output:?}")))
    }

    /// A run may be held, stopped, or meet a lock; nothing else.
    fn judge(&mut self, report: &Value) {
        let Some(tables) = report["tables"].as_array() else {
            return self.findings.push(format!("a run failed: {report}"));
        };
        for table in tables {
            let count = |name: &str| table[name].as_u64().unwrap_or_default();
            let decided: u64 =
                ["inserted", "updated", "unchanged", "withheld"].into_iter().map(count).sum();
            let met_a_lock =
                table["error"]["message"].as_str().is_some_and(|m| m.contains("55P03"));
            let is_fine = match table["outcome"].as_str().unwrap_or_default() {
                "ok" => count("read") == decided,
                "held" | "interrupted" | "held_back" => true,
                "failed" => met_a_lock,
                _ => false,
            };
            if !is_fine {
                self.findings.push(format!("a run: {table}"));
            }
        }
    }
}
