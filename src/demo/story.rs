//! The story that `tidegate demo` tells, each sentence of it checked.

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::office::{Kept, Office};
use super::{old_way, rows, way_home, way_out};
use crate::db::postgres::Connection;
use crate::error::{Error, Kind, Result};
use crate::model::Direction;
use crate::run::{self, Outcome, Request, RunReport, Way};
use crate::sql::Sql;

/// What is told while the demo is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A new part of the story.
    Step(&'static str),
    /// What happens now, or what came of it.
    Does(String),
    /// A detail of that.
    Shows(String),
    /// What was checked, and holds.
    Checked(String),
}

/// Told of every step as it happens.
pub type Listener<'l> = dyn Fn(Told) + 'l;

/// Tells the whole story on two clusters made for it, which go away afterwards unless `keep`; `sql`
/// is what tidegate runs with.
///
/// # Errors
/// [`Kind::Verification`] when something does not hold; [`Kind::Interrupted`] when `stop` was asked
/// for. Nothing is left behind then, `keep` or not.
pub async fn tell(
    keep: bool,
    sql: &Sql,
    stop: &CancellationToken,
    listener: &Listener<'_>,
) -> Result<Option<Kept>> {
    listener(Told::Step("An office, and its cloud"));
    listener(Told::Does("starting two PostgreSQL clusters, and filling the desktop …".to_owned()));
    let office = unless(stop, Office::open()).await?;
    let story = Story { office: &office, sql, stop, listener };
    let told = unless(stop, Box::pin(story.tell())).await;
    let end = move || match told {
        Ok(()) if keep => office.keep().map(Some),
        told => told.and(office.close()).map(|()| None),
    };
    // Stopping takes its time.
    spawn_blocking(end).await.map_err(|e| Error::new(Kind::Other, "ending the demo").because(e))?
}

/// Gives up `work` when `stop` is asked for.
async fn unless<T>(stop: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    match stop.run_until_cancelled(work).await {
        // A Ctrl-C also ends the server's programs: then it, and not their failure, is the reason.
        Some(outcome) if outcome.is_ok() || !stop.is_cancelled() => outcome,
        _ => Err(Error::new(Kind::Interrupted, "the demo was interrupted")
            .remedied("Both clusters were stopped and removed.")),
    }
}

/// What the parts of the story share.
pub(super) struct Story<'s> {
    pub(super) office: &'s Office,
    pub(super) sql: &'s Sql,
    stop: &'s CancellationToken,
    listener: &'s Listener<'s>,
}

impl Story<'_> {
    async fn tell(&self) -> Result<()> {
        way_out::tell(self).await?;
        old_way::is_refused(self).await?;
        way_home::tell(self).await
    }

    /// A run as the command line would do it.
    pub(super) async fn run(&self, words: &[&str]) -> Result<RunReport> {
        self.does(&format!("$ tidegate {}", words.join(" ")));
        let named = words.windows(2).filter(|pair| pair[0] == "--table");
        let tables = named.map(|pair| pair[1].to_owned()).collect();
        let request = Request { tables, full: words.contains(&"--full"), ..Request::default() };
        let way = match words.first() {
            Some(&"sync") => Way::Both,
            _ => Way::One(Direction::Forward),
        };
        let config = &self.office.config;
        let run = run::run(config, way, &request, self.sql, self.stop, &|_| {});
        let report = Box::pin(run).await?;
        let trouble = report.tables.iter().find_map(|t| Some((&t.table, t.error.as_ref()?)));
        match trouble {
            Some((table, e)) => Err(fault(format!("{table}: {}", e.message))),
            None if report.outcome != Outcome::Ok => Err(fault("the run was not done".to_owned())),
            None => Ok(report),
        }
    }

    /// The list of an end's withheld rows.
    pub(super) async fn withheld(&self, end: &Connection) -> Result<Vec<String>> {
        let sql = "select table_name || ' ' || (key ->> 'job_id') || ' ' || reason \
                   from tidegate._sync_withheld where key ? 'job_id' order by key";
        rows::texts(end, sql).await
    }

    pub(super) fn step(&self, title: &'static str) {
        (self.listener)(Told::Step(title));
    }

    pub(super) fn does(&self, what: &str) {
        (self.listener)(Told::Does(what.to_owned()));
    }

    pub(super) fn shows(&self, what: &str) {
        (self.listener)(Told::Shows(what.to_owned()));
    }

    /// Goes on only if it holds.
    pub(super) fn holds(&self, holds: bool, what: &str) -> Result<()> {
        if !holds {
            return Err(fault(format!("this does not hold: {what}")));
        }
        (self.listener)(Told::Checked(what.to_owned()));
        Ok(())
    }
}

/// What `job`'s status is.
pub(super) async fn status(end: &Connection, job: i32) -> Result<String> {
    let sql = format!("select status from public.jobshead where job_id = {job}");
    end.value("looking", &sql, &[]).await
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Read, inserted, updated, unchanged, withheld, over all tables.
pub(super) fn sums(report: &RunReport, direction: Direction) -> [u64; 5] {
    let tables = report.tables.iter().filter(|t| t.direction == direction.word());
    tables.fold([0; 5], |sums, t| {
        let [read, inserted, updated, unchanged, withheld] = sums;
        [
            read + t.read,
            inserted + t.inserted,
            updated + t.updated,
            unchanged + t.unchanged,
            withheld + t.withheld,
        ]
    })
}

pub(super) fn sentence(report: &RunReport, direction: Direction) -> String {
    let [read, inserted, updated, unchanged, withheld] =
        sums(report, direction).map(|n| thousands(n.cast_signed()));
    format!(
        "{read} read: {inserted} inserted, {updated} updated, {unchanged} unchanged, {withheld} withheld"
    )
}

/// The demo's own clusters are as it made them, so what is not as told is tidegate's fault.
fn fault(message: String) -> Error {
    Error::new(Kind::Verification, message)
        .remedied("This is a fault of tidegate. Please report it, with all that was printed here.")
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_written_in_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (24_568, "24,568")] {
            assert_eq!(thousands(n), text);
        }
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
