//! Users of both ends: what they do comes from their dice. Whatever they write has a name of its own, and
//! they know which one they saw before.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{Client, Error};

use crate::support::{Dice, connect};

/// How many there are at the desktop and in the cloud.
const USERS: [usize; 2] = [2, 3];
/// Transactions of each.
const ROUNDS: usize = 24;
/// Milliseconds that a user thinks at most, but for now and then, when it is twenty times that.
const PACE: u64 = 15;

/// Where somebody works: its index in pairs of both ends.
pub const DESKTOP: usize = 0;
pub const CLOUD: usize = 1;

/// Something that was done to a row, and committed.
#[derive(Debug, Clone)]
pub struct Act {
    pub end: usize,
    pub id: i32,
    /// The name before; none: there was no row.
    pub saw: Option<String>,
    /// The name since; none: the row is deleted.
    pub made: Option<String>,
}

struct User {
    end: usize,
    number: usize,
    dice: Dice,
    session: Client,
    counter: usize,
    /// What the open transaction has done.
    open: Vec<Act>,
}

impl User {
    /// A name that nobody else gives.
    fn next(&mut self) -> String {
        self.counter += 1;
        format!("{}{}.{}", ["d", "m"][self.end], self.number, self.counter)
    }

    /// The clock, or one that runs wrong.
    fn stamp(&mut self) -> &'static str {
        self.dice.pick(&[
            "clock_timestamp()",
            "clock_timestamp()",
            "now()",
            "now()",
            "now() - interval '1 hour'",
            "now() + interval '2 seconds'",
        ])
    }

    async fn think(&mut self) {
        let longest = if self.dice.one_in(12) { 20 } else { 1 };
        sleep(Duration::from_millis(self.dice.roll(longest * PACE))).await;
    }

    /// A row at random, of those that are `which`: its key and name. It is locked.
    async fn some_row(&mut self, which: &str) -> Result<Option<(i32, String)>, Error> {
        let n = self.dice.roll(1_000_000);
        let some = format!(
            "select id, name from jobs where {which} order by md5(id || ' {n}') limit 1 for update"
        );
        let row = self.session.query_opt(&some, &[]).await?;
        Ok(row.map(|row| (row.get(0), row.get::<_, String>(1).to_lowercase())))
    }

    async fn act(&mut self) -> Result<(), Error> {
        match (self.end, self.dice.roll(14)) {
            (_, 0 | 1) => self.insert().await,
            (DESKTOP, 2) => self.delete("source = 'D' and id > 8").await,
            (CLOUD, 2) => self.delete("source = 'M'").await,
            (CLOUD, 3) if self.dice.one_in(3) => self.delete("source = 'D' and id > 8").await,
            (_, 3 | 4) => self.edit("source = 'M'").await,
            _ => self.edit("source = 'D'").await,
        }
    }

    /// Under a key of his own, or one that others may take.
    async fn insert(&mut self) -> Result<(), Error> {
        let (name, stamp) = (self.next(), self.stamp());
        let id = match self.dice.one_in(4) {
            true => 5000 + self.dice.roll(10),
            false => ((self.end * 4 + self.number + 1) * 10_000 + self.counter) as u64,
        };
        let insert = format!(
            "insert into jobs values ({id}, '{name}', '{}', {stamp}, {stamp}) \
             on conflict do nothing returning id",
            ["D", "M"][self.end]
        );
        let made = self.session.query_opt(&insert, &[]).await?;
        let act = |id| Act { end: self.end, id, saw: None, made: Some(name) };
        self.open.extend(made.map(|row| act(row.get(0))));
        Ok(())
    }

    async fn edit(&mut self, which: &str) -> Result<(), Error> {
        let Some((id, saw)) = self.some_row(which).await? else { return Ok(()) };
        let (name, stamp) = (self.next(), self.stamp());
        let stamp = if self.dice.one_in(4) { "updated_at" } else { stamp };
        let edit = format!("update jobs set name = '{name}', updated_at = {stamp} where id = {id}");
        self.session.execute(&edit, &[]).await?;
        self.open.push(Act { end: self.end, id, saw: Some(saw), made: Some(name) });
        Ok(())
    }

    async fn delete(&mut self, which: &str) -> Result<(), Error> {
        let Some((id, saw)) = self.some_row(which).await? else { return Ok(()) };
        self.session.execute(&format!("delete from jobs where id = {id}"), &[]).await?;
        self.open.push(Act { end: self.end, id, saw: Some(saw), made: None });
        Ok(())
    }

    /// Some acts, a part of which may be undone; then all of it, too.
    async fn transaction(&mut self) -> Result<(), Error> {
        self.session.batch_execute("begin").await?;
        for _ in 0..=self.dice.roll(3) {
            let kept = self.open.len();
            let within = self.dice.one_in(3);
            if within {
                self.session.batch_execute("savepoint part").await?;
            }
            self.act().await?;
            self.think().await;
            if within && self.dice.one_in(2) {
                self.session.batch_execute("rollback to savepoint part").await?;
                self.open.truncate(kept);
            }
        }
        if self.dice.one_in(7) {
            self.session.batch_execute("rollback").await?;
            self.open.clear();
        }
        self.session.batch_execute("commit").await
    }

    async fn work(mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        for _ in 0..ROUNDS {
            if let Err(e) = self.transaction().await {
                // Users deadlock with each other.
                let code = e.code().map_or("", |code| code.code());
                assert_eq!(code, "40P01", "{} {}: {e:?}", self.end, self.number);
                self.session.batch_execute("rollback").await.unwrap();
                self.open.clear();
            }
            acts.append(&mut self.open);
            self.think().await;
        }
        acts
    }
}

/// Users at work.
pub struct Users {
    tasks: JoinSet<Vec<Act>>,
    acts: Vec<Act>,
}

impl Users {
    /// All of them, at both ends.
    pub async fn start(urls: [&str; 2], dice: &mut Dice) -> Self {
        let mut tasks = JoinSet::new();
        for end in [DESKTOP, CLOUD] {
            for number in 0..USERS[end] {
                let dice = Dice::new(dice.roll(u64::MAX));
                let session = connect(urls[end]).await;
                let user = User { end, number, dice, session, counter: 0, open: Vec::new() };
                tasks.spawn(user.work());
            }
        }
        Self { tasks, acts: Vec::new() }
    }

    /// Whether any is still at work.
    pub fn are_at_work(&mut self) -> bool {
        while let Some(done) = self.tasks.try_join_next() {
            self.acts.extend(done.unwrap());
        }
        !self.tasks.is_empty()
    }

    /// What all of them did, once they are at rest.
    pub fn acts(self) -> Vec<Act> {
        self.acts
    }
}
