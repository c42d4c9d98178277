//! What mobile users did comes home, and where both sides worked on one row, the later edit wins.

use super::office::Office;
use super::rows;
use super::story::{Story, sentence, status, sums};
use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::Direction;
use crate::run::RunReport;

const RENUMBER: &str = include_str!("../../sql/demo/renumber.sql");
const SAME_KEY: &str = include_str!("../../sql/demo/same_key.sql");

/// What `tidegate` keeps of the versions that lost.
const TRASH: &str = "
    select format('job %s  %s  kept: %s', key ->> 'job_id', reason, row ->> 'status')
    from tidegate._sync_trash order by key ->> 'job_id'";

pub(super) async fn tell(story: &Story<'_>) -> Result<()> {
    mobile_work_comes_home(story).await?;
    both_edit_one_job(story).await?;
    mobile_user_deletes(story).await?;
    nothing_to_do(story).await?;
    same_key_again(story).await
}

async fn mobile_work_comes_home(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("Mobile work comes home");
    story.does("the office gives its own job 99999 the number 24570");
    desktop.batch("working in the office", RENUMBER).await?;
    let mobile = rows::mobile_work(cloud).await?;
    let report = sync(story).await?;
    let [_, came, edited, _, withheld] = sums(&report, Direction::Reverse);
    story.holds(
        [came, edited, withheld] == [8, 1, 0],
        "8 mobile rows and the edit of job 300 came home",
    )?;
    story.holds(
        mobile == rows::mobile_work(desktop).await?,
        "the desktop has them row for row, in every column",
    )?;
    let same = rows::content(desktop).await? == rows::content(cloud).await?;
    story.holds(same, "both ends hold the same rows in all 15 tables")?;
    story.does("the list still has the job that had this number; a look at whole tables clears it");
    story.run(&["forward", "--full", "--table", "jobshead"]).await?;
    let withheld = [story.withheld(desktop).await?, story.withheld(cloud).await?].concat();
    story.holds(withheld.is_empty(), "no row is withheld any more")
}

async fn both_edit_one_job(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("Both sides edit the same jobs");
    story.does("job 500: first a mobile user, Waiting; then the desktop, Completed");
    story.does("job 501: first the desktop, Completed; then a mobile user, Waiting");
    edit(cloud, 500, "Waiting").await?;
    edit(desktop, 500, "Completed").await?;
    edit(desktop, 501, "Completed").await?;
    edit(cloud, 501, "Waiting").await?;
    sync(story).await?;
    let mut ends = Vec::new();
    for end in [desktop, cloud] {
        ends.push([status(end, 500).await?, status(end, 501).await?]);
    }
    story.holds(
        ends.iter().all(|jobs| *jobs == ["Completed", "Waiting"]),
        "the later edit stands at both ends: the desktop's of job 500, the mobile user's of job 501",
    )?;
    let kept = rows::texts(desktop, TRASH).await?;
    kept.iter().for_each(|line| story.shows(line));
    let expected =
        ["job 500  lost_to_desktop  kept: Waiting", "job 501  lost_to_mobile  kept: Completed"];
    story.holds(kept == expected, "the versions that lost are kept")
}

async fn mobile_user_deletes(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("A mobile user deletes a row of his");
    story.does("the diary line goes");
    let delete = "delete from public.workdiary where entry_id = 9000000001";
    cloud.batch("working on the phone", delete).await?;
    sync(story).await?;
    told(story, &["sync", "--full", "--table", "workdiary"]).await?;
    let left = "select count(*) from public.workdiary where entry_id = 9000000001";
    let at_home: i64 = desktop.value("looking", left, &[]).await?;
    let away: i64 = cloud.value("looking", left, &[]).await?;
    story.holds(
        [at_home, away] == [1, 0],
        "it is not sent back, not by a run that compares everything; the desktop keeps its copy",
    )
}

async fn nothing_to_do(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("A sync with nothing to do");
    let before = (rows::versions(desktop).await?, rows::versions(cloud).await?);
    sync(story).await?;
    let after = (rows::versions(desktop).await?, rows::versions(cloud).await?);
    story.holds(before == after, "not one row version was written at either end")
}

async fn same_key_again(story: &Story<'_>) -> Result<()> {
    let Office { desktop, cloud, .. } = story.office;
    story.step("Both sides make a job with the same key, and sync");
    story.does("a mobile user and the desktop make a job 99998 each");
    for (end, doing) in [(cloud, "working on the phone"), (desktop, "working in the office")] {
        end.batch(doing, SAME_KEY).await?;
    }
    let made = [rows::jobs(desktop, "99998").await?, rows::jobs(cloud, "99998").await?];
    sync(story).await?;
    let lists = [story.withheld(desktop).await?, story.withheld(cloud).await?];
    story.holds(
        lists.iter().all(|list| *list == ["jobshead 99998 key_collision"]),
        "each end has the other's job on its list, with the reason",
    )?;
    let kept = [rows::jobs(desktop, "99998").await?, rows::jobs(cloud, "99998").await?];
    story.holds(made == kept, "both jobs are as they were made")
}

async fn edit(end: &Connection, job: i32, status: &str) -> Result<()> {
    let sql = format!(
        "update public.jobshead set status = '{status}', updated_at = now() where job_id = {job}"
    );
    end.batch("editing a job", &sql).await
}

async fn sync(story: &Story<'_>) -> Result<RunReport> {
    told(story, &["sync"]).await
}

async fn told(story: &Story<'_>, words: &[&str]) -> Result<RunReport> {
    let report = story.run(words).await?;
    for direction in [Direction::Reverse, Direction::Forward] {
        story.does(&format!("{}: {}", direction.word(), sentence(&report, direction)));
    }
    Ok(report)
}
