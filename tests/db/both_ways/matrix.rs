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
    let cells = cells(SYNC);
    let office = office().await;
    let played = Story::new(&office, &cells, &Sql::default()).await.play(SYNC, ALL).await;
    let observed: Vec<(&Cell, Observed)> = cells.iter().zip(played.hold()).collect();
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
        let cells = cells(halves);
        let office = office().await;
        Story::new(&office, &cells, &Sql::default()).await.play(halves, ALL).await.hold();
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
            let sql = Sql::default();
            let story = Story::new(&office, &cells, &sql).await;
            story.play(halves, WITHOUT_STAMP).await.hold();
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
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"\nbatch_rows = 500");
    office
}

/// What both ends must have the same: all of a row, or all that triggers don't set.
const ALL: &str = "jobs";
const WITHOUT_STAMP: &str = "(id, lower(name), source, created_at)";

/// What shows that the others can fail: faults, and what each of them leads to.
#[tokio::test(flavor = "multi_thread")]
async fn planted_faults_of_the_decisions_are_seen() {
    for (statement, from, to, wanted) in [
        ("postgres/trash.sql", "where {{contested}}", "where false", "is lost"),
        ("postgres/queue.sql", "where {{contested}}", "where false", "[Desktop, Start] instead of"),
        (
            "postgres/opposite.sql",
            "and w.reason = 'stale'",
            "and false",
            "[Desktop, Mobile] instead of",
        ),
        ("postgres/log_of_row.sql", "c.operation not in ('marked', 'queued')", "false", "is lost"),
    ] {
        let sql = Sql::default().planted(statement, from, to);
        let mut cells = cells(SYNC);
        cells.retain(|cell| cell.desktop_at == Moment::Between);
        let office = office().await;
        let faults = Story::new(&office, &cells, &sql).await.play(SYNC, ALL).await.faults;
        assert!(faults.iter().any(|f| f.contains(wanted)), "{statement}: {faults:?}");
    }
}

/// What came of each cell.
struct Played {
    observed: Vec<Observed>,
    faults: Vec<String>,
}

impl Played {
    fn hold(self) -> Vec<Observed> {
        let Self { observed, faults } = self;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        observed
    }
}

/// Two users at work.
struct Story<'s> {
    office: &'s Office,
    cells: &'s [Cell],
    sql: &'s Sql,
    /// The mobile users' clocks against the desktop's: before the rows were made, later than now, and
    /// one moment for both.
    earlier: String,
    later: String,
    equal: String,
}

impl<'s> Story<'s> {
    async fn new(office: &'s Office, cells: &'s [Cell], sql: &'s Sql) -> Self {
        let at = async |moment: &str| {
            let query = format!("select (now() {moment})::text");
            office.cloud.query_one(&query, &[]).await.unwrap().get(0)
        };
        Self {
            office,
            cells,
            sql,
            earlier: at("- interval '2 days'").await,
            later: at("+ interval '4 min'").await,
            equal: at("+ interval '3 min'").await,
        }
    }

    /// The changes around two runs, then `sync` until there is rest.
    async fn play(&self, halves: [Half; 2], compared: &str) -> Played {
        let (office, cells) = (self.office, self.cells);
        self.begin().await;
        for (moment, half) in MOMENTS.into_iter().zip(halves) {
            self.change(moment).await;
            let request = Request { full: half.full, ..Request::default() };
            self.run(Way::One(half.direction), &request).await;
        }
        self.change(Moment::After).await;
        let mut faults = Vec::new();
        faults.extend(self.settle(&Request::default()).await);
        let by_changes = observe(office, cells, compared).await;
        faults.extend(self.settle(&Request { full: true, ..Request::default() }).await);
        let observed = observe(office, cells, compared).await;
        for (cell, (then, now)) in cells.iter().zip(by_changes.iter().zip(&observed)) {
            faults.extend(judge::faults_by_changes(cell, then));
            faults.extend(judge::faults(cell, now));
        }
        Played { observed, faults }
    }

    /// Runs until nothing is written at either end, which has to be the third time at the latest.
    async fn settle(&self, request: &Request) -> Option<String> {
        let mut written = Vec::new();
        while written.len() < 3 && written.last() != Some(&0) {
            written.push(self.run(Way::Both, request).await.written());
        }
        (written.last() != Some(&0)).then(|| format!("no rest: {written:?} rows written"))
    }

    async fn run(&self, way: Way, request: &Request) -> RunReport {
        let report = self.office.run_way(way, request, self.sql).await.unwrap();
        assert!(report.tables.iter().all(|t| t.error.is_none()), "{report:?}");
        report
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
        assert_eq!(self.settle(&Request::default()).await, None);
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
