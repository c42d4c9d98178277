//! The desktop's rows go to the cloud, and leave alone what mobile users do there.

use std::time::Instant;

use super::office::Office;
use super::story::{Story, sentence, status, sums, thousands};
use super::{TABLES, rows};
use crate::error::Result;
use crate::model::Direction;
use crate::run::setup::SetUp;

const MOBILE: &str = include_str!("../../sql/demo/mobile.sql");
const DESKTOP: &str = include_str!("../../sql/demo/desktop.sql");
const COLLISION: &str = include_str!("../../sql/demo/collision.sql");

const JOBS: i64 = 24_568;
const FORWARD: Direction = Direction::Forward;

pub(super) async fn tell(story: &Story<'_>) -> Result<()> {
    office_is_open(story).await?;
    first_load(story).await?;
    mobile_user_works(story).await?;
    office_goes_on(story).await?;
    nothing_to_do(story).await?;
    same_key_at_both_ends(story).await?;
    older_row_reverts_nothing(story).await
}

async fn office_is_open(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    let jobs: i64 = desktop.value("looking", "select count(*) from jobshead", &[]).await?;
    let rows = thousands(rows::count(desktop).await?);
    let empty = rows::count(cloud).await? == 0;
    story.holds(
        jobs == JOBS && empty,
        &format!(
            "the desktop has {} jobs, {rows} rows in 15 tables; the cloud has the tables, empty",
            thousands(jobs)
        ),
    )
}

async fn first_load(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, config, .. } = story.office;
    story.step("The first load");
    story.does("$ tidegate migrate");
    let made = SetUp::default().migrate(config, story.sql).await?;
    let logged = made.triggers.map_or(0, |triggers| triggers.installed.len());
    story.holds(
        made.cloud.is_some() && made.desktop.is_some() && logged == TABLES.len(),
        "both ends have tidegate's tables, and the cloud notes what mobile users do in all 15 tables",
    )?;
    let start = Instant::now();
    let report = story.run(&["forward"]).await?;
    let seconds = start.elapsed().as_secs_f64();
    let rows = rows::count(desktop).await?;
    story.does(&format!("{} rows in {seconds:.1} seconds", thousands(rows)));
    story.holds(
        sums(&report, FORWARD) == [rows.unsigned_abs(), rows.unsigned_abs(), 0, 0, 0],
        "every row was read once and inserted",
    )?;
    let same = rows::content(desktop).await? == rows::content(cloud).await?;
    story.holds(same, "all 15 tables hold the same rows at both ends")
}

async fn mobile_user_works(story: &Story<'_>) -> Result<()> {
    let Office { cloud, .. } = story.office;
    story.step("A mobile user works in the cloud");
    story.does("makes job 99999 with tasks, checklist, a diary line and a reminder;");
    story.does("edits job 300, which the desktop made: On hold");
    cloud.batch("working on the phone", MOBILE).await?;
    let made: i64 = rows::mobile_counts(cloud).await?.iter().map(|(_, rows)| rows).sum();
    let edited = status(cloud, 300).await? == "On hold";
    story.holds(made == 8 && edited, "the cloud holds 8 mobile rows and the edit")
}

async fn office_goes_on(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("Meanwhile in the office, and the next run");
    story.does("the desktop completes job 100 and opens job 24569");
    desktop.batch("working in the office", DESKTOP).await?;
    let mobile = rows::mobile_work(cloud).await?;
    let report = story.run(&["forward"]).await?;
    story.does(&sentence(&report, FORWARD));
    story
        .holds(sums(&report, FORWARD) == [2, 1, 1, 0, 0], "two rows were read, and both written")?;
    let arrived = rows::jobs(cloud, "100, 24569").await?;
    story.holds(
        arrived.len() == 2 && arrived == rows::jobs(desktop, "100, 24569").await?,
        "jobs 100 and 24569 are the same at both ends, in every column",
    )?;
    mobile_work_stands(story, &mobile).await?;
    let same = rows::common_content(desktop).await? == rows::common_content(cloud).await?;
    story.holds(same, "all other rows are the same at both ends")
}

async fn nothing_to_do(story: &Story<'_>) -> Result<()> {
    let Office { cloud, .. } = story.office;
    story.step("A run with nothing to do");
    let before = rows::versions(cloud).await?;
    let report = story.run(&["forward"]).await?;
    let again = sums(&report, FORWARD)[0];
    story.does(&match again {
        0 => "read nothing".to_owned(),
        _ => {
            format!(
                "{again} rows read again, younger than the lag of 2 s when they were read first"
            )
        }
    });
    let [_, inserted, updated, _, withheld] = sums(&report, FORWARD);
    story.holds([inserted, updated, withheld] == [0; 3], "it had nothing to write")?;
    let still = before == rows::versions(cloud).await?;
    story.holds(still, "not one row version was written in any of the 15 tables")
}

async fn same_key_at_both_ends(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("Both sides make a job with the same key");
    story.does("the desktop, too, makes a job 99999");
    desktop.batch("working in the office", COLLISION).await?;
    let mobile = rows::mobile_work(cloud).await?;
    let report = story.run(&["forward"]).await?;
    story.does(&sentence(&report, FORWARD));
    show_withheld(story).await?;
    story.holds(
        story.withheld(cloud).await? == ["jobshead 99999 key_collision"],
        "the desktop's row is on the list, with its reason, and was not written",
    )?;
    mobile_work_stands(story, &mobile).await
}

async fn older_row_reverts_nothing(story: &Story<'_>) -> Result<()> {
    let Office { cloud, .. } = story.office;
    story.step("All rows once more: an older row of the desktop meets the mobile edit");
    let mobile = rows::mobile_work(cloud).await?;
    let report = story.run(&["forward", "--full"]).await?;
    story.does(&sentence(&report, FORWARD));
    show_withheld(story).await?;
    let [read, inserted, updated, unchanged, withheld] = sums(&report, FORWARD);
    story.holds(
        [inserted, updated, withheld] == [0, 0, 2] && read == unchanged + 2,
        "every row was compared, and none had to be written",
    )?;
    story.holds(
        story.withheld(cloud).await?
            == ["jobshead 300 pending_mobile_edit", "jobshead 99999 key_collision"],
        "job 300 stays as the mobile user left it: the desktop has not got the edit yet",
    )?;
    mobile_work_stands(story, &mobile).await
}

async fn mobile_work_stands(story: &Story<'_>, before: &[String]) -> Result<()> {
    let same = before == rows::mobile_work(&story.office.cloud).await?;
    story.holds(same, "all 8 mobile rows and the edit of job 300 are as they were")
}

/// The list of withheld rows, as an operator would look at it.
async fn show_withheld(story: &Story<'_>) -> Result<()> {
    let sql = "
        select format('job %s  %s  desktop: %s, cloud: %s', rpad(key ->> 'job_id', 5),
            rpad(reason, 19), row ->> shown, target_row ->> shown)
        from tidegate._sync_withheld, lateral (
            select case when row ->> 'job_name' = target_row ->> 'job_name' then 'status'
                else 'job_name' end as shown
        ) s
        order by (key ->> 'job_id')::integer";
    for line in rows::texts(&story.office.cloud, sql).await? {
        story.shows(&line);
    }
    Ok(())
}
