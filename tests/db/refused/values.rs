//! Values that a type, a constraint or a trigger of the cloud refuses.

use tidegate::run::Outcome;

use super::{AS_NUMBER, execute, fill, office};
use crate::support::{Office, counts, of, value};

/// A desktop edit.
fn edit(set: &str, which: &str) -> String {
    format!("update jobs set {set}, updated_at = now() where {which}")
}

/// One bad row among 1,000 is withheld; what it waits for is another version of it, or another
/// table in the cloud, and a quiet run does not look at it.
#[tokio::test(flavor = "multi_thread")]
async fn v09_poison_row() {
    let office = office(AS_NUMBER).await;
    fill(&office, 1000).await;
    let poison = "update jobs set number = '99999999999' where id in (500, 700)";
    execute(&office.desktop, poison).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [1000, 998, 0, 0, 2], "{report:?}");
    assert_eq!(report.exit_code(false), 0, "{report:?}");
    let bad = [r#"{"id": "500"} bad_value"#, r#"{"id": "700"} bad_value"#];
    assert_eq!(office.withheld().await, bad);
    let status = String::from_utf8(office.tidegate(&["status"]).stdout).unwrap();
    let said = "jobs: 2 withheld: merging jobs: the cloud answered 22003, number out of range";
    assert!(status.contains(said), "{status}");
    let stored = "select row ->> 'number' from tidegate._sync_withheld where key ->> 'id' = '500'";
    assert_eq!(value(&office.cloud, stored).await, "99999999999");

    office.forward().await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
    execute(&office.desktop, &edit("number = '7'", "id = 500")).await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
    assert_eq!(office.withheld().await, bad[1..]);
    execute(&office.cloud, "alter table jobs alter number type bigint").await;
    let report = office.forward().await;
    assert_eq!(of(&report, "jobs").inserted, 1, "{report:?}");
    assert!(office.withheld().await.is_empty());
    office.same_on_both_ends("select id || ' ' || number from jobs order by id").await;
}

/// Each way of refusing one row, with the remedy that lets it in without a new version of it.
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_never_stops_a_table() {
    let raise = "create function refuse() returns trigger language plpgsql as \
        $$ begin if new.id = 7 then raise 'no sevens'; end if; return new; end $$;";
    let before = format!(
        "{raise} create trigger refuse before insert or update on jobs \
         for each row execute function refuse()"
    );
    let deferred = format!(
        "{raise} create constraint trigger refuse after insert or update on jobs \
         deferrable initially deferred for each row execute function refuse()"
    );
    let cases = [
        ("alter table jobs add check (id <> 7)", "alter table jobs drop constraint jobs_id_check"),
        (
            "alter table jobs alter number type varchar(1)",
            "alter table jobs alter number type text",
        ),
        (
            "alter table jobs alter number set not null",
            "alter table jobs alter number drop not null",
        ),
        (
            "create domain small as text check (length(value) < 2); \
             alter table jobs alter number type small",
            "alter table jobs alter number type text",
        ),
        (
            "create type one as enum ('1'); alter table jobs alter number type one using '1'::one",
            "alter table jobs alter number type text",
        ),
        (&before, "drop trigger refuse on jobs"),
        (&deferred, "drop trigger refuse on jobs"),
        (
            "alter table jobs add exclude using btree ((id % 4) with =)",
            "alter table jobs drop constraint jobs_expr_excl",
        ),
    ];
    for (refuse, allow) in cases {
        let office = office(refuse).await;
        let jobs = "insert into jobs values (3, '1', 'D', now() - interval '1 day'), \
            (7, case when $n then null else 'many' end, 'D', now() - interval '1 day'), \
            (8, '1', 'D', now() - interval '1 day')";
        let null = refuse.contains("not null").to_string();
        execute(&office.desktop, &jobs.replace("$n", &null)).await;
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "jobs")), [3, 2, 0, 0, 1], "{refuse}: {report:?}");
        assert_eq!(office.withheld().await.len(), 1, "{refuse}");
        assert!(office.withheld().await[0].ends_with(" bad_value"), "{refuse}");
        execute(&office.cloud, allow).await;
        office.forward().await;
        office.same_on_both_ends("select id || ' ' || number::text from jobs order by id").await;
        assert!(office.withheld().await.is_empty(), "{refuse}");
    }
}

/// Bytes that are no UTF-8, from a desktop that never asked.
#[tokio::test(flavor = "multi_thread")]
async fn v02_bad_utf8() {
    let mut office = office("").await;
    let ascii = "create database ascii encoding 'SQL_ASCII' locale 'C' template template0";
    execute(&office.desktop, ascii).await;
    office.desktop = crate::support::connect(&office.cluster.url("ascii")).await;
    office.write_config(&office.cluster.url("ascii"), &office.cluster.url("cloud"), "");
    execute(&office.desktop, super::DESKTOP).await;
    fill(&office, 10).await;
    execute(&office.desktop, r"update jobs set number = e'\xff\xfe' where id = 5").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [10, 9, 0, 0, 1], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "5"} bad_value"#]);
    let stored = "select row ->> 'number' from tidegate._sync_withheld";
    assert_eq!(value(&office.cloud, stored).await, r"\xfffe");
    execute(&office.desktop, &edit("number = 'five'", "id = 5")).await;
    assert_eq!(counts(of(&office.forward().await, "jobs"))[1], 1);
    assert!(office.withheld().await.is_empty());
}

/// A key that the cloud's type can't hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_out_of_range_is_withheld() {
    let office = office("").await;
    execute(&office.desktop, "alter table jobs alter id type bigint").await;
    fill(&office, 9).await;
    execute(&office.desktop, "update jobs set id = 5000000000 where id = 5").await;
    for [read, inserted] in [[9, 8], [0, 0]] {
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "jobs")), [read, inserted, 0, 0, read - inserted]);
        assert_eq!(office.withheld().await, [r#"{"id": "5000000000"} bad_value"#]);
    }
    execute(&office.cloud, "alter table jobs alter id type bigint").await;
    assert_eq!(of(&office.forward().await, "jobs").inserted, 1);
    office.same_on_both_ends("select jobs::text from jobs order by id").await;
}

async fn refused(office: &Office, limit: u64) -> (Outcome, u64) {
    office.configure(&format!("max_withheld = {limit}\nbatch_rows = 20\nlag = \"0s\""));
    let report = office.forward().await;
    (of(&report, "jobs").outcome, of(&report, "jobs").withheld)
}

/// A table of which too many rows are bad is bad as a whole: it stops, and its position with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_bad_as_a_whole_stops_at_max_withheld() {
    let office = office(AS_NUMBER).await;
    fill(&office, 60).await;
    execute(&office.desktop, "update jobs set number = 'x' where id > 30").await;
    assert_eq!(refused(&office, 10).await, (Outcome::Failed, 10));
    let there = "select count(*)::text from jobs";
    assert_eq!(value(&office.cloud, there).await, "30");
    assert_eq!(office.withheld().await.len(), 10);
    // Each run has its own ten; with more of them everything is accounted for.
    assert_eq!(refused(&office, 30).await, (Outcome::Ok, 20));
    assert_eq!(office.withheld().await.len(), 30);
}

/// A dry run meets bad rows as a run does: its counts are true.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_bad_rows() {
    let office = office(AS_NUMBER).await;
    fill(&office, 100).await;
    execute(&office.desktop, "update jobs set number = 'x' where id in (3, 50, 51)").await;
    office.configure("batch_rows = 40");
    let dry = office.tidegate(&["forward", "--dry-run", "--output", "json"]);
    let dry: serde_json::Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(dry["tables"][0]["inserted"], 97, "{dry}");
    assert_eq!(dry["tables"][0]["withheld_by"]["bad_value"], 3, "{dry}");
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");
    assert_eq!(counts(of(&office.forward().await, "jobs")), [100, 97, 0, 0, 3]);
}

/// A JSON text of the desktop may speak of a NUL, which no jsonb can hold.
#[tokio::test(flavor = "multi_thread")]
async fn v01_nul_byte() {
    let office = office("alter table jobs alter number type jsonb using number::jsonb").await;
    execute(&office.desktop, "alter table jobs alter number type json using number::json").await;
    fill_json(&office).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [9, 8, 0, 0, 1], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "5"} bad_value"#]);
    execute(&office.desktop, &edit(r#"number = '"no nul"'"#, "id = 5")).await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 1, 0, 0, 0]);
    assert!(office.withheld().await.is_empty());
}

async fn fill_json(office: &Office) {
    let fill = r#"insert into jobs select i, (case i when 5 then '"\u0000"' else i::text end)::json,
        'D', now() - interval '1 day', null from generate_series(1, 9) i"#;
    execute(&office.desktop, fill).await;
}

/// However many rows of a table were refused, its definition is looked at once a run.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_run_looks_at_a_definition_once() {
    let tracked = [("track_functions", "all")];
    let office = Office::with_settings(super::DESKTOP, &["jobs"], &tracked).await;
    execute(&office.cloud, AS_NUMBER).await;
    fill(&office, 30).await;
    execute(&office.desktop, "update jobs set number = 'x' where id > 20").await;
    office.forward().await;
    office.until_no_session("counters").await;
    let calls = "select sum(calls)::text from pg_stat_user_functions \
        where funcname = '_sync_definition'";
    let before: i32 = value(&office.cloud, calls).await.parse().unwrap();
    assert_eq!(office.forward().await.withheld(), 0);
    office.until_no_session("counters").await;
    assert_eq!(value(&office.cloud, calls).await, (before + 1).to_string());
}
