//! What the program before tidegate did, tried where tidegate's check can see it.

use futures_util::TryStreamExt;
use uuid::Uuid;

use super::rows;
use super::story::{Story, status};
use crate::db::postgres::{Connection, catalogue, failed};
use crate::error::{End, Error, Kind, Result};
use crate::guard;
use crate::model::plan::{Cycles, Given};
use crate::model::write_set::{Expected, WriteSet};
use crate::model::{Batch, Carried, Direction, TablePlan, planning};
use crate::store::Store;
use crate::target::postgres::{PgTarget, PgTx};
use crate::target::{Staging, Target, TargetTx};

/// What `TRUNCATE jobshead CASCADE` empties, parents first.
const EMPTIED: [&str; 6] =
    ["jobshead", "jobtasks", "taskchecklist", "workdiary", "reminder", "remdetail"];

/// Does it in a transaction of tidegate, and looks at what the check says.
pub(super) async fn is_refused(story: &Story<'_>) -> Result<()> {
    let cloud = &story.office.cloud;
    story.step("What the old way would have destroyed");
    story
        .does("before tidegate: TRUNCATE jobshead CASCADE, then everything anew from the desktop;");
    story.does("now the same inside a transaction of tidegate …");
    let content = (rows::content(cloud).await?, rows::versions(cloud).await?);
    let mobile = rows::mobile_counts(cloud).await?;
    attempt(story, &mobile).await?;
    // It waits for the server to have rolled back.
    let after = (rows::content(cloud).await?, rows::versions(cloud).await?);
    story.holds(content == after, "nothing of it remains: every row of the cloud is as it was")
}

async fn attempt(story: &Story<'_>, mobile: &[(&'static str, i64)]) -> Result<()> {
    let database = story.office.cloud_database()?;
    let config = &story.office.config;
    let store = Store::new(story.sql, &config.cloud_schema);
    let plan = plan(story).await?;
    let cloud = &story.office.cloud;
    let labels = [plan.label()];
    let mut state = store.state(cloud, plan.direction, &labels, &config.ownership).await?;
    let state = state.tables.remove(0);
    let identity = state.source_identity.unwrap_or_default();
    let target = PgTarget::new(&database, &store, Uuid::now_v7(), &identity);
    let mut tx = target.begin(&plan, &state.position).await?;
    let expected = empty_batch(&mut tx).await?;
    old_way(&story.office.desktop, tx.connection()?).await?;
    let left = rows::mobile_counts(tx.connection()?).await?;
    let reverted = status(tx.connection()?, 300).await? == "Open";
    let written = tx.write_set().await?;

    let lost = mobile.iter().map(|(t, rows)| (*t, rows - count_of(&left, t)));
    let lost: Vec<_> = lost.filter(|(_, rows)| *rows > 0).collect();
    for (table, rows) in &lost {
        let noun = if *rows == 1 { "mobile row" } else { "mobile rows" };
        story.shows(&format!("{table:<14} {rows} {noun} gone"));
    }
    story.shows("job 300        the mobile edit gone");
    let all: i64 = lost.iter().map(|(_, rows)| rows).sum();
    story.holds(
        all == 8 && reverted,
        &format!(
            "it would have destroyed {all} mobile rows in {} tables, and the edit",
            lost.len()
        ),
    )?;
    refused(story, &expected, &written)
}

/// The check's answer: it must name every table that was emptied.
fn refused(story: &Story<'_>, expected: &Expected, written: &WriteSet) -> Result<()> {
    let Err(e) = guard::check(expected, written) else {
        return story.holds(false, "the check refuses it");
    };
    let message = e.to_string();
    let (head, faults) = message.split_once(": ").unwrap_or(("", &message));
    story.does(&format!("the check: {head}"));
    for fault in faults.split("; ") {
        story.shows(fault);
    }
    let named = EMPTIED.iter().all(|table| message.contains(&format!("{table} was truncated")));
    story.holds(
        e.kind() == Kind::Verification && named,
        "the check refuses it, and names each of the 6 tables that were emptied",
    )
}

/// The first five steps of a batch that has nothing to write.
async fn empty_batch(tx: &mut PgTx<'_>) -> Result<Expected> {
    tx.stage(&Batch::default().close(true), Staging::Typed).await?;
    let tally = tx.classify(Cycles::Wait, &Carried::default()).await?;
    tx.merge(tally).await
}

async fn old_way(desktop: &Connection, cloud: &Connection) -> Result<()> {
    cloud.batch("emptying jobshead", "truncate public.jobshead cascade").await?;
    for table in EMPTIED {
        let doing = format!("reloading {table}");
        let read = async {
            desktop.copy_out(&format!("copy public.{table} to stdout")).await?.try_collect().await
        };
        let rows: Vec<_> = read.await.map_err(|e| failed(&doing, End::Desktop, e))?;
        let write = format!("copy public.{table} from stdin");
        cloud.write_copy(&doing, &write, rows.into_iter()).await?;
    }
    Ok(())
}

/// How a run would sync the jobs.
async fn plan(story: &Story<'_>) -> Result<TablePlan> {
    let config = &story.office.config;
    let jobs = config.tables.iter().find(|t| t.cloud.name == "jobshead");
    let settings = jobs.ok_or_else(|| Error::new(Kind::Other, "the demo has no jobs"))?;
    let read = async |end: &Connection| {
        catalogue::read(end, story.sql, std::slice::from_ref(&settings.cloud)).await
    };
    let (source, target) = (read(&story.office.desktop).await?, read(&story.office.cloud).await?);
    let given = Given {
        settings,
        ownership: &config.ownership,
        cloud_capture: config.cloud_capture,
        desktop: source.first(),
        cloud: target.first(),
        synced: &[],
        desktop_remembers: false,
    };
    planning::plan(Direction::Forward, given)
}

fn count_of(counts: &[(&'static str, i64)], table: &str) -> i64 {
    counts.iter().find(|(t, _)| *t == table).map_or(0, |(_, rows)| *rows)
}
