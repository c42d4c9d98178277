//! m29: a table that is altered while a run is at work. The run stops that table or brings it right,
//! never a wrong column; the next run plans anew.

use std::cell::Cell;

use tidegate::run::{Event, Outcome, Request, RunReport};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use crate::support::{JOBS, Office, column, counts, of};

const OLD: &str = "now() - interval '1 day'";

/// `tasks` refer to `jobs`, so they are read when the jobs are through.
const TASKS: &str = "create table tasks (id integer primary key, job integer references jobs,
    hours bigint, rate bigint, note text, source char(1), updated_at timestamptz);";

async fn office() -> Office {
    let office = Office::open("", &["jobs", "tasks"]).await;
    office.configure("lag = \"0s\"\nbatch_rows = 20");
    office
}

/// Both tables anew, with rows on the desktop.
async fn begin(office: &Office) {
    let anew = format!("drop table if exists tasks, jobs, kept; {JOBS} {TASKS}");
    office.cloud.batch_execute(&anew).await.unwrap();
    office.cloud.batch_execute("truncate tidegate._sync_metadata").await.unwrap();
    office.desktop.batch_execute(&anew).await.unwrap();
    let fill = format!(
        "insert into jobs select i, 'job', 'D', {OLD}, {OLD} from generate_series(1, 50) i; \
         insert into tasks select i, i, i, 1000 + i, 'task ' || i, 'D', {OLD} \
         from generate_series(1, 50) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
}

/// Where a table is altered.
#[derive(Debug, Clone, Copy)]
enum End {
    Desktop,
    Cloud,
}

/// A run in whose middle, at the first event that fits, somebody alters a table.
async fn forward_around(
    office: &Office,
    fits: impl Fn(&Event<'_>) -> bool,
    end: End,
    alter: &str,
) -> RunReport {
    let done = Cell::new(false);
    let watch = |event: Event<'_>, _: &CancellationToken| {
        if fits(&event) && !done.replace(true) {
            let session = match end {
                End::Desktop => &office.desktop,
                End::Cloud => &office.cloud,
            };
            let altered = session.batch_execute(alter);
            block_in_place(|| Handle::current().block_on(altered)).unwrap();
        }
    };
    office.forward_watched(&Request::default(), &watch).await
}

/// Each row of the cloud's tasks has the desktop's values, by the names of their columns: those
/// that both have.
async fn assert_nothing_wrong(office: &Office, which: &str, context: &str) {
    let row = "(to_jsonb(t) - 'updated_at')::text";
    let query = format!("select {row} from tasks t order by id");
    let parse = |rows: Vec<String>| -> Vec<serde_json::Value> {
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    };
    let desktop = parse(column(&office.desktop, &query, &[]).await);
    let cloud = parse(column(&office.cloud, &query, &[]).await);
    for there in &cloud {
        let id = &there["id"];
        let here = desktop.iter().find(|row| row["id"] == *id).unwrap();
        for (name, value) in there.as_object().unwrap() {
            let same = here
                .get(name)
                .is_none_or(|v| v == value || v.as_f64().is_some() && v.as_f64() == value.as_f64());
            assert!(same || value.is_null(), "{context}, {which}: {name} of {id} is {value}");
        }
    }
}

/// What the table of an alteration is to come to.
enum Then {
    /// The run stops it; the next one brings it all.
    Stops,
    /// It arrives.
    Arrives,
    /// The run stops it, and so does the next: an operator has to see to it.
    Refuses,
}

/// Tasks are altered when the catalogues and the jobs have been read, but no task has.
const BEFORE_THE_COPY: &[(End, &str, Then)] = &[
    (End::Desktop, "alter table tasks add extra text default 'x'", Then::Arrives),
    (End::Desktop, "alter table tasks drop hours", Then::Stops),
    (End::Desktop, "alter table tasks rename hours to time", Then::Stops),
    // Eight bytes as before: undecoded they would be taken for a number of another kind.
    (End::Desktop, "alter table tasks alter rate type float8", Then::Stops),
    (End::Desktop, "alter table tasks drop rate, add rate float8 default 2", Then::Stops),
    // Written anew, the table looks empty to a snapshot that is older.
    (End::Desktop, "alter table tasks alter note type varchar(90)", Then::Stops),
    (
        End::Desktop,
        "create temp table kept as select * from tasks; truncate tasks; \
                    insert into tasks select * from kept",
        Then::Stops,
    ),
    (End::Desktop, "drop table tasks", Then::Refuses),
    (End::Cloud, "alter table tasks add extra text", Then::Arrives),
    (End::Cloud, "alter table tasks add extra text not null", Then::Refuses),
    (End::Cloud, "alter table tasks drop hours", Then::Stops),
    (End::Cloud, "alter table tasks rename hours to time", Then::Stops),
    (End::Cloud, "alter table tasks alter rate type float8", Then::Arrives),
    (End::Cloud, "drop table tasks", Then::Refuses),
];

fn jobs_are_through(event: &Event<'_>) -> bool {
    matches!(event, Event::Through { table: "jobs" })
}

#[tokio::test(flavor = "multi_thread")]
async fn m29_schema_changes_between_planning_and_reading() {
    let office = office().await;
    for (end, alter, then) in BEFORE_THE_COPY {
        let context = format!("{end:?}: {alter}");
        begin(&office).await;
        let report = forward_around(&office, jobs_are_through, *end, alter).await;
        assert_eq!(counts(of(&report, "jobs")), [50, 50, 0, 0, 0], "{context}: {report:?}");
        let expected = if matches!(then, Then::Arrives) { Outcome::Ok } else { Outcome::Failed };
        assert_eq!(of(&report, "tasks").outcome, expected, "{context}: {report:?}");
        let next = office.forward().await;
        match then {
            Then::Refuses => assert_eq!(of(&next, "tasks").outcome, Outcome::Refused, "{context}"),
            Then::Stops | Then::Arrives => {
                assert_eq!(next.exit_code(false), 0, "{context}: {next:?}");
                assert_nothing_wrong(&office, "at rest", &context).await;
                let all = column(&office.cloud, "select count(*)::text from tasks", &[]).await;
                assert_eq!(all, ["50"], "{context}");
            }
        }
    }
}

/// The cloud's tasks are altered when some of them are merged already. (Those of the desktop can't be:
/// the COPY holds them.)
const BETWEEN_BATCHES: &[(&str, Then)] = &[
    ("alter table tasks add extra text", Then::Arrives),
    ("alter table tasks drop hours", Then::Stops),
    ("alter table tasks rename hours to time", Then::Stops),
    (
        "alter table tasks rename hours to h; alter table tasks rename rate to hours; \
      alter table tasks rename h to rate",
        Then::Arrives,
    ),
    ("alter table tasks alter rate type float8", Then::Arrives),
    ("alter table tasks alter rate type integer", Then::Arrives),
    ("alter table tasks alter note type varchar(90)", Then::Arrives),
    ("alter table tasks drop constraint tasks_pkey", Then::Refuses),
];

fn is_batch_of_tasks(event: &Event<'_>) -> bool {
    matches!(event, Event::Batch { table: "tasks", .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn m29_schema_changes_between_two_batches() {
    let office = office().await;
    for (alter, then) in BETWEEN_BATCHES {
        begin(&office).await;
        let report = forward_around(&office, is_batch_of_tasks, End::Cloud, alter).await;
        let expected = if matches!(then, Then::Arrives) { Outcome::Ok } else { Outcome::Failed };
        assert_eq!(of(&report, "tasks").outcome, expected, "{alter}: {report:?}");
        let next = office.forward().await;
        match then {
            Then::Refuses => assert_eq!(of(&next, "tasks").outcome, Outcome::Refused, "{alter}"),
            Then::Stops | Then::Arrives => {
                assert_eq!(next.exit_code(false), 0, "{alter}: {next:?}");
                let all = column(&office.cloud, "select count(*)::text from tasks", &[]).await;
                assert_eq!(all, ["50"], "{alter}");
            }
        }
    }
}
