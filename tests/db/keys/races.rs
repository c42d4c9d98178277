//! Sequences move while others draw from them: never back.

use tidegate::run::Request;
use tidegate::sql::Sql;

use crate::support::{Office, until, value};

use super::{IDENTITY, job_on_the_phone, jobs_on_the_desktop, next, office};

const WAITS: &str = "select exists (select from pg_locks
    where locktype = 'advisory' and objid = 7 and not granted)";

/// A run comes to the statement that moves the sequence and waits there, while a mobile user does
/// `meanwhile`.
async fn met_by(office: &Office, sql: Sql, meanwhile: &str) {
    let phone = office.cloud_session().await;
    phone.batch_execute("select pg_advisory_lock(7)").await.unwrap();
    let draws = async {
        until(&office.cloud, &WAITS.replacen("select ", "", 1)).await;
        phone.batch_execute(meanwhile).await.unwrap();
        phone.batch_execute("select pg_advisory_unlock(7)").await.unwrap();
    };
    let request = Request::default();
    let (report, ()) = tokio::join!(office.run(&request, &sql), draws);
    assert_eq!(report.unwrap().exit_code(false), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_user_who_draws_meanwhile_is_not_overtaken_backwards() {
    let waits = "select nextval({{object}}) as value
                 from (select pg_advisory_xact_lock(7)::text as got offset 0) w where w.got is not null";
    let sql = Sql::default().planted(
        "postgres/sequence_draw.sql",
        "select nextval({{object}}) as value",
        waits,
    );
    for (drawn, expected) in [(1000, "1002"), (20, "101"), (99, "101"), (100, "102")] {
        let office = office(IDENTITY).await;
        jobs_on_the_desktop(&office, "select generate_series(1, 100)").await;
        let draw = format!("select nextval('jobs_id_seq') from generate_series(1, {drawn})");
        met_by(&office, sql.clone(), &draw).await;
        assert_eq!(next(&office.cloud, "jobs_id_seq").await, expected, "{drawn} drawn");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_way_is_jumped_and_never_back() {
    let sql = Sql::default().planted(
        "postgres/sequence_set.sql",
        "from {{sequence}} s",
        "from (select pg_advisory_xact_lock(7)::text as got offset 0) w
         cross join lateral (select q.last_value from {{sequence}} q where w.got is not null offset 0) s",
    );
    let far = "select 1 + i * 90000 from generate_series(0, 3) i";
    for (drawn, expected) in [(10, "270002"), (300_000, "300001")] {
        let office = office(IDENTITY).await;
        jobs_on_the_desktop(&office, far).await;
        let draw = format!("select nextval('jobs_id_seq') from generate_series(1, {drawn})");
        met_by(&office, sql.clone(), &draw).await;
        assert_eq!(next(&office.cloud, "jobs_id_seq").await, expected, "{drawn} drawn");
    }
}

/// No value is drawn twice, and none of the desktop's once a run has ended.
#[tokio::test(flavor = "multi_thread")]
async fn two_runs_and_a_busy_phone() {
    let two = "create table jobs (id integer primary key, name text, source char(1),
        created_at timestamptz, updated_at timestamptz);
        create table notes (like jobs including all);";
    let office = Office::open(two, &["jobs", "notes"]).await;
    let shared = "create sequence keys; create table drawn (key bigint primary key);
                  alter table jobs alter id set default nextval('keys');
                  alter table notes alter id set default nextval('keys')";
    office.cloud.batch_execute(shared).await.unwrap();
    let rows = "insert into jobs select i, '', 'D', now() - interval '1 day', now() - interval '1 day'
                from generate_series(1, 5000) i; insert into notes select * from jobs where id <= 4000";
    office.desktop.batch_execute(rows).await.unwrap();
    let phone = office.cloud_session().await;
    let draws = async {
        for _ in 0..200 {
            let draw = "insert into drawn select nextval('keys') from generate_series(1, 20)";
            phone.batch_execute(draw).await.unwrap();
        }
    };
    let of = |table: &str| Request { tables: vec![table.into()], ..Request::default() };
    let (jobs, notes, sql) = (of("jobs"), of("notes"), Sql::default());
    let (one, other, ()) = tokio::join!(office.run(&jobs, &sql), office.run(&notes, &sql), draws);
    assert_eq!((one.unwrap().written(), other.unwrap().written()), (5000, 4000));
    let drawn = value(&office.cloud, "select count(*)::text from drawn").await;
    assert_eq!(drawn, "4000", "each key was drawn once");
    let key = job_on_the_phone(&office.cloud).await;
    assert!(key.parse::<i64>().unwrap() > 5000, "{key}");
}
