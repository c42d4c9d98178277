//! A run with nothing to do: how often it asks, and what it writes.

use tidegate::demo;

use crate::proxy::{Fault, Proxy, Tally};
use crate::support::{JOBS, Office, column, of, until};

/// An office whose ends are reached through a proxy each.
struct Watched {
    office: Office,
    desktop: Proxy,
    cloud: Proxy,
}

const WRITTEN: &str = "select relname || ' ' || n_tup_ins || ' ' || n_tup_upd || ' ' || n_tup_del \
                       || ' ' || n_dead_tup from pg_stat_user_tables \
                       where schemaname = 'public' order by relname";
/// Something in each table, so long ago that every watermark has passed it.
const ROWS: &str = "
    insert into orgmaster values ('ORG', 'an office', null, '{}', 'D', now() - interval '1 day', now() - interval '1 day');
    insert into conmaster select i, 'kind ' || i, 'D', now() - interval '1 day', now() - interval '1 day'
        from generate_series(1, 50) i;
    insert into taskmaster select 'T' || i, 'task', 1, true, 'D', now() - interval '1 day', now() - interval '1 day'
        from generate_series(1, 50) i";

impl Watched {
    async fn of(office: Office) -> Self {
        let desktop = Proxy::before(office.cluster.port()).await;
        let cloud = Proxy::before(office.cluster.port()).await;
        office.write_config(&desktop.url("desktop"), &cloud.url("cloud"), "");
        Self { office, desktop, cloud }
    }

    fn run(&self, verb: &str) {
        let output = tokio::task::block_in_place(|| self.office.tidegate(&[verb]));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }

    /// What a run cost each end: the desktop, then the cloud.
    fn cost(&self, verb: &str) -> [Tally; 2] {
        self.desktop.set(Fault::None, 0);
        self.cloud.set(Fault::None, 0);
        self.run(verb);
        [self.desktop.tally(), self.cloud.tally()]
    }

    async fn written(&self) -> Vec<String> {
        self.office.until_no_session("quiet").await;
        // Else the counters of our own sessions come late.
        for session in [&self.office.desktop, &self.office.cloud] {
            session.batch_execute("select pg_stat_force_next_flush()").await.unwrap();
        }
        let mut written = column(&self.office.desktop, WRITTEN, &[]).await;
        written.extend(column(&self.office.cloud, WRITTEN, &[]).await);
        written
    }

    /// No verb takes more than so many round trips to an end, nor writes to a synced table.
    async fn assert_idle(&self, most: u64) {
        let before = self.written().await;
        for verb in ["sync", "forward", "reverse"] {
            // The proxy counts bursts: a client that was interrupted while it sent makes two of one.
            // A run that has to wait for more answers never comes to so few.
            let costs: Vec<[Tally; 2]> = (0..3).map(|_| self.cost(verb)).collect();
            let fewest = |end: usize| costs.iter().map(|cost| cost[end].round_trips).min();
            let trips = [fewest(0), fewest(1)].map(Option::unwrap);
            println!("an idle {verb}: {trips:?} round trips");
            assert!(trips.iter().all(|trips| (1..=most).contains(trips)), "{verb}: {costs:?}");
        }
        assert_eq!(self.written().await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_sync_makes_three_round_trips_to_each_end() {
    let office = Office::open(demo::SCHEMA, &demo::TABLES).await;
    office.desktop.batch_execute(ROWS).await.unwrap();
    let watched = Watched::of(office).await;
    watched.run("sync");
    watched.run("sync");
    watched.assert_idle(3).await;

    // The count counts: a sync with work takes more, and brings it.
    let work = "update conmaster set con_name = 'edited', updated_at = now() where con_id = 7";
    watched.office.cloud.batch_execute(work).await.unwrap();
    let cost = watched.cost("sync");
    assert!(cost.iter().all(|tally| tally.round_trips > 3), "{cost:?}");
    let names = "select con_name from conmaster where con_id = 7";
    assert_eq!(watched.office.same_on_both_ends(names).await, ["edited"]);
}

/// A table that is locked can't say whether it has changed: the others don't wait for it, and nothing
/// of theirs is missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_holds_up_no_other() {
    let schema = format!("{JOBS}{}", JOBS.replace("jobs (", "visits ("));
    let office = Office::open(&schema, &["jobs", "visits"]).await;
    office.sync().await;
    let mut locker = office.desktop_session().await;
    let lock = locker.transaction().await.unwrap();
    lock.batch_execute("lock table visits in access exclusive mode").await.unwrap();
    let row = "insert into jobs values (1, 'new', 'D', now(), now())";
    office.desktop.batch_execute(row).await.unwrap();
    let run = office.forward();
    let unlock = async {
        until(&office.cloud, "select count(*) = 1 from jobs").await;
        lock.rollback().await.unwrap();
    };
    let (report, ()) = tokio::join!(run, unlock);
    assert_eq!(of(&report, "jobs").inserted, 1, "{report:?}");
}

/// Rows that are withheld are looked at again, though what they wait for has not moved.
#[tokio::test(flavor = "multi_thread")]
async fn withheld_rows_cost_an_idle_sync_one_more_round_trip_to_each_end() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let old = "now() - interval '1 day', now() - interval '1 day'";
    for (end, row) in [(&office.desktop, "1, 'desktop', 'D'"), (&office.cloud, "1, 'mobile', 'M'")]
    {
        end.batch_execute(&format!("insert into jobs values ({row}, {old})")).await.unwrap();
    }
    let watched = Watched::of(office).await;
    watched.run("sync");
    watched.run("sync");
    let withheld = "select direction from tidegate._sync_withheld";
    assert_eq!(column(&watched.office.cloud, withheld, &[]).await, ["forward"]);
    assert_eq!(column(&watched.office.desktop, withheld, &[]).await, ["reverse"]);
    watched.assert_idle(4).await;
}
