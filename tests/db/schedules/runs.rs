//! Runs of every kind, one after the other, now and then two at once.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tidegate::config::Config;
use tidegate::run::{self, Event, Request, Way};
use tidegate::sql::Sql;
use tokio_util::sync::CancellationToken;

use crate::process::STEPS;
use crate::support::{Dice, TIDEGATE};

/// What the runs of a schedule do.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Which ways they go.
    pub ways: &'static [Way],
    /// One in so many is killed on its way; 0: none.
    pub kills: u64,
    /// In so many of eight cases there are two at once.
    pub at_once: u64,
    /// The tables, as they are configured.
    pub tables: &'static str,
}

/// Runs between two databases.
pub struct Runs<'s> {
    habits: Habits,
    urls: [String; 2],
    lag: &'static str,
    sql: &'s Sql,
    directory: TempDir,
    /// What was wrong with any of them.
    pub findings: Vec<String>,
}

/// One run.
#[derive(Debug, Clone)]
struct Kind {
    way: Way,
    full: bool,
    /// The step at which it is killed.
    killed_at: Option<String>,
    /// Asked to stop after so many batches.
    stopped_after: Option<usize>,
    batch_rows: u64,
    workers: u64,
}

impl<'s> Runs<'s> {
    pub fn new(urls: [&str; 2], habits: Habits, sql: &'s Sql, dice: &mut Dice) -> Self {
        Self {
            habits,
            urls: urls.map(str::to_owned),
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
            ..self.plain(dice, 50)
        };
        let other = self.plain(dice, 50);
        if self.habits.kills > 0 && dice.one_in(self.habits.kills) {
            let when = dice.pick(&["return", "1*off->return", "2*off->return"]);
            let killed_at = Some(format!("{}={when}", dice.pick(&STEPS)));
            let report = self.spawned(&Kind { killed_at, ..kind }).await;
            return self.judge(&report);
        }
        match dice.roll(8) {
            n if n < self.habits.at_once => {
                let (one, two) = tokio::join!(self.within(&kind), self.spawned(&other));
                self.judge(&one);
                self.judge(&two);
            }
            n if n == self.habits.at_once => {
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

    /// A run without anything special.
    fn plain(&self, dice: &mut Dice, batch_rows: u64) -> Kind {
        let way = match self.habits.ways {
            [only] => *only,
            ways => dice.pick(ways),
        };
        Kind { way, full: false, killed_at: None, stopped_after: None, batch_rows, workers: 4 }
    }

    /// Everybody rests: a few runs `way` bring what is there, and the last one finds nothing to write.
    pub async fn last(&mut self, way: Way, full: &[bool]) {
        for (left, full) in (0..full.len()).rev().zip(full) {
            let kind = Kind { way, full: *full, ..self.plain(&mut Dice::new(0), 50_000) };
            let report = self.within(&kind).await;
            self.judge(&report);
            let tables = report["tables"].as_array().cloned().unwrap_or_default();
            let wrote = |t: &Value| t["inserted"] != 0 || t["updated"] != 0;
            if report["outcome"] != "ok" || left == 0 && tables.iter().any(wrote) {
                self.findings.push(format!("the last run: {report}"));
            }
        }
    }

    fn config(&self, kind: &Kind) -> PathBuf {
        let path = self.directory.path().join(format!("{}-{}.toml", kind.batch_rows, kind.workers));
        let [desktop, cloud] = &self.urls;
        let text = format!(
            "[desktop]\nkind = \"postgres\"\nurl = \"{desktop}\"\n[cloud]\nurl = \"{cloud}\"\n\
             [sync]\nlag = \"{}\"\nbatch_rows = {}\nworkers = {}\n{}",
            self.lag, kind.batch_rows, kind.workers, self.habits.tables
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
        match run::run(&config, kind.way, &request, self.sql, &stop, &events).await {
            Ok(report) => serde_json::to_value(report).unwrap(),
            Err(e) => Value::String(format!("{e:?}")),
        }
    }

    /// As a process: its report, without any table if it was killed. It has the statements as they are,
    /// whatever is planted.
    async fn spawned(&self, kind: &Kind) -> Value {
        let mut command = tokio::process::Command::new(TIDEGATE);
        command.arg("--config").arg(self.config(kind)).arg(kind.way.word());
        command.args(["--output", "json"]).args(kind.full.then_some("--full"));
        command
            .env_remove("JOURNAL_STREAM")
            .envs(kind.killed_at.iter().map(|at| ("FAILPOINTS", at)));
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        if kind.killed_at.is_some() && output.status.signal() == Some(6) {
            return serde_json::json!({ "tables": [] });
        }
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
