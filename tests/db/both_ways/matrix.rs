//! What both directions decide, for every pair of changes: a row of one office for each.

mod cells;
mod judge;
mod page;

use tidegate::model::Direction;
use tidegate::run::{Request, RunReport, Way};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{JOBS, Office};
use cells::{Cell, Change, Half, LATER, Later, MOMENTS, Moment, Start, cells};
use judge::{Observed, observe};

const REVERSE: Half = Half { direction: Direction::Reverse, full: false };
const FORWARD: Half = Half { direction: Direction::Forward, full: false };

const SYNC: [Half; 2] = [REVERSE, FORWARD];

/// What every pair of changes comes to, as documented, wherever the two fall.
#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_changes_comes_to_what_is_documented() {
    let office = office().await;
    let observed = play(&office, &cells(SYNC), SYNC, ALL).await;
    page::hold("outcomes", &page::outcomes(&observed));
}

/// Also where the runs are not the halves of a `sync`.
#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_changes_around_other_runs_comes_to_the_same() {
    let whole = |half: Half| Half { full: true, ..half };
    for halves in [
        [FORWARD, REVERSE],
        [REVERSE, REVERSE],
        [FORWARD, FORWARD],
        [whole(REVERSE), whole(FORWARD)],
        [whole(FORWARD), whole(REVERSE)],
    ] {
        play(&office().await, &cells(halves), halves, ALL).await;
    }
}

/// Also where triggers at both ends stamp every change, tidegate's as well, and make something else
/// of what is written.
#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_changes_among_triggers_comes_to_the_same() {
    for halves in [SYNC, [FORWARD, REVERSE]] {
        for [desktop, cloud] in
            [["", ""], ["new.name := lower(new.name);", "new.name := upper(new.name);"]]
        {
            let office = office().await;
            add_trigger(&office.desktop, desktop).await;
            add_trigger(&office.cloud, cloud).await;
            let mut cells = cells(halves);
            cells.retain(Cell::is_in_order);
            play(&office, &cells, halves, WITHOUT_STAMP).await;
        }
    }
}

async fn add_trigger(end: &Client, body: &str) {
    let trigger = format!(
        "create function touch() returns trigger language plpgsql as \
         $$ begin {body} new.updated_at := clock_timestamp(); return new; end $$; \
         create trigger touch before insert or update on jobs for each row execute function touch()"
    );
    end.batch_execute(&trigger).await.unwrap();
}

/// A row is read again only if it has changed, and no run is one batch.
async fn office() -> Office {
    let office = Office::both_ways(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"\nbatch_rows = 500");
    office
}

/// What both ends must have the same: all of a row, or all that triggers don't set.
const ALL: &str = "jobs";
const WITHOUT_STAMP: &str = "(id, lower(name), source, created_at)";

/// The changes around two runs, then `sync` until there is rest: what came of each.
async fn play(
    office: &Office,
    cells: &[Cell],
    halves: [Half; 2],
    compared: &str,
) -> Vec<(Cell, Observed)> {
    let story = Story::new(office, cells).await;
    story.begin().await;
    for (moment, half) in MOMENTS.into_iter().zip(halves) {
        story.change(moment).await;
        let request = Request { full: half.full, ..Request::default() };
        run(office, Way::One(half.direction), &request).await;
    }
    story.change(Moment::After).await;
    let quiet = settle(office, &Request::default()).await;
    assert!(quiet <= 3, "{quiet} cycles until there was rest");
    let by_changes = observe(office, cells, compared).await;
    let whole_tables = settle(office, &Request { full: true, ..Request::default() }).await;
    assert!(whole_tables <= 3, "{whole_tables} cycles over whole tables until there was rest");
    let in_the_end = observe(office, cells, compared).await;
    let mut faults = Vec::new();
    for (cell, (then, now)) in cells.iter().zip(by_changes.iter().zip(&in_the_end)) {
        faults.extend(judge::faults_by_changes(cell, then));
        faults.extend(judge::faults(cell, now));
    }
    assert!(faults.is_empty(), "{halves:?}: {} faults:\n{}", faults.len(), faults.join("\n"));
    cells.iter().copied().zip(in_the_end).collect()
}

/// Cycles until one writes nothing at either end.
async fn settle(office: &Office, request: &Request) -> usize {
    for cycle in 1..=6 {
        if run(office, Way::Both, request).await.written() == 0 {
            return cycle;
        }
    }
    panic!("no rest");
}

async fn run(office: &Office, way: Way, request: &Request) -> RunReport {
    let report = office.run_way(way, request, &Sql::default()).await.unwrap();
    assert!(report.tables.iter().all(|t| t.error.is_none()), "{report:?}");
    report
}

/// Two users at work.
struct Story<'s> {
    office: &'s Office,
    cells: &'s [Cell],
    /// The mobile users' clocks against the desktop's: earlier, later, and one moment for both.
    earlier: String,
    later: String,
    equal: String,
}

impl<'s> Story<'s> {
    async fn new(office: &'s Office, cells: &'s [Cell]) -> Self {
        let at = async |moment: &str| {
            let query = format!("select (now() {moment})::text");
            office.cloud.query_one(&query, &[]).await.unwrap().get(0)
        };
        Self {
            office,
            cells,
            earlier: at("- interval '4 min'").await,
            later: at("+ interval '4 min'").await,
            equal: at("+ interval '3 min'").await,
        }
    }

    /// The rows that both ends have before.
    async fn begin(&self) {
        let insert = "insert into jobs select i, 'start', $2::text, now() - interval '1 day', \
                      now() - interval '1 day' from unnest($1::integer[]) i";
        for (end, start, mark) in [
            (&self.office.desktop, Start::Desktops, "D"),
            (&self.office.cloud, Start::Mobiles, "M"),
        ] {
            let ids = self.ids(|cell| cell.start == start);
            end.execute(insert, &[&ids, &mark]).await.unwrap();
        }
        settle(self.office, &Request::default()).await;
    }

    fn ids(&self, which: impl Fn(&Cell) -> bool) -> Vec<i32> {
        self.cells.iter().filter(|cell| which(cell)).map(|cell| cell.id).collect()
    }

    /// What both do at one moment.
    async fn change(&self, moment: Moment) {
        for later in LATER {
            let by_desktop = |cell: &Cell| cell.later == later && cell.desktop_at == moment;
            let stamp = (later == Later::Neither).then_some(&*self.equal);
            for change in cells::CHANGES {
                let ids = self.ids(|cell| by_desktop(cell) && cell.desktop == change);
                write(&self.office.desktop, change, "desktop", &ids, stamp).await;
            }
            let by_mobile = |cell: &Cell| cell.later == later && cell.mobile_at == moment;
            let stamp = match later {
                Later::Desktop => &self.earlier,
                Later::Mobile => &self.later,
                Later::Neither => &self.equal,
            };
            for change in cells::CHANGES {
                let ids = self.ids(|cell| by_mobile(cell) && cell.mobile == change);
                write(&self.office.cloud, change, "mobile", &ids, Some(stamp)).await;
                // The log's clock as it would be.
                let clock = "update tidegate._sync_changes set changed_at = $2::text::timestamptz \
                             where (key ->> 'id')::integer = any ($1)";
                self.office.cloud.execute(clock, &[&ids, stamp]).await.unwrap();
            }
        }
    }
}

/// A user's change of some rows, which all are as he expects; the stamp is now unless it is given.
async fn write(end: &Client, change: Change, by: &str, ids: &[i32], stamp: Option<&str>) {
    let ids = ids.to_vec();
    let stamped = "coalesce($3::text::timestamptz, clock_timestamp())";
    let written = match change {
        Change::Nothing => return,
        Change::Insert => {
            let insert = format!(
                "insert into jobs select i, $2::text, upper(left($2, 1)), {stamped}, {stamped} \
                 from unnest($1::integer[]) i"
            );
            end.execute(&insert, &[&ids, &by, &stamp]).await
        }
        Change::Update => {
            let update =
                format!("update jobs set name = $2, updated_at = {stamped} where id = any ($1)");
            end.execute(&update, &[&ids, &by, &stamp]).await
        }
        Change::Unstamped => {
            end.execute("update jobs set name = $2 where id = any ($1)", &[&ids, &by]).await
        }
        Change::Delete => end.execute("delete from jobs where id = any ($1)", &[&ids]).await,
    };
    assert_eq!(written.unwrap(), ids.len() as u64, "{by} {change:?}");
}
