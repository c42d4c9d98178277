//! Users of both ends: what they do comes from their dice, what it meets from the others.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{Client, Error};

use super::journal::{Journal, Key, VERSION, Version};
use super::{desktop, mobile};
use crate::support::{Dice, connect};

/// How many there are of each.
pub const AT_DESKS: i32 = 8;
pub const ON_PHONES: i32 = 4;

/// Which end a user works at; number of his, from 0.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    Desk(i32),
    Phone(i32),
}

/// One user with his session.
pub struct Writer {
    pub place: Place,
    pub dice: Dice,
    /// Milliseconds that he thinks at most, but for now and then, when it is ten times that.
    pace: u64,
    session: Client,
    /// Numbers keys and values, so that none comes twice.
    counter: i32,
    /// What the open transaction has written; none: deleted.
    written: Vec<(Key, Option<Version>)>,
    journal: Journal,
}

impl Writer {
    /// The next number of this user.
    pub fn next(&mut self) -> i32 {
        self.counter += 1;
        self.counter
    }

    /// A number of this user that may be in use.
    pub fn earlier(&mut self) -> i32 {
        1 + self.dice.roll(self.counter.max(1) as u64) as i32
    }

    /// The clock of the row, or of the transaction.
    pub fn stamp(&mut self) -> &'static str {
        self.dice.pick(&["now()", "clock_timestamp()"])
    }

    /// Writes rows of `table` by a statement that calls it `r`.
    pub async fn write(&mut self, table: &'static str, statement: &str) -> Result<(), Error> {
        let rows = self.session.query(&format!("{statement} returning {VERSION}"), &[]).await?;
        let versions = rows.iter().map(|row| Version::of(table, row));
        self.written.extend(versions.map(|(key, version)| (key, Some(version))));
        Ok(())
    }

    /// Deletes rows of `table`, called `r`.
    pub async fn delete(&mut self, table: &'static str, which: &str) -> Result<(), Error> {
        let delete = format!("delete from {table} r where {which} returning r.id");
        let rows = self.session.query(&delete, &[]).await?;
        self.written.extend(rows.iter().map(|row| ((table, row.get(0)), None)));
        Ok(())
    }

    /// Thinks: mostly briefly, now and then for as long as a run or two.
    async fn think(&mut self) {
        let longest = if self.dice.one_in(12) { 10 } else { 1 };
        sleep(Duration::from_millis(self.dice.roll(longest * self.pace))).await;
    }

    async fn act(&mut self) -> Result<(), Error> {
        match self.place {
            Place::Desk(user) => desktop::act(self, user).await,
            Place::Phone(user) => mobile::act(self, user).await,
        }
    }

    /// Some acts, a part of which may be undone; then all of it, too.
    async fn transaction(&mut self) -> Result<(), Error> {
        self.session.batch_execute("begin").await?;
        self.think().await;
        for _ in 0..=self.dice.roll(3) {
            let kept = self.written.len();
            let within = self.dice.one_in(3);
            if within {
                self.session.batch_execute("savepoint part").await?;
            }
            self.act().await?;
            self.think().await;
            if within && self.dice.one_in(2) {
                self.session.batch_execute("rollback to savepoint part").await?;
                self.written.truncate(kept);
            }
        }
        if self.dice.one_in(7) {
            self.session.batch_execute("rollback").await?;
            self.written.clear();
        }
        self.session.batch_execute("commit").await?;
        self.note();
        Ok(())
    }

    /// The transaction is committed.
    fn note(&mut self) {
        for (key, version) in self.written.drain(..) {
            match (self.place, version) {
                (Place::Desk(_), Some(version)) => {
                    self.journal.desktop.entry(key).or_default().push(version);
                }
                (Place::Desk(_), None) => {}
                (Place::Phone(_), Some(edit)) if edit.owner == "D" => {
                    self.journal.edits.insert(key, edit);
                }
                (Place::Phone(_), own) => {
                    self.journal.own.insert(key, own);
                }
            }
        }
    }

    /// Works until told to stop.
    async fn work(mut self, goes_on: impl Fn(i32) -> ControlFlow<()>) -> Journal {
        let mut round = 0;
        while goes_on(round).is_continue() {
            if let Err(e) = self.transaction().await {
                // Users deadlock with each other, and refer to rows that are gone by then.
                let code = e.code().map_or("", |code| code.code());
                assert!(["40P01", "23503"].contains(&code), "{:?}: {e:?}", self.place);
                self.session.batch_execute("rollback").await.unwrap();
                self.written.clear();
            }
            round += 1;
            self.think().await;
        }
        self.journal
    }
}

/// Users at work.
pub struct Writers {
    tasks: JoinSet<Journal>,
    journal: Journal,
    enough: Arc<AtomicBool>,
}

impl Writers {
    /// All of them, at `desktop` and `cloud`, by `dice` and `pace`; each works for about `rounds`
    /// transactions, or until [`Writers::journal`] asks.
    pub async fn start(
        [desktop, cloud]: [&str; 2],
        dice: &mut Dice,
        pace: u64,
        rounds: i32,
    ) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        let places = (0..AT_DESKS).map(Place::Desk).chain((0..ON_PHONES).map(Place::Phone));
        for place in places {
            // Phones are at work for longer, so that some of what they do meets a desktop at rest.
            let (url, rounds) = match place {
                Place::Desk(_) => (desktop, rounds),
                Place::Phone(_) => (cloud, rounds.saturating_mul(2)),
            };
            let writer = Writer {
                place,
                dice: Dice::new(dice.roll(u64::MAX)),
                pace,
                session: connect(url).await,
                counter: 0,
                written: Vec::new(),
                journal: Journal::default(),
            };
            let enough = Arc::clone(&enough);
            tasks.spawn(writer.work(move |round| {
                match round < rounds && !enough.load(Ordering::Relaxed) {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            }));
        }
        Self { tasks, journal: Journal::default(), enough }
    }

    /// Whether any is still at work.
    pub fn are_at_work(&mut self) -> bool {
        while let Some(done) = self.tasks.try_join_next() {
            self.journal.add(done.unwrap());
        }
        !self.tasks.is_empty()
    }

    /// Sends everybody home; what they did.
    pub async fn journal(mut self) -> Journal {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(done) = self.tasks.join_next().await {
            self.journal.add(done.unwrap());
        }
        self.journal
    }
}
