//! `tidegate verify`: every difference of the two ends has its explanation, or is unexplained.

mod program;
mod work;

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{JOBS, Office, column};

const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

/// Ten jobs of the desktop that have arrived, and three of mobile users.
async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    at_the_desk(&office, &jobs("1, 10")).await;
    let mobile = format!(
        "insert into jobs select i, 'mobile', 'M', {OLD} \
        from generate_series(101, 103) i"
    );
    on_the_phone(&office, &mobile).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    office
}

fn jobs(range: &str) -> String {
    format!("insert into jobs select i, 'job', 'D', {OLD} from generate_series({range}) i")
}

async fn at_the_desk(office: &Office, sql: &str) {
    office.desktop.batch_execute(sql).await.unwrap();
}

async fn on_the_phone(office: &Office, sql: &str) {
    office.cloud.batch_execute(sql).await.unwrap();
}

/// In the cloud, and not in its log.
async fn unseen(office: &Office, sql: &str) {
    let marked = format!("begin; set local tidegate.writing = 'x'; {sql}; commit");
    on_the_phone(office, &marked).await;
}

/// Verifies with `arguments`; the exit code must be `code`.
fn output(office: &Office, arguments: &[&str], code: i32) -> Output {
    let all: Vec<&str> = ["verify"].iter().chain(arguments).copied().collect();
    let output = tokio::task::block_in_place(|| office.tidegate(&all));
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    output
}

/// The document about the first table.
fn table(office: &Office, arguments: &[&str], code: i32) -> Value {
    let all: Vec<&str> = ["--output", "json"].iter().chain(arguments).copied().collect();
    let document: Value = serde_json::from_slice(&output(office, &all, code).stdout).unwrap();
    document["tables"][0].clone()
}

/// Its differences as `what rows explanation`.
fn differences(table: &Value) -> Vec<String> {
    let word = |d: &Value, field: &str| d[field].as_str().unwrap_or_default().to_owned();
    let line = |d: &Value| {
        let words = [word(d, "what"), d["rows"].to_string(), word(d, "explained_by")];
        format!("{} {}", words.join(" "), word(d, "reason")).trim_end().to_owned()
    };
    table["differences"].as_array().unwrap().iter().map(line).collect()
}

fn counts(desktop: u64, mobile: u64, other: u64) -> Value {
    json!({ "D": desktop, "M": mobile, "other": other })
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_that_agree_are_ok_and_are_recorded() {
    let office = office().await;
    let table = table(&office, &[], 0);
    assert_eq!(table["outcome"], "ok");
    let found = ["desktop", "cloud", "recorded"].map(|end| table[end].clone());
    assert_eq!(found, [counts(10, 0, 0), counts(10, 3, 0), counts(10, 3, 0)]);
    assert!(differences(&table).is_empty(), "{table}");
    let last = "select string_agg(owner || rows, ' ' order by owner) from tidegate._sync_row_counts \
        group by run_id order by max(counted_at) desc limit 2";
    assert_eq!(column(&office.cloud, last, &[]).await, ["D10 M3", "D10 M3"]);
}

/// What is done to an office in which both ends agree, and how verify explains it.
struct Case {
    desktop: &'static str,
    cloud: &'static str,
    /// `forward` runs after that.
    run: bool,
    code: i32,
    strict: i32,
    found: &'static [&'static str],
}

const CASE: Case = Case { desktop: "", cloud: "", run: false, code: 0, strict: 0, found: &[] };

const CASES: &[Case] = &[
    Case {
        desktop: "insert into jobs select i, 'new', 'D', now(), now() from generate_series(11, 14) i",
        found: &["missing_in_cloud 4 not_yet_read"],
        ..CASE
    },
    // The same number of rows, but not the same rows.
    Case {
        desktop: "update jobs set id = 20, updated_at = now() where id = 3",
        found: &["missing_in_cloud 1 not_yet_read", "only_in_cloud 1 deleted_on_desktop"],
        ..CASE
    },
    Case {
        desktop: "insert into jobs values (101, 'collides', 'D', now(), now())",
        run: true,
        strict: 3,
        found: &["missing_in_cloud 1 withheld key_collision"],
        ..CASE
    },
    Case {
        desktop: "insert into jobs values (11, 'unstamped', 'D', null, null)",
        run: true,
        strict: 3,
        found: &["missing_in_cloud 1 no_stamp"],
        ..CASE
    },
    Case {
        desktop: "delete from jobs where id in (2, 4)",
        run: true,
        found: &["only_in_cloud 2 deleted_on_desktop"],
        ..CASE
    },
    Case {
        desktop: "update jobs set source = 'M', updated_at = now() where id = 2",
        found: &["only_in_cloud 1 other_owner_on_desktop"],
        strict: 3,
        ..CASE
    },
    Case {
        desktop: "insert into jobs values (11, 'nobody', null, now(), now()), \
            (12, 'strange', 'X', now(), now())",
        cloud: "insert into jobs values (12, 'strange', 'Y', now(), now())",
        strict: 3,
        found: &["nobodys_on_desktop 2 no_owner", "nobodys_in_cloud 1 no_owner"],
        ..CASE
    },
    Case {
        cloud: "delete from jobs where id = 102",
        strict: 3,
        found: &["mobile_fell 1 mobile_deletions"],
        ..CASE
    },
    Case {
        cloud: "delete from jobs where id = 2",
        found: &["missing_in_cloud 1 deleted_by_mobile"],
        ..CASE
    },
    // Nobody saw that.
    Case {
        cloud: "begin; set local tidegate.writing = 'x'; delete from jobs where id = 2; commit",
        code: 20,
        strict: 20,
        found: &["missing_in_cloud 1 unexplained"],
        ..CASE
    },
    Case {
        desktop: "delete from jobs where id = 2",
        cloud: "delete from jobs where id = 2",
        strict: 3,
        found: &["desktop_fell 1 deleted_at_both_ends"],
        ..CASE
    },
    Case {
        cloud: "update jobs set source = 'D' where id = 102",
        code: 20,
        strict: 20,
        found: &["only_in_cloud 1 unexplained", "mobile_fell 1 mobile_deletions"],
        ..CASE
    },
    Case {
        cloud: "update jobs set source = 'M' where id = 2",
        code: 20,
        strict: 20,
        found: &["missing_in_cloud 1 unexplained"],
        ..CASE
    },
    // A change without a new stamp is behind the position.
    Case {
        desktop: "insert into jobs values (11, 'late', 'D', now() - interval '1 day', null)",
        run: true,
        code: 20,
        strict: 20,
        found: &["missing_in_cloud 1 unexplained"],
        ..CASE
    },
    // One killed and one added: equal numbers (m07).
    Case {
        cloud: "begin; set local tidegate.writing = 'x'; delete from jobs where id = 2; commit; \
            insert into jobs values (11, 'x', 'D', now(), now())",
        code: 20,
        strict: 20,
        found: &["missing_in_cloud 1 unexplained", "only_in_cloud 1 deleted_on_desktop"],
        ..CASE
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_has_its_explanation() {
    let office = office().await;
    let keep = "create table kept as select * from jobs";
    let restore = "truncate jobs; insert into jobs select * from kept";
    at_the_desk(&office, keep).await;
    on_the_phone(&office, keep).await;
    for case in CASES {
        let context = format!("{} | {}", case.desktop, case.cloud);
        at_the_desk(&office, case.desktop).await;
        on_the_phone(&office, case.cloud).await;
        if case.run {
            office.forward().await;
        }
        for (strict, code) in [(&["--strict"][..], case.strict), (&[], case.code)] {
            let uncount = "delete from tidegate._sync_row_counts; \
                insert into tidegate._sync_row_counts select 'jobs', u, owner, rows \
                from gen_random_uuid() u, (values ('D', 10), ('M', 3)) r (owner, rows)";
            on_the_phone(&office, uncount).await;
            let table = table(&office, strict, code);
            assert_eq!(differences(&table), case.found, "{context}: {table}");
        }
        at_the_desk(&office, restore).await;
        on_the_phone(&office, restore).await;
        on_the_phone(&office, "delete from tidegate._sync_withheld").await;
    }
}

/// Keys of several columns, in mixed case, renamed, of other types and zones; a desktop without the
/// ownership column, and a parent.
const SHAPES: &str = "
    create table shapes (
        office char(4), \"No\" bigint, at timestamptz, name text, source text, updated_at timestamptz,
        primary key (office, \"No\", at)
    );
    create table plain (id uuid primary key, source text, updated_at timestamptz);
    create table loose (id integer primary key, source text, updated_at timestamptz);";

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_all_shapes_are_the_same_at_both_ends() {
    let mut office = Office::open(SHAPES, &["shapes"]).await;
    let desktop = "alter table shapes rename \"No\" to number;
        alter table shapes alter number type integer, alter at type timestamp,
            alter office type char(4), drop source;
        alter table plain drop source; alter table plain alter id type text;
        alter table loose drop constraint loose_pkey";
    at_the_desk(&office, desktop).await;
    office.cloud.batch_execute("alter table plain alter id type text").await.unwrap();
    office.configure_tables(
        "[tables.shapes]\nrename = { number = \"No\" }\nassume_timezone = \"Asia/Tokyo\"\n\
         [tables.plain]\n[tables.loose]\n",
    );
    let fill = "insert into shapes select 'ü' || i % 3, i, timestamp '2026-03-29 02:30' + i * interval '1 h', \
            'x', now() - interval '1 day' from generate_series(1, 300) i; \
        insert into plain select E'\"\\\\\\u00fc\\n' || i, now() - interval '1 day' \
            from generate_series(1, 300) i; \
        insert into loose select i, 'D', now() - interval '1 day' from generate_series(1, 3) i";
    at_the_desk(&office, fill).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    output(&office, &["--strict"], 0);
    unseen(&office, "delete from shapes where \"No\" = 7").await;
    at_the_desk(&office, "insert into loose values (2, 'D', now() - interval '1 day')").await;
    let verified = output(&office, &["--rows", "--output", "json"], 20);
    let document: Value = serde_json::from_slice(&verified.stdout).unwrap();
    let tables: Vec<_> = [0, 1, 2].map(|i| differences(&document["tables"][i])).concat();
    let found = ["missing_in_cloud 1 unexplained", "same_key_on_desktop 1 duplicate_key"];
    assert_eq!(tables, found, "{document}");
    let key = json!([{ "No": "7", "at": "2026-03-29 00:30:00+00", "office": "ü1" }]);
    assert_eq!(document["tables"][0]["differences"][0]["keys"], key);
}

/// More keys than are compared at once, and all of them other than at the other end.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_differ_as_a_whole_are_compared_in_parts() {
    let office = Office::open(JOBS, &["jobs"]).await;
    at_the_desk(&office, &jobs("1, 60000")).await;
    on_the_phone(&office, &jobs("30001, 90000")).await;
    let found = ["missing_in_cloud 30000 not_yet_read", "only_in_cloud 30000 deleted_on_desktop"];
    assert_eq!(differences(&table(&office, &[], 0)), found);
}

/// A row that was withheld for a mobile edit was in the cloud: that it is gone is not explained by that.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_row_that_is_gone_is_unexplained() {
    let office = office().await;
    let edit = "update jobs set name = 'mobile', updated_at = now() where id = 2";
    on_the_phone(&office, edit).await;
    at_the_desk(&office, "update jobs set name = 'desktop' where id = 2").await;
    office.forward_full().await;
    assert_eq!(office.withheld().await, [r#"{"id": "2"} pending_mobile_edit"#]);
    assert!(differences(&table(&office, &[], 0)).is_empty());
    unseen(&office, "delete from jobs where id = 2").await;
    assert_eq!(differences(&table(&office, &[], 20)), ["missing_in_cloud 1 unexplained"]);
}

/// The position is closed: rows at it are read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_at_the_position_is_not_yet_read() {
    let office = office().await;
    let stamp = "'2026-01-01 00:00:00.000001+00'";
    at_the_desk(&office, &format!("insert into jobs values (11, 'x', 'D', null, {stamp})")).await;
    on_the_phone(&office, &format!("update tidegate._sync_metadata set watermark = {stamp}")).await;
    assert_eq!(differences(&table(&office, &[], 0)), ["missing_in_cloud 1 not_yet_read"]);
}

/// A new table starts at the position of none.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_nothing_is_missing() {
    let office = Office::open(JOBS, &["jobs"]).await;
    at_the_desk(&office, &jobs("1, 10")).await;
    let first = table(&office, &[], 0);
    assert_eq!(differences(&first), ["missing_in_cloud 10 not_yet_read"]);
    assert_eq!((&first["recorded"], &first["recorded_at"]), (&Value::Null, &Value::Null));
    // Recorded with its zeros, so that a table that is emptied does not keep its last record.
    assert_eq!(table(&office, &[], 0)["recorded"], counts(0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_one_document_and_people_read_sentences() {
    let office = office().await;
    let desktop = "insert into jobs values (101, 'collides', 'D', now(), now());
        delete from jobs where id = 3";
    at_the_desk(&office, desktop).await;
    office.forward().await;
    at_the_desk(&office, "insert into jobs values (11, 'new', 'D', now(), now())").await;
    unseen(&office, "delete from jobs where id = 2").await;
    on_the_phone(&office, "delete from jobs where id in (102, 103)").await;
    let human = output(&office, &[], 20);
    insta::assert_snapshot!("verify_human", String::from_utf8(human.stdout).unwrap());
    let json = output(&office, &["--output", "json"], 20);
    let text = String::from_utf8(json.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for (place, name) in [("", "run_id"), ("/tables/0", "recorded_at")] {
        document.pointer_mut(place).unwrap()[name] = json!(format!("[{name}]"));
    }
    insta::assert_snapshot!("verify_json", serde_json::to_string_pretty(&document).unwrap());
}
