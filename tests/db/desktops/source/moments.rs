//! Stamps of all kinds.

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS, NAMES, jobs};
use crate::support::{Dice, column};

/// Jobs whose stamps have no zone at the desktop, of a type.
fn stamped(of: &str) -> String {
    JOBS.replace("{stamp}", of)
}

/// r01: a transaction that is open while another commits and is read.
pub async fn late_commit(kind: Kind) {
    let versioned = JOBS.replace("source char", "rv rowversion, source char");
    let (schema, more) = match kind {
        Kind::Postgres => (JOBS, ""),
        Kind::TestServer | Kind::RealServer => (&*versioned, "capture = \"rowversion\""),
    };
    let office = DeskOffice::apart(kind, schema, JOBS, &["jobs"]).await;
    office.configure(more);
    office.migrate();
    let row = |id: i32| {
        let row = "insert into jobs (id, name, source, updated_at) values ({id}, 'x', 'D', {now})";
        office.words(&row.replace("{id}", &id.to_string()))
    };
    office.desk(&row(1)).await;
    office.forward().await;
    let mut late = office.desktop_user().await;
    late.run("begin transaction").await.unwrap();
    late.run(&row(2)).await.unwrap();
    office.desk(&row(3)).await;
    office.forward().await;
    assert_eq!(office.in_cloud("select id from jobs order by id").await, ["1", "3"]);
    late.run("commit").await.unwrap();
    office.forward().await;
    assert_eq!(office.in_cloud("select id from jobs order by id").await, ["1", "2", "3"]);
}

/// r10: 60 rows of the hour that comes twice, also when the watermark lies in its first pass.
pub async fn dst_local_time(kind: Kind) {
    let local = stamped("{local}");
    let office = DeskOffice::apart(kind, &local, JOBS, &["jobs"]).await;
    let zone = "assume_timezone = \"Europe/London\"";
    let own = office.end().sync().replace("assume_timezone = \"UTC\"", zone);
    let config = match own.contains(zone) {
        true => own,
        false => format!("{own}\n{zone}"),
    };
    let cloud = office.cluster.url("cloud");
    office.write_config(&office.end().url(), &cloud, &config);
    office.migrate();
    let rows = |minutes: std::ops::Range<i32>| {
        let row = |m: i32| {
            let stamp = format!("'2026-10-25 01:{:02}:00'", m % 60);
            format!("({m}, 'x', 'D', {stamp}, {stamp})")
        };
        format!("insert into jobs values {}", minutes.map(row).collect::<Vec<_>>().join(", "))
    };
    office.desk(&rows(0..30)).await;
    assert_eq!(jobs(&office.forward().await), [30, 30, 0, 0, 0]);
    // The position in the first pass of the hour: 00:20 UTC is 01:20 there.
    let at = "update tidegate._sync_metadata set watermark = '2026-10-25 00:20:00+00', \
              after_key = null where direction = 'forward'";
    office.mobile(at).await;
    office.desk(&rows(30..90)).await;
    office.forward().await;
    assert_eq!(office.in_cloud("select count(*) from jobs").await, ["90"]);
}

/// r11
pub async fn tz_missing(kind: Kind) {
    let office = DeskOffice::apart(kind, &stamped("{local}"), JOBS, &["jobs"]).await;
    let config = office.end().sync().replace("assume_timezone = \"UTC\"", "");
    let cloud = office.cluster.url("cloud");
    office.write_config(&office.end().url(), &cloud, &config);
    office.migrate();
    office.desk("insert into jobs values (1, 'x', 'D', {old}, {old})").await;
    let run = tokio::task::block_in_place(|| office.tidegate(&["forward", "--table", "jobs"]));
    assert_eq!(run.status.code(), Some(10), "{run:?}");
    let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert!(said.contains("assume_timezone"), "{said}");
}

/// r12: a `datetime` counts 1/300 s, and the cloud microseconds.
pub async fn datetime_settles(kind: Kind) {
    let office = DeskOffice::apart(kind, &stamped("datetime"), JOBS, &["jobs"]).await;
    office.migrate();
    let mut dice = Dice::new(12);
    for some in (0..1000).collect::<Vec<_>>().chunks(250) {
        let row = |id: &i32| {
            let micros = dice.roll(86_400_000_000);
            let at =
                format!("timestamptz '2026-03-04 00:00Z' + {micros} * interval '1 microsecond'");
            format!("({id}, 'mobile', 'M', {at}, {at})")
        };
        let rows: Vec<String> = some.iter().map(row).collect();
        office.mobile(&format!("insert into jobs values {}", rows.join(", "))).await;
    }
    let first = office.sync().await;
    assert_eq!(first.written(), 1000, "{first:?}");
    let second = office.sync().await;
    assert_eq!(second.written() + second.withheld(), 0, "{second:?}");
}

/// r13: a row 100 ns after the watermark.
pub async fn a_row_100_ns_after_the_watermark(kind: Kind) {
    let office = DeskOffice::apart(kind, &stamped("datetime2(7)"), JOBS, &["jobs"]).await;
    office.migrate();
    let row = |id: i32, digits: &str| {
        let stamp = format!("'2026-03-04 05:06:07.{digits}'");
        format!("insert into jobs values ({id}, 'x', 'D', {stamp}, {stamp})")
    };
    office.desk(&row(1, "1234567")).await;
    office.forward().await;
    let at = "update tidegate._sync_metadata set watermark = '2026-03-04 05:06:07.1234567+00', \
              after_key = null where direction = 'forward'";
    office.mobile(at).await;
    office.desk(&row(2, "1234568")).await;
    office.forward().await;
    assert_eq!(office.same(NAMES).await.len(), 2);
}

/// r15
pub async fn another_database_behind_the_address(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.mobile("update tidegate._sync_metadata set source_identity = 'another'").await;
    let run = tokio::task::block_in_place(|| office.tidegate(&["forward", "--table", "jobs"]));
    assert_eq!(run.status.code(), Some(10), "{run:?}");
    let accepted = tokio::task::block_in_place(|| {
        office.tidegate(&["watermark", "accept", "--table", "jobs", "--direction", "forward"])
    });
    assert!(accepted.status.success(), "{accepted:?}");
    office.desk("update jobs set name = 'edited', updated_at = {now} where id = 3").await;
    office.forward().await;
    assert_eq!(office.names_of(3).await, ["edited"; 2]);
}

/// The next run plans anew.
pub async fn a_column_altered_between_two_runs(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    for statement in ["alter table jobs add extra {short}", "alter table jobs drop column extra"] {
        office.desk(statement).await;
        office.mobile(statement).await;
        office.desk("update jobs set name = 'altered', updated_at = {now}").await;
        let report = office.forward().await;
        assert_eq!(report.exit_code(false), 0, "{report:?}");
        office.same(NAMES).await;
    }
    let names = column(&office.cloud, "select distinct name from jobs", &[]).await;
    assert_eq!(names, ["altered"]);
}
