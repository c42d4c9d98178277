//! Which rows are read.

use std::process::{Child, Stdio};
use std::time::Duration;

use tidegate::run::Request;
use tidegate::sql::Sql;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS, NAMES, jobs};
use crate::support::long;

/// Jobs of one stamp.
async fn fill(office: &DeskOffice, ids: std::ops::Range<i32>, stamp: &str) {
    let ids: Vec<i32> = ids.collect();
    for some in ids.chunks(500) {
        let rows = some.iter().map(|id| format!("({id}, 'job', 'D', '{stamp}', '{stamp}')"));
        let rows = rows.collect::<Vec<_>>().join(", ");
        office.desk(&format!("insert into jobs values {rows}")).await;
    }
}

pub async fn first_load(kind: Kind) {
    let office = DeskOffice::open(kind, JOBS, &["jobs"]).await;
    let batch = "insert into jobs values (1, 'one', 'D', {old}, {old}), (2, null, 'D', null, {old}), \
                 (3, 'three', 'D', null, null)";
    office.desk(batch).await;
    let report = office.forward().await;
    assert_eq!(jobs(&report), [3, 3, 0, 0, 0], "{report:?}");
    assert_eq!(office.same(NAMES).await, ["1|one|D", "2|null|D", "3|three|D"]);
}

pub async fn changes_by_stamps(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let work = "update jobs set name = 'edited', updated_at = {now} where id = 3; \
                insert into jobs values (20, 'new', 'D', {now}, null)";
    office.desk(work).await;
    let report = office.forward().await;
    assert_eq!(jobs(&report), [2, 1, 1, 0, 0], "{report:?}");
    office.same(NAMES).await;
    assert_eq!(office.names_of(3).await, ["edited"; 2]);
}

/// What lies above the horizon arrives at once, and is read again without being written.
pub async fn closed_reading(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("update jobs set name = 'edited', updated_at = {soon} where id = 3").await;
    assert_eq!(jobs(&office.forward().await), [1, 0, 1, 0, 0]);
    assert_eq!(jobs(&office.forward().await), [1, 0, 0, 1, 0]);
    office.same(NAMES).await;
}

/// r06
pub async fn equal_stamps_interrupted(kind: Kind) {
    let office = DeskOffice::open(kind, JOBS, &["jobs"]).await;
    office.configure("batch_rows = 100");
    fill(&office, 1..451, "2026-01-02 03:04:05").await;
    let stopped = office.forward_stopping_after(2, &Request::default()).await;
    assert!(stopped.written() < 450, "{stopped:?}");
    let rest = office.forward().await;
    assert_eq!(stopped.written() + rest.written(), 450, "{rest:?}");
    assert_eq!(office.same(NAMES).await.len(), 450);
    fill(&office, 500..950, "2026-06-07 08:09:10").await;
    office.forward().await;
    office.desk("update jobs set name = 'edited', updated_at = {now}").await;
    let stopped = office.forward_stopping_after(3, &Request::default()).await;
    assert!(stopped.written() < 900, "{stopped:?}");
    office.forward().await;
    office.same(NAMES).await;
}

pub async fn quiet_run_reads_nothing(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.forward().await;
    assert_eq!(jobs(&office.forward().await), [0; 5]);
}

/// r08
pub async fn future_stamp(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    fill(&office, 20..21, "2999-01-01 00:00:00").await;
    assert_eq!(jobs(&office.forward().await), [1, 1, 0, 0, 0]);
    office.desk("insert into jobs values (21, 'after', 'D', {now}, {now})").await;
    office.forward().await;
    assert_eq!(office.names_of(21).await, ["after"; 2]);
}

pub async fn changes_by_rowversion(kind: Kind) {
    let versioned = JOBS.replace("source char", "rv rowversion, source char");
    let office = DeskOffice::apart(kind, &versioned, JOBS, &["jobs"]).await;
    office.configure("capture = \"rowversion\"");
    office.migrate();
    let three =
        "insert into jobs (id, name, source) values (1, 'a', 'D'), (2, 'b', 'D'), (3, 'c', 'D')";
    office.desk(three).await;
    assert_eq!(jobs(&office.forward().await), [3, 3, 0, 0, 0]);
    office.desk("update jobs set name = 'edited' where id = 2").await;
    assert_eq!(jobs(&office.forward().await), [1, 0, 1, 0, 0]);
    assert_eq!(jobs(&office.forward().await), [0; 5]);
    office.same(NAMES).await;
}

/// As a scan at READ COMMITTED may read a row that moves meanwhile: before it has moved, and after.
pub async fn r16_rows_read_twice_are_one(kind: Kind) {
    let office = DeskOffice::open(kind, JOBS, &["jobs"]).await;
    office.desk("insert into jobs (id, name, source) values (1, 'a', 'D'), (2, 'b', 'D')").await;
    let twice = "from {{source}} s cross join (values (1), (2)) as twice (n)";
    let sql = Sql::default().planted("sqlserver/read_all.sql", "from {{source}} s", twice);
    let report = office.run(&Request::default(), &sql).await.unwrap();
    assert_eq!(jobs(&report), [2, 2, 0, 0, 0]);
    office.same(NAMES).await;
}

/// Peak of the process in KiB, which is the whole program: not more than so much above a run over nothing.
pub async fn many_rows_in_flat_memory(kind: Kind) {
    let office = DeskOffice::open(kind, JOBS, &["jobs"]).await;
    let peak = || {
        let mut run = office.command(&["forward"]);
        let run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::task::block_in_place(|| peak_of(run))
    };
    let empty = peak();
    let rows = if long() { 1000 } else { 100 };
    office.desk("create table thousand (n int not null primary key)").await;
    let numbers = (0..1000).map(|n| format!("({n})")).collect::<Vec<_>>().join(", ");
    office.desk(&format!("insert into thousand values {numbers}")).await;
    // The client of the tests waits for 30 seconds.
    for from in (0..rows).step_by(100) {
        let fill = format!(
            "insert into jobs select a.n * 1000 + b.n, 'a job with a name of some length', 'D', \
             {{now}}, {{now}} \
             from thousand a cross join thousand b where a.n >= {from} and a.n < {from} + 100"
        );
        office.desk(&fill).await;
    }
    let full = peak();
    assert_eq!(office.in_cloud("select count(*) from jobs").await, [(rows * 1000).to_string()]);
    eprintln!("{empty} KiB, with {rows} 000 rows {full} KiB");
    assert!(full < empty + 100_000, "{empty} KiB, with {rows} 000 rows {full} KiB");
}

/// The most memory that a process has had, looked at until it ends, in KiB.
fn peak_of(mut run: Child) -> u64 {
    let file = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(run.wait().unwrap().success());
    peak
}
