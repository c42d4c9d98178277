//! Big rows and big backlogs: memory stays flat.

use std::fs;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::process::spawn;
use crate::support::{JOBS, Office, long, of, value};

/// A run of the program that must be done; the most memory that it had, in MiB.
async fn peak_of_a_run(office: &Office, verb: &str) -> u64 {
    let mut run = spawn(office, &["-q", verb, "--output", "json"]);
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        // A high-water mark: what comes between two looks is in the second one.
        let read = fs::read_to_string(&status).unwrap_or_default();
        let line = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        sleep(Duration::from_millis(5)).await;
    }
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(peak > 0, "no /proc");
    peak / 1024
}

async fn batches(office: &Office) -> u64 {
    let generation = "select generation::text from tidegate._sync_metadata";
    value(&office.cloud, generation).await.parse().unwrap()
}

const SUM: &str =
    "select md5(string_agg(id || md5(name) || md5(photo), ' ' order by id)) from jobs";

#[tokio::test(flavor = "multi_thread")]
async fn v08_big_rows() {
    let schema = JOBS.replace("name text", "name text, photo bytea");
    let office = Office::open(&schema, &["jobs"]).await;
    for table in [&office.desktop, &office.cloud] {
        // Neither time nor disk for compression, which is not what is measured.
        let plain = "alter table jobs alter name set storage external, \
                     alter photo set storage external";
        table.batch_execute(plain).await.unwrap();
    }
    let fill = "insert into jobs select i, repeat('x', 1000000), \
                    decode(repeat(lpad(to_hex(i), 4, '0'), 500000), 'hex'), 'D', t, t \
                from generate_series(1, 200) i, lateral (select now() - interval '1 day' as t) s";
    office.desktop.batch_execute(fill).await.unwrap();
    let peak = peak_of_a_run(&office, "forward").await;
    println!("200 rows of 2 MB: {peak} MiB at most");
    assert!(peak < 96, "{peak} MiB");
    // 4 MiB are reached by three rows.
    assert_eq!(batches(&office).await, 67);
    office.same_on_both_ends(SUM).await;

    let larger = "insert into jobs values (1000, repeat('y', 20000000), '', 'D', now(), now())";
    office.desktop.batch_execute(larger).await.unwrap();
    let peak = peak_of_a_run(&office, "forward").await;
    println!("a row of 20 MB: {peak} MiB at most");
    assert!(peak < 160, "{peak} MiB");
    office.same_on_both_ends(SUM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_huge_backlog() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into jobs select i, 'job ' || i || repeat(' x', 40), 'D', t, t \
                from generate_series(1, 300000) i, \
                lateral (select now() - interval '30 days' + i * interval '1 s' as t) s";
    office.desktop.batch_execute(fill).await.unwrap();
    let peak = peak_of_a_run(&office, "forward").await;
    println!("300,000 rows: {peak} MiB at most");
    assert!(peak < 64, "{peak} MiB");
    assert!(batches(&office).await > 5, "each with its own position");
    let sum = "select count(*) || md5(string_agg(j::text, ' ' order by id)) from jobs j";
    office.same_on_both_ends(sum).await;
}

/// A change log that nobody has read for long, with several entries about each row.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_log_of_a_million_entries_is_read_in_bounded_memory() {
    // A fifth of them, unless there is time.
    let rows = if long() { 200_000 } else { 40_000 };
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = format!(
        "insert into jobs select i, 'job ' || i, 'D', t, t \
         from generate_series(1, {rows}) i, lateral (select now() - interval '1 day' as t) s"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    let loaded = office.sync().await;
    assert_eq!(of(&loaded, "jobs").error.as_ref().map(|e| &e.message), None);
    // As five edits of each row would have left it; the last of them is the row as it is.
    let edits = "begin;
        set local tidegate.writing = 'a test';
        insert into tidegate._sync_changes (table_name, operation, key, old, new_owner)
        select 'jobs', 'update', jsonb_build_object('id', j.id::text), row_to_json(j), 'D'
        from generate_series(1, 5) edit, jobs j;
        update jobs set name = name || ' edited', updated_at = now();
        commit;
        analyze tidegate._sync_changes";
    office.cloud.batch_execute(edits).await.unwrap();
    let entries = "select count(*)::text from tidegate._sync_changes";
    assert_eq!(value(&office.cloud, entries).await, (5 * rows).to_string());
    let start = Instant::now();
    let peak = peak_of_a_run(&office, "reverse").await;
    println!("{} entries: {peak} MiB at most, {:?}", 5 * rows, start.elapsed());
    assert!(peak < 64, "{peak} MiB");
    let sum = "select count(*) || ' ' || count(*) filter (where name like '% edited') \
               || md5(string_agg(j::text, ' ' order by id)) from jobs j";
    let same = office.same_on_both_ends(sum).await;
    assert!(same[0].starts_with(&format!("{rows} {rows}")), "{same:?}");
}
