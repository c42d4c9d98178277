//! Random schedules of both directions: users of both ends at work while run follows run, and some runs
//! die; then they rest, and both databases are judged by what the users know that they wrote.
//!
//! What a user does comes from the seed; how they meet does not. `TIDEGATE_SEED=7` is that seed alone.

mod judge;
mod users;

use tidegate::demo::Cluster;
use tidegate::model::Direction;
use tidegate::run::Way;
use tidegate::sql::Sql;

use super::execute;
use crate::schedules::runs::{Habits, Runs};
use crate::schedules::{Copies, SETTINGS, as_templates, assert_found, assert_sound};
use crate::support::{Dice, JOBS, Office, connect};
use judge::Ends;
use users::Users;

/// Jobs of the desktop that are there from the beginning.
const FIRST: i32 = 8;

const WAYS: Habits = Habits {
    ways: &[Way::Both, Way::One(Direction::Forward), Way::One(Direction::Reverse)],
    kills: 5,
    at_once: 4,
    tables: "[tables.jobs]\n",
};

/// What triggers of both ends do to the rows that they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Triggers {
    None,
    Stamp,
    Content,
}

impl Triggers {
    fn of(seed: u64) -> Self {
        match seed % 3 {
            0 => Triggers::Stamp,
            1 => Triggers::None,
            _ => Triggers::Content,
        }
    }

    /// At one end, where names are `case`.
    fn sql(self, case: &str) -> String {
        let does = match self {
            Triggers::None => return String::new(),
            Triggers::Stamp => "new.updated_at := clock_timestamp()".to_owned(),
            Triggers::Content => format!("new.name := {case}(new.name)"),
        };
        format!(
            "create function does() returns trigger language plpgsql as $$ begin {does}; \
             return new; end $$; create trigger does before insert or update on jobs \
             for each row execute function does()"
        )
    }
}

async fn templates() -> Cluster {
    let office = Office::with_settings(JOBS, &["jobs"], &SETTINGS).await;
    let fill = format!(
        "insert into jobs select i, 'first ' || i, 'D', now() - interval '1 day', null \
         from generate_series(1, {FIRST}) i"
    );
    execute(&office.desktop, &fill).await;
    as_templates(office).await
}

/// One schedule from beginning to end, with statements in which a fault may be planted; what was
/// wrong. `name` is its own among those in the cluster.
async fn schedule(cluster: &Cluster, name: &str, seed: u64, sql: &Sql) -> Vec<String> {
    let copies = Copies::of(cluster, name, seed);
    let urls = copies.urls();
    let [desktop, cloud] = urls.each_ref().map(String::as_str);
    let mut dice = Dice::new(seed);
    let triggers = Triggers::of(seed);
    let sessions = [connect(desktop).await, connect(cloud).await];
    for (session, case) in sessions.iter().zip(["upper", "lower"]) {
        execute(session, &triggers.sql(case)).await;
    }
    let mut runs = Runs::new([desktop, cloud], WAYS, sql, &mut dice);
    let mut users = Users::start([desktop, cloud], &mut dice).await;
    while users.are_at_work() {
        runs.go(&mut dice).await;
    }
    let acts = users.acts();
    // A change without a stamp is found by a run that reads all.
    runs.last(Way::Both, &[false, true, false, false, false]).await;
    let mut findings = runs.findings;
    findings.extend(Ends::read(&sessions, triggers).await.findings(&acts));
    drop(sessions);
    copies.drop().await;
    findings
}

#[tokio::test(flavor = "multi_thread")]
async fn random_schedules_of_both_directions_lose_nothing() {
    let (cluster, sql) = (&templates().await, &Sql::default());
    assert_sound(|seed| schedule(cluster, "sound", seed, sql)).await;
}

/// Engines with a fault that the schedules must find.
fn faulty() -> [(&'static str, Sql); 3] {
    let sql = Sql::default;
    // Both ends are of one cluster, and count their transactions together.
    let now = "'watermark', pg_snapshot_xmin(pg_current_snapshot())::text";
    [
        ("carried", sql().planted("postgres/opposite.sql", "'watermark', m.watermark", now)),
        (
            "hasty",
            sql().planted(
                "postgres/move_position_log.sql",
                "when 'end' then pg_snapshot_xmin($5::pg_snapshot)",
                "when 'end' then pg_snapshot_xmax($5::pg_snapshot)",
            ),
        ),
        ("bases", super::races::without_bases()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn random_schedules_of_both_directions_find_planted_faults() {
    let cluster = &templates().await;
    for (name, sql) in &faulty() {
        assert_found(name, |seed| schedule(cluster, name, seed, sql)).await;
    }
}
