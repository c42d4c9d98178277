//! Both directions.

mod interrupted;
mod matrix;
mod owners;
mod races;
mod restored;
mod schedules;
mod settling;
mod stamps;
mod trips;
mod verbs;
mod withheld;

use tidegate::model::Direction;
use tidegate::run::{Request, RunReport, Way};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{JOBS, Office, column, counts, of, value};

const FORWARD: Way = Way::One(Direction::Forward);

const ROWS: &str = "select jobs::text from jobs order by id";

async fn execute(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// An office whose nine jobs, all of the desktop's, are at both ends.
async fn filled() -> Office {
    office(9).await
}

/// The same with more of them.
async fn office(jobs: i32) -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.configure("lag = \"0s\"");
    let old = "now() - interval '2 days'";
    let fill = format!(
        "insert into jobs select i, 'desktop', 'D', {old}, {old} from generate_series(1, {jobs}) i"
    );
    execute(&office.desktop, &fill).await;
    office.sync().await;
    office
}

/// Both directions, with statements in which a fault may be planted.
async fn sync_with(office: &Office, sql: &Sql) -> RunReport {
    office.run_way(Way::Both, &Request::default(), sql).await.unwrap()
}

fn full() -> Request {
    Request { full: true, ..Request::default() }
}

async fn name(client: &Client, id: i32) -> String {
    value(client, &format!("select name from jobs where id = {id}")).await
}

/// What both ends call a row.
async fn both(office: &Office, id: i32) -> [String; 2] {
    [name(&office.desktop, id).await, name(&office.cloud, id).await]
}

/// Another round brings and withholds nothing.
async fn assert_settled(office: &Office) {
    let report = office.sync().await;
    assert_eq!(report.written() + report.withheld(), 0, "{report:?}");
    office.same_on_both_ends(ROWS).await;
}

/// What lost, and to whom, at either end.
async fn conflicts(office: &Office) -> Vec<String> {
    let lost = "select concat_ws(' ', key ->> 'id', row ->> 'name', reason) \
                from tidegate._sync_trash order by id";
    let mut lost_to_either = column(&office.desktop, lost, &[]).await;
    lost_to_either.extend(column(&office.cloud, lost, &[]).await);
    lost_to_either
}

/// Mobile work comes home, and the run after it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn mobile_rows_and_mobile_edits_come_home() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill =
        "insert into jobs select i, 'desktop', 'D', now(), now() from generate_series(1, 9) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.sync().await;
    let work = "insert into jobs values (100, 'mobile', 'M', now(), now()); \
                update jobs set name = 'edited', updated_at = now() where id = 3";
    office.cloud.batch_execute(work).await.unwrap();
    let report = office.reverse().await;
    assert_eq!(counts(of(&report, "jobs")), [2, 1, 1, 0, 0], "{report:?}");
    let all = "select string_agg(jobs::text, ' ' order by id) from jobs";
    assert_eq!(value(&office.desktop, all).await, value(&office.cloud, all).await);
    let again = office.sync().await;
    assert_eq!(again.written() + again.withheld(), 0, "{again:?}");
}
