//! A network that cuts and stalls, through the proxy; and how little a quiet run asks of it.

use std::process::Output;

use crate::proxy::{Fault, Proxy, Way};
use crate::support::{JOBS, Office, column, value};

/// An office whose cloud is reached through a proxy.
async fn office(schema: &str, tables: &[&str], more: &str) -> (Office, Proxy) {
    let office = Office::open(schema, tables).await;
    let proxy = Proxy::before(office.cluster.port()).await;
    office.write_config(&office.cluster.url("desktop"), &proxy.url("cloud"), more);
    (office, proxy)
}

/// A run of the program, while the proxy is at work.
fn forward(office: &Office) -> Output {
    tokio::task::block_in_place(|| office.tidegate(&["forward"]))
}

fn assert_code(output: &Output, code: i32, context: &str) {
    assert_eq!(output.status.code(), Some(code), "{context}: {output:?}");
}

async fn new_job(office: &Office, id: u64) {
    let insert = format!("insert into jobs values ({id}, 'new', 'D', now(), now())");
    office.desktop.batch_execute(&insert).await.unwrap();
}

const ALL: &str = "select j::text from jobs j order by id";

#[tokio::test(flavor = "multi_thread")]
async fn p02_commit_unknown() {
    let (office, proxy) = office(JOBS, &["jobs"], "").await;
    for id in 1..=20 {
        new_job(&office, id).await;
        proxy.set(Fault::SwallowCommit, 1);
        let output = forward(&office);
        assert_code(&output, 0, "the answer to COMMIT was lost");
        assert_eq!(proxy.tally().struck, 1);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains("reading it back") && !log.contains("tried again"), "{log}");
        assert_eq!(office.same_on_both_ends(ALL).await.len(), usize::try_from(id).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p02_commit_that_never_reached_the_server() {
    let (office, proxy) = office(JOBS, &["jobs"], "").await;
    // Once: the batch is merged again. Always: the run fails, and the next one brings it.
    for (id, times, code) in [(1, 1, 0), (2, 99, 1), (3, 1, 0)] {
        new_job(&office, id).await;
        proxy.set(Fault::CutBeforeCommit, times);
        assert_code(&forward(&office), code, "COMMIT was cut");
        assert!(proxy.tally().struck > 0);
        let there = value(&office.cloud, "select count(*)::text from jobs").await;
        assert_eq!(there, if code == 0 { id } else { id - 1 }.to_string());
        proxy.set(Fault::None, 0);
        assert_code(&forward(&office), 0, "the next run");
        office.same_on_both_ends(ALL).await;
    }
}

/// Cuts at bytes all over the run, most of them within the COPY.
#[tokio::test(flavor = "multi_thread")]
async fn p03_copy_cut() {
    let (office, proxy) = office(JOBS, &["jobs"], "batch_rows = 1000").await;
    let fill = "insert into jobs select i, 'job ' || i, 'D', t, t from generate_series(1, 2000) i, \
                lateral (select now() - interval '1 day' + i * interval '1 second' as t) s";
    office.desktop.batch_execute(fill).await.unwrap();
    proxy.set(Fault::None, 0);
    assert_code(&forward(&office), 0, "whole");
    let whole = proxy.tally();
    let (begin, end) = whole.copy;
    assert!(end - begin > 30_000, "{whole:?}");
    let within_copy = (0..8).map(|i| (Way::ToServer, begin + 1 + i * (end - begin - 2) / 7));
    let anywhere = [1, 5, 9].map(|i| (Way::ToClient, whole.to_client * i / 10));
    // Not as a mobile user would: what they deleted stays deleted.
    let again = "begin; set local tidegate.writing = 'a test'; \
                 truncate jobs, tidegate._sync_metadata; commit";
    // Within the run's last statements: the times in them make one run some bytes shorter.
    let at_the_end = [(Way::ToServer, whole.to_server - 64)];
    for (way, at) in within_copy.chain(anywhere).chain(at_the_end) {
        let context = format!("cut at byte {at} {way:?}");
        office.cloud.batch_execute(again).await.unwrap();
        proxy.set(Fault::Cut(way, at), 99);
        let output = forward(&office);
        assert!(proxy.tally().struck > 0, "{context}");
        assert!(matches!(output.status.code(), Some(0 | 1 | 13)), "{context}: {output:?}");
        let there = value(&office.cloud, "select count(*)::text from jobs").await;
        assert!(["0", "1000", "2000"].contains(&there.as_str()), "{context}: {there} rows");
        proxy.set(Fault::None, 0);
        assert_code(&forward(&office), 0, &context);
        office.same_on_both_ends(ALL).await;
    }
}

/// Tables `t1` … of jobs, each referring to the one before, with rows that stay withheld.
async fn quiet_office(tables: usize) -> (Office, Proxy) {
    let names: Vec<String> = (1..=tables).map(|i| format!("t{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let table = |name: &&str| JOBS.replace("jobs (", &format!("{name} ("));
    let schema: String = names.iter().map(table).collect();
    let (office, proxy) = office(&schema, &names, "").await;
    let reference = "alter table t3 add t1 integer references t1";
    office.cloud.batch_execute(reference).await.unwrap();
    office.desktop.batch_execute("alter table t3 add t1 integer").await.unwrap();
    for name in names {
        let old = "now() - interval '1 day', now() - interval '1 day'";
        let fill = format!(
            "insert into {name} select i, 'row ' || i, 'D', {old} from generate_series(1, 20) i; \
             insert into {name} values (21, 'nobody''s', null, {old})"
        );
        office.desktop.batch_execute(&fill).await.unwrap();
        let mobile = format!("insert into {name} values (5, 'mobile', 'M', {old})");
        office.cloud.batch_execute(&mobile).await.unwrap();
    }
    office.desktop.batch_execute("update t3 set t1 = 77 where id = 3").await.unwrap();
    (office, proxy)
}

const WRITTEN: &str = "select relname || ' ' || n_tup_ins || ' ' || n_tup_upd || ' ' || n_tup_del \
                       || ' ' || n_dead_tup from pg_stat_user_tables \
                       where schemaname = 'public' order by relname";

async fn quiet_run(tables: usize) {
    let (office, proxy) = quiet_office(tables).await;
    assert_code(&forward(&office), 0, "first load");
    let mut withheld = office.withheld().await;
    withheld.dedup();
    let reasons = ["21\"} owner", "3\"} missing_parent", "5\"} key_collision"];
    assert_eq!(withheld, reasons.map(|reason| format!("{{\"id\": \"{reason}")));
    // Counters come late: those of our own session when it does something, others at their end.
    let all = format!(
        "select (sum(n_tup_ins) = {})::text from pg_stat_user_tables \
                       where schemaname = 'public'",
        20 * tables - 1
    );
    office.until_no_session("first load").await;
    office.until(&all, "counters").await;
    let counters = column(&office.cloud, WRITTEN, &[]).await;
    let rows = "select string_agg(t::text || xmin || ctid, ' ' order by id) from t3 t";
    let before = value(&office.cloud, rows).await;

    for _ in 0..2 {
        proxy.set(Fault::None, 0);
        assert_code(&forward(&office), 0, "quiet");
        let tally = proxy.tally();
        assert!(tally.round_trips > 0 && tally.round_trips <= 3, "{tables} tables: {tally:?}");
        assert_eq!(tally.connections, 1);
        office.until_no_session("quiet").await;
        assert_eq!(column(&office.cloud, WRITTEN, &[]).await, counters);
        assert_eq!(value(&office.cloud, rows).await, before);
    }
    new_row_takes_more(&office, &proxy).await;
}

/// The count counts: a run with work takes more.
async fn new_row_takes_more(office: &Office, proxy: &Proxy) {
    let insert = "insert into t1 values (30, 'new', 'D', now(), now())";
    office.desktop.batch_execute(insert).await.unwrap();
    proxy.set(Fault::None, 0);
    assert_code(&forward(office), 0, "work");
    assert!(proxy.tally().round_trips > 3, "{:?}", proxy.tally());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_run_of_3_tables_takes_3_round_trips_and_writes_nothing() {
    quiet_run(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_run_of_15_tables_takes_3_round_trips_and_writes_nothing() {
    quiet_run(15).await;
}

/// A cloud that doesn't answer any more holds a run, but not against its operator.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_stalled_run_ends_with_the_second_signal() {
    let (office, proxy) = office(JOBS, &["jobs"], "").await;
    new_job(&office, 1).await;
    proxy.set(Fault::Stall(Way::ToServer, 5000), 9);
    let mut child = office.command(&["forward"]).spawn().unwrap();
    while proxy.tally().struck == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "{:?}", proxy.tally());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for code in [None, Some(143)] {
        let pid = child.id().to_string();
        std::process::Command::new("kill").arg(pid).status().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let ended = child.try_wait().unwrap();
        assert_eq!(ended.and_then(|status| status.code()), code);
    }
    proxy.set(Fault::None, 0);
    assert_code(&forward(&office), 0, "the next run");
    office.same_on_both_ends(ALL).await;
}
