//! The story that `tidegate demo` tells, each sentence of it checked.

use std::time::Instant;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::office::{Kept, Office};
use super::{old_way, rows};
use crate::db::postgres::Connection;
use crate::error::{Error, Kind, Result};
use crate::run::{self, Outcome, Request, RunReport};
use crate::sql::Sql;
use crate::store::Store;

const MOBILE: &str = include_str!("../../sql/demo/mobile.sql");
const DESKTOP: &str = include_str!("../../sql/demo/desktop.sql");
const COLLISION: &str = include_str!("../../sql/demo/collision.sql");

const JOBS: i64 = 24_568;

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
        self.office_is_open().await?;
        self.first_load().await?;
        self.mobile_user_works().await?;
        self.office_goes_on().await?;
        self.nothing_to_do().await?;
        self.same_key_at_both_ends().await?;
        self.older_row_reverts_nothing().await?;
        old_way::is_refused(self).await
    }

    async fn office_is_open(&self) -> Result<()> {
        let Office { desktop, cloud, .. } = self.office;
        let jobs: i64 = desktop.value("looking", "select count(*) from jobshead", &[]).await?;
        let rows = thousands(rows::count(desktop).await?);
        let empty = rows::count(cloud).await? == 0;
        self.holds(
            jobs == JOBS && empty,
            &format!(
                "the desktop has {} jobs, {rows} rows in 15 tables; the cloud has the tables, empty",
                thousands(jobs)
            ),
        )
    }

    async fn first_load(&self) -> Result<()> {
        let Office { desktop, cloud, config, .. } = self.office;
        self.step("The first load");
        self.does("$ tidegate migrate");
        Store::new(self.sql, &config.cloud_schema).migrate(cloud).await?;
        let start = Instant::now();
        let report = self.forward(&["forward"]).await?;
        let seconds = start.elapsed().as_secs_f64();
        let rows = rows::count(desktop).await?;
        self.does(&format!("{} rows in {seconds:.1} seconds", thousands(rows)));
        self.holds(
            sums(&report) == [rows.unsigned_abs(), rows.unsigned_abs(), 0, 0, 0],
            "every row was read once and inserted",
        )?;
        let same = rows::content(desktop).await? == rows::content(cloud).await?;
        self.holds(same, "all 15 tables hold the same rows at both ends")
    }

    async fn mobile_user_works(&self) -> Result<()> {
        let Office { cloud, .. } = self.office;
        self.step("A mobile user works in the cloud");
        self.does("makes job 99999 with tasks, checklist, a diary line and a reminder;");
        self.does("edits job 300, which the desktop made: On hold");
        cloud.batch("working on the phone", MOBILE).await?;
        let made: i64 = rows::mobile_counts(cloud).await?.iter().map(|(_, rows)| rows).sum();
        let edited = status(cloud, 300).await? == "On hold";
        self.holds(made == 8 && edited, "the cloud holds 8 mobile rows and the edit")
    }

    async fn office_goes_on(&self) -> Result<()> {
        let Office { desktop, cloud, .. } = self.office;
        self.step("Meanwhile in the office, and the next run");
        self.does("the desktop completes job 100 and opens job 24569");
        desktop.batch("working in the office", DESKTOP).await?;
        let mobile = rows::mobile_work(cloud).await?;
        let report = self.forward(&["forward"]).await?;
        self.does(&sentence(&report));
        self.holds(sums(&report) == [2, 1, 1, 0, 0], "two rows were read, and both written")?;
        let arrived = rows::jobs(cloud, "100, 24569").await?;
        self.holds(
            arrived.len() == 2 && arrived == rows::jobs(desktop, "100, 24569").await?,
            "jobs 100 and 24569 are the same at both ends, in every column",
        )?;
        self.mobile_work_stands(&mobile).await?;
        let same = rows::common_content(desktop).await? == rows::common_content(cloud).await?;
        self.holds(same, "all other rows are the same at both ends")
    }

    async fn nothing_to_do(&self) -> Result<()> {
        let Office { cloud, .. } = self.office;
        self.step("A run with nothing to do");
        let before = rows::versions(cloud).await?;
        let report = self.forward(&["forward"]).await?;
        let again = sums(&report)[0];
        self.does(&match again {
            0 => "read nothing".to_owned(),
            _ => {
                format!(
                    "{again} rows read again, younger than the lag of 2 s when they were read first"
                )
            }
        });
        let [_, inserted, updated, _, withheld] = sums(&report);
        self.holds([inserted, updated, withheld] == [0; 3], "it had nothing to write")?;
        let still = before == rows::versions(cloud).await?;
        self.holds(still, "not one row version was written in any of the 15 tables")
    }

    async fn same_key_at_both_ends(&self) -> Result<()> {
        let Office { desktop, cloud, .. } = self.office;
        self.step("Both sides make a job with the same key");
        self.does("the desktop, too, makes a job 99999");
        desktop.batch("working in the office", COLLISION).await?;
        let mobile = rows::mobile_work(cloud).await?;
        let report = self.forward(&["forward"]).await?;
        self.does(&sentence(&report));
        self.show_withheld().await?;
        self.holds(
            self.withheld().await? == ["jobshead 99999 key_collision"],
            "the desktop's row is on the list, with its reason, and was not written",
        )?;
        self.mobile_work_stands(&mobile).await
    }

    async fn older_row_reverts_nothing(&self) -> Result<()> {
        let Office { cloud, .. } = self.office;
        self.step("All rows once more: an older row of the desktop meets the mobile edit");
        let mobile = rows::mobile_work(cloud).await?;
        let report = self.forward(&["forward", "--full"]).await?;
        self.does(&sentence(&report));
        self.show_withheld().await?;
        let [read, inserted, updated, unchanged, withheld] = sums(&report);
        self.holds(
            [inserted, updated, withheld] == [0, 0, 2] && read == unchanged + 2,
            "every row was compared, and none had to be written",
        )?;
        self.holds(
            self.withheld().await? == ["jobshead 300 stale", "jobshead 99999 key_collision"],
            "job 300 stays as the mobile user left it: the desktop's row is the older one",
        )?;
        self.mobile_work_stands(&mobile).await
    }

    async fn mobile_work_stands(&self, before: &[String]) -> Result<()> {
        let same = before == rows::mobile_work(&self.office.cloud).await?;
        self.holds(same, "all 8 mobile rows and the edit of job 300 are as they were")
    }

    /// A run as the command line would do it.
    async fn forward(&self, words: &[&str]) -> Result<RunReport> {
        self.does(&format!("$ tidegate {}", words.join(" ")));
        let request = Request { full: words.contains(&"--full"), ..Request::default() };
        let config = &self.office.config;
        let run = run::forward(config, &request, self.sql, self.stop, &|_| {});
        let report = Box::pin(run).await?;
        let trouble = report.tables.iter().find_map(|t| Some((&t.table, t.error.as_ref()?)));
        match trouble {
            Some((table, e)) => Err(fault(format!("{table}: {}", e.message))),
            None if report.outcome != Outcome::Ok => Err(fault("the run was not done".to_owned())),
            None => Ok(report),
        }
    }

    /// The list of withheld rows, as an operator would look at it.
    async fn show_withheld(&self) -> Result<()> {
        let sql = "
            select format('job %s  %s  desktop: %s, cloud: %s', rpad(key ->> 'job_id', 5),
                rpad(reason, 13), row ->> shown, target_row ->> shown)
            from tidegate._sync_withheld, lateral (
                select case when row ->> 'job_name' = target_row ->> 'job_name' then 'status'
                    else 'job_name' end as shown
            ) s
            order by (key ->> 'job_id')::integer";
        for line in rows::texts(&self.office.cloud, sql).await? {
            self.shows(&line);
        }
        Ok(())
    }

    async fn withheld(&self) -> Result<Vec<String>> {
        let sql = "select table_name || ' ' || (key ->> 'job_id') || ' ' || reason \
                   from tidegate._sync_withheld order by (key ->> 'job_id')::integer";
        rows::texts(&self.office.cloud, sql).await
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
fn thousands(n: i64) -> String {
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
fn sums(report: &RunReport) -> [u64; 5] {
    report.tables.iter().fold([0; 5], |sums, t| {
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

fn sentence(report: &RunReport) -> String {
    let [read, inserted, updated, unchanged, withheld] =
        sums(report).map(|n| thousands(n.cast_signed()));
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
