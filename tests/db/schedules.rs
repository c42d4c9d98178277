//! Random schedules: users at desks and on phones at work while run follows run; then they rest, one
//! run ends, and both databases are judged by what the users know that they wrote.
//!
//! What a user does comes from the seed; how they meet does not. `TIDEGATE_SEED=7` is that seed alone.

mod desktop;
pub mod journal;
mod mobile;
pub mod runs;
pub mod writers;

use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tidegate::demo::Cluster;
use tidegate::model::Direction;
use tidegate::run::Way;
use tidegate::sql::Sql;

use crate::faults::unguarded;
use crate::support::{Dice, Office, connect, long, until};
use journal::Journal;
use runs::{Habits, Runs};
use writers::Writers;

/// Jobs that everybody edits.
const SHARED: u64 = 24;

pub const SCHEMA: &str = "
    create table jobs (id integer primary key, code text unique, name text, source char(1),
        created_at timestamptz, updated_at timestamptz);
    create table tasks (id integer primary key, job_id integer references jobs on update cascade,
        name text, source char(1), created_at timestamptz, updated_at timestamptz);
    create index on tasks (job_id);";

/// Fills the desktop.
pub fn shared_jobs() -> String {
    format!(
        "insert into jobs select i, 's' || i, 'shared', 'D', now() - interval '1 day', null \
         from generate_series(1, {SHARED}) i"
    )
}

/// Milliseconds of thought.
const PACE: u64 = 15;
/// Transactions of each user.
const ROUNDS: i32 = 12;
/// Schedules that go on at once: users mostly think.
const AT_ONCE: usize = 4;

/// The settings of a cluster in which several schedules go on.
pub const SETTINGS: [(&str, &str); 2] = [("max_connections", "200"), ("deadlock_timeout", "50ms")];

const FORWARD: Habits = Habits {
    ways: &[Way::One(Direction::Forward)],
    kills: 0,
    at_once: 1,
    tables: "[tables.tasks]\n[tables.jobs]",
};

/// A cluster whose databases `desktop` and `cloud` are templates.
async fn templates() -> Cluster {
    let office = Office::with_settings(SCHEMA, &["jobs", "tasks"], &SETTINGS).await;
    office.desktop.batch_execute(&shared_jobs()).await.unwrap();
    as_templates(office).await
}

/// The cluster of an office that nobody works in any more.
pub async fn as_templates(office: Office) -> Cluster {
    let Office { cluster, desktop, cloud, .. } = office;
    drop((desktop, cloud));
    let nobody = "not exists (select from pg_stat_activity where datname in ('desktop', 'cloud'))";
    until(&connect(&cluster.url("postgres")).await, nobody).await;
    cluster
}

/// Copies of both databases, gone with [`Copies::drop`].
pub struct Copies<'c> {
    cluster: &'c Cluster,
    names: [String; 2],
}

impl<'c> Copies<'c> {
    /// `name` and `seed` are its own among those in the cluster.
    pub fn of(cluster: &'c Cluster, name: &str, seed: u64) -> Self {
        let names = ["desktop", "cloud"].map(|end| format!("{end}_{name}_{seed}"));
        for (name, template) in names.iter().zip(["desktop", "cloud"]) {
            cluster.create_database(name, Some(template)).unwrap();
        }
        Self { cluster, names }
    }

    pub fn urls(&self) -> [String; 2] {
        self.names.each_ref().map(|name| self.cluster.url(name))
    }

    pub async fn drop(self) {
        let postgres = connect(&self.cluster.url("postgres")).await;
        for name in &self.names {
            postgres.batch_execute(&format!("drop database {name} with (force)")).await.unwrap();
        }
    }
}

/// What was wrong with a schedule, which has to come to its end.
pub async fn judged(schedule: impl Future<Output = Vec<String>>) -> Vec<String> {
    let end = Duration::from_secs(if long() { 600 } else { 120 });
    let judged = tokio::time::timeout(end, schedule).await;
    judged.unwrap_or_else(|_| vec!["it did not end".to_owned()])
}

/// The schedules of all seeds, several at once; nothing may be wrong with any.
pub async fn assert_sound<F: Future<Output = Vec<String>>>(schedule: impl Fn(u64) -> F) {
    let schedule = &schedule;
    let all = stream::iter(seeds())
        .map(|seed| async move { (seed, judged(schedule(seed)).await) })
        .buffer_unordered(AT_ONCE);
    let bad = all.filter(|(_, findings)| ready(!findings.is_empty()));
    let bad: Vec<(u64, Vec<String>)> = bad.collect().await;
    for (seed, findings) in &bad {
        println!("TIDEGATE_SEED={seed}");
        findings.iter().for_each(|finding| println!("    {finding}"));
    }
    assert!(bad.is_empty(), "{} schedules went wrong: see above", bad.len());
}

/// The schedules of some seeds with a fault, which one of them must find.
pub async fn assert_found<F: Future<Output = Vec<String>>>(
    name: &str,
    schedule: impl Fn(u64) -> F,
) {
    let schedule = &schedule;
    let all = stream::iter(1..=36)
        .map(|seed| async move { (seed, judged(schedule(seed)).await) })
        .buffer_unordered(AT_ONCE);
    let mut found = pin!(all.filter(|(_, findings)| ready(!findings.is_empty())));
    let found = found.next().await;
    let (seed, findings) = found.unwrap_or_else(|| panic!("{name} was not found"));
    println!("{name}: {} findings with seed {seed}, as {}", findings.len(), findings[0]);
}

/// One schedule from beginning to end, with statements in which a fault may be planted; what was
/// wrong. `name` is its own among those in the cluster.
async fn schedule(cluster: &Cluster, name: &str, seed: u64, sql: &Sql) -> Vec<String> {
    let copies = Copies::of(cluster, name, seed);
    let urls = copies.urls();
    let [desktop, cloud] = urls.each_ref().map(String::as_str);
    let mut dice = Dice::new(seed);
    let mut runs = Runs::new([desktop, cloud], FORWARD, sql, &mut dice);
    let (at_desk, on_phone) = (connect(desktop).await, connect(cloud).await);
    let seen = Journal::of_shared_jobs(&at_desk).await;
    let mut writers = Writers::start([desktop, cloud], &mut dice, PACE, ROUNDS).await;
    while writers.are_at_work() {
        runs.go(&mut dice).await;
    }
    let mut journal = writers.journal().await;
    journal.add(seen);
    runs.last(FORWARD.ways[0], &[false; 2]).await;
    let mut findings = runs.findings;
    findings.extend(journal::findings(&journal, &at_desk, &on_phone).await);
    drop((at_desk, on_phone));
    copies.drop().await;
    findings
}

#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
fn seeds() -> Vec<u64> {
    match std::env::var("TIDEGATE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) if long() => (1..=2000).collect(),
        Err(_) => (1..=12).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_schedules_lose_nothing_of_either_end() {
    let (cluster, sql) = (&templates().await, &Sql::default());
    assert_sound(|seed| schedule(cluster, "sound", seed, sql)).await;
}

const STRICTLY: &str = "where ({{changed_since}}) \
    and {{stamp}} > current_setting('tidegate.watermark')::timestamptz";

/// Engines with a fault that the schedules must find.
fn faulty() -> [(&'static str, Sql); 6] {
    let sql = Sql::default;
    let first = "replace({{verdicts}}[v.rule], 'pending_mobile_edit', 'update')";
    let second = "replace({{verdicts}}[d.rule], 'pending_mobile_edit', 'update')";
    [
        ("clock", sql().planted("postgres/horizon.sql", "o.oldest\n", "null\n")),
        (
            "strictly",
            sql().planted("postgres/read_since.sql", "where ({{changed_since}})", STRICTLY),
        ),
        (
            "keyless",
            sql().planted(
                "postgres/read_after.sql",
                "({{stamp}}, {{key}}) > ({{watermark}}, {{after}})",
                "{{stamp}} > {{watermark}}",
            ),
        ),
        (
            "later",
            sql().planted("postgres/classify.sql", "{{verdicts}}[v.rule]", first).planted(
                "postgres/classify_pinned.sql",
                "{{verdicts}}[d.rule]",
                second,
            ),
        ),
        ("owner", unguarded(sql())),
        ("retry", sql().planted("postgres/due.sql", "w.table_name = {{label}}", "false")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn random_schedules_find_planted_faults() {
    let cluster = &templates().await;
    for (name, sql) in &faulty() {
        assert_found(name, |seed| schedule(cluster, name, seed, sql)).await;
    }
}
