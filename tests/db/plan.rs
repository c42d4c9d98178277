//! `tidegate plan`: what it says comes true, and it changes nothing.

use std::process::Output;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{Office, column, value};

/// The stamps of a row: old enough to be below every horizon.
const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

/// Parents and children; on the desktop a child may come without its parent.
const FAMILY: &str = "
    create table parents (id integer primary key, name text, source char(1),
        created_at timestamptz, updated_at timestamptz);
    create table children (id integer primary key, parent integer references parents, name text,
        source char(1), created_at timestamptz, updated_at timestamptz);";

async fn family() -> Office {
    let office = Office::open(FAMILY, &["children", "parents"]).await;
    office
        .desktop
        .batch_execute("alter table children drop constraint children_parent_fkey")
        .await
        .unwrap();
    office
}

async fn on(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

fn runs(office: &Office, arguments: &[&str], code: i32) -> Output {
    let output = office.tidegate(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    output
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What a document says of each table, but for times and the run's name.
fn outcomes(document: &Value) -> Vec<Value> {
    let keep = |table: &Value| {
        let fields = ["table", "outcome", "read", "inserted", "updated", "unchanged", "withheld"];
        let more = ["withheld_by", "mobile_before", "mobile_after"];
        fields.iter().chain(&more).map(|name| table[name].clone()).collect()
    };
    document["tables"].as_array().unwrap().iter().map(keep).collect()
}

/// Everything that a database holds, versions of rows included.
async fn everything(client: &Client) -> Vec<String> {
    let tables = "select format('%I.%I', n.nspname, c.relname) from pg_class c \
        join pg_namespace n on n.oid = c.relnamespace \
        where c.relkind = 'r' and n.nspname in ('public', 'tidegate') order by 1";
    let mut all = Vec::new();
    for table in column(client, tables, &[]).await {
        let rows =
            format!("select '{table} ' || t.xmin || ' ' || t::text from {table} t order by t.ctid");
        all.extend(column(client, &rows, &[]).await);
    }
    all
}

/// What happens before each plan, on the desktop and in the cloud.
const STORY: &[(&str, &str, &str)] = &[
    ("nothing at all", "", ""),
    (
        "new rows, children of new parents among them",
        "insert into parents select i, 'parent', 'D', now() - interval '1 day', null \
             from generate_series(1, 7) i; \
         insert into children select i, 1 + i % 7, 'child', 'D', now() - interval '1 day', null \
             from generate_series(1, 9) i",
        "",
    ),
    ("the same again", "", ""),
    (
        "edits on both ends, a key that both made, rows of nobody, a child without its parent",
        "update parents set name = 'edited', updated_at = now() - interval '1 hour' where id < 3; \
         insert into parents values (50, 'desktop', 'D', now(), now()), (51, 'whose', null, now(), now()); \
         insert into children values (60, 99, 'orphan', 'D', now(), now())",
        "insert into parents values (50, 'mobile', 'M', now(), now()); \
         update parents set name = 'mobile edit', updated_at = now() where id = 2",
    ),
    (
        "the parent comes, the mobile row goes",
        "insert into parents values (99, 'late', 'D', now(), now())",
        "delete from parents where id = 50",
    ),
    (
        "an edit of a row that was there",
        "update children set name = 'x', updated_at = now() where id = 1",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_comes_true_and_changes_nothing() {
    for batch_rows in ["50000", "2"] {
        let office = family().await;
        office.configure(&format!("lag = \"0s\"\nbatch_rows = {batch_rows}"));
        for (what, desktop, cloud) in STORY {
            on(&office.desktop, desktop).await;
            on(&office.cloud, cloud).await;
            let before = (everything(&office.desktop).await, everything(&office.cloud).await);
            let plan = office.tidegate(&["plan", "--rows", "--output", "json"]);
            let sql = runs(&office, &["plan", "--sql"], 0);
            let after = (everything(&office.desktop).await, everything(&office.cloud).await);
            assert_eq!(before, after, "{what}");
            assert_eq!(plan.stderr.len() + sql.stderr.len(), 0, "{plan:?} {sql:?}");

            let run = document(&runs(&office, &["forward", "--output", "json"], 0));
            let planned = document(&plan);
            assert_eq!(outcomes(&planned), outcomes(&run), "{what}: {planned} {run}");
            let counted =
                |i: usize| ["inserted", "updated"].map(|n| run["tables"][i][n].as_u64().unwrap());
            let writes = [counted(0), counted(1)].concat().iter().any(|n| *n > 0);
            assert_eq!(plan.status.code(), Some(if writes { 21 } else { 0 }), "{what}: {run}");
        }
    }
}

/// Also where there is nothing to do but to move on.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_knows_the_watermark_that_a_run_would_reach() {
    let office = family().await;
    on(&office.desktop, &format!("insert into parents values (1, 'parent', 'D', {OLD})")).await;
    runs(&office, &["forward"], 0);
    let reached = value(&office.cloud, "select max(watermark) from tidegate._sync_metadata").await;
    // A transaction that stays open is the horizon of every run.
    let session = office.desktop_session().await;
    on(&session, "begin").await;
    let start = "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'";
    let start = value(&session, start).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let plan = document(&runs(&office, &["plan", "--output", "json"], 0));
    runs(&office, &["forward"], 0);
    for table in plan["tables"].as_array().unwrap() {
        assert_eq!(
            (&table["watermark_from"], &table["watermark"]),
            (&json!(reached), &json!(start))
        );
        assert_eq!(table["rows"], Value::Null, "nobody asked for them");
    }
    let moved = "select string_agg(distinct watermark, ' ') from tidegate._sync_metadata";
    assert_eq!(value(&office.cloud, moved).await, start);
}

async fn one_of_each(office: &Office) {
    on(
        &office.desktop,
        &format!(
            "insert into parents select i, 'canary ' || i, 'D', {OLD} from generate_series(1, 30) i"
        ),
    )
    .await;
    runs(office, &["forward"], 0);
    on(
        &office.desktop,
        &format!(
            "insert into parents values (31, 'new', 'D', {OLD}), (40, 'collides', 'D', {OLD}); \
         update parents set name = 'canary changed', updated_at = now() where id = 2; \
         update parents set name = null, updated_at = now() where id = 3; \
         insert into children values (1, 31, 'canary', 'D', {OLD}), (2, 77, 'canary', 'D', {OLD})"
        ),
    )
    .await;
    on(&office.cloud, &format!("insert into parents values (40, 'mobile', 'M', {OLD})")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_rows_if_asked_and_logs_none() {
    let office = family().await;
    one_of_each(&office).await;
    let plan = runs(&office, &["plan", "--full", "--rows", "-vv"], 21);
    assert!(!String::from_utf8_lossy(&plan.stderr).contains("canary"), "{plan:?}");
    let stamps = |line: &str| match line.split_once("updated_at ") {
        Some((before, _)) => format!("{before}updated_at [stamps]"),
        None => line.to_owned(),
    };
    let lines: Vec<String> =
        stdout(&plan).lines().filter(|l| l.contains('=')).map(stamps).collect();
    insta::assert_snapshot!("plan_rows", lines.join("\n"));

    let json = runs(&office, &["plan", "--full", "--rows", "3", "--output", "json"], 21);
    let mut json = document(&json);
    json["tables"][1]["rows"].as_array_mut().unwrap().iter_mut().for_each(|row| {
        if let Some(changes) = row.get_mut("changes") {
            changes.as_object_mut().unwrap().remove("updated_at");
        }
    });
    insta::assert_snapshot!(
        "plan_rows_json",
        serde_json::to_string_pretty(
            &json["tables"].as_array().unwrap().iter().map(|t| &t["rows"]).collect::<Vec<_>>()
        )
        .unwrap()
    );
    for quiet in
        [runs(&office, &["plan", "-vv"], 21), runs(&office, &["plan", "--output", "json"], 21)]
    {
        assert!(!format!("{quiet:?}").contains("canary"), "{quiet:?}");
    }
}

/// With batches of one row a parent comes in another batch than its child, and a row that waits is
/// shown with its last verdict.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_plan_is_shown_once_with_its_last_verdict() {
    let office = Office::open(
        "create table nodes (id integer primary key, parent integer, source char(1), \
         created_at timestamptz, updated_at timestamptz)",
        &["nodes"],
    )
    .await;
    on(&office.cloud, "alter table nodes add foreign key (parent) references nodes").await;
    on(
        &office.desktop,
        &format!(
            "insert into nodes values (1, 3, 'D', {OLD}), (2, 9, 'D', {OLD}), (3, null, 'D', {OLD})"
        ),
    )
    .await;
    office.configure("batch_rows = 1");
    let plan = document(&runs(&office, &["plan", "--rows", "--output", "json"], 21));
    let mut rows: Vec<String> = plan["tables"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["key"]["id"], row["verdict"], row["reason"]))
        .collect();
    rows.sort();
    let expected =
        ["\"1\" \"insert\" null", "\"2\" \"withheld\" \"missing_parent\"", "\"3\" \"insert\" null"];
    assert_eq!(rows, expected, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_prints_the_plan_and_exits_0() {
    let office = family().await;
    one_of_each(&office).await;
    let plan = |arguments: &[&str], code| {
        let printed = stdout(&runs(&office, arguments, code)).to_owned();
        // Digits differ with the moment.
        printed
            .replace(|c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '─', "")
            .replace(' ', "")
    };
    assert_eq!(plan(&["plan"], 21), plan(&["forward", "--dry-run"], 0));
    let arguments = ["plan", "--full", "--table", "parents"];
    let human = stdout(&runs(&office, &arguments, 21)).to_owned();
    let stamp = |word: &str| word.starts_with("20") || word.contains("+00");
    let human: Vec<String> = human
        .lines()
        .map(|line| {
            line.split(' ')
                .map(|word| if stamp(word) { "[stamp]" } else { word })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    insta::assert_snapshot!("plan_human", human.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_keeps_the_codes_of_a_run() {
    let office = family().await;
    one_of_each(&office).await;
    let mine = "begin; select pg_advisory_xact_lock(hashtextextended('tidegate parents', 0))";
    let other = office.cloud_session().await;
    on(&other, mine).await;
    runs(&office, &["plan", "--table", "parents"], 75);
    on(&other, "rollback").await;
    runs(&office, &["plan", "--table", "unknown"], 10);
    runs(&office, &["plan", "--rows", "--sql"], 2);
    on(&office.cloud, "alter table parents drop constraint parents_pkey cascade").await;
    runs(&office, &["plan"], 3);
    runs(&office, &["plan", "--table", "parents"], 10);
    runs(&office, &["plan", "--table", "parents", "--sql"], 10);
    let trigger = "create function strike() returns trigger language plpgsql \
             as $$ begin delete from parents where id = 40; return null; end $$; \
         create trigger strike after insert on children execute function strike()";
    on(&office.cloud, trigger).await;
    runs(&office, &["plan", "--full", "--table", "children"], 20);
    assert_eq!(value(&office.cloud, "select name from parents where id = 40").await, "mobile");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_of_a_plan_are_those_of_a_run() {
    let office = family().await;
    one_of_each(&office).await;
    let script = runs(&office, &["plan", "--sql", "--table", "parents"], 0);
    for part in [
        "-- ==== \"parents\" ====",
        "merge.sql\n-- $1 writer's mark",
        "insert into \"public\".\"parents\" as t",
    ] {
        assert!(stdout(&script).contains(part), "no {part} in {script:?}");
    }
    let json = document(&runs(&office, &["plan", "--sql", "--output", "json"], 0));
    let names = |part: &Value| -> Vec<String> {
        let statements = part["statements"].as_array().unwrap().iter();
        statements.map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    };
    let tables: Vec<&Value> =
        json["parts"].as_array().unwrap().iter().map(|p| &p["table"]).collect();
    // Nothing is read of a table in which nothing has changed.
    assert_eq!(tables, [&Value::Null, &json!("parents"), &Value::Null]);
    let steps = ["read_since", "stage", "classify", "pin", "merge", "move_position"];
    let parents = names(&json["parts"][1]);
    let places: Vec<_> = steps
        .iter()
        .map(|step| parents.iter().position(|name| name.contains(&format!("/{step}."))))
        .collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?} {parents:?}");
    assert!(!stdout(&script).contains("canary"), "values are bound");
}

/// Values that are written for people, with settings of their own, are no part of a run.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_find_the_roles_own_settings_in_a_plan() {
    let office = family().await;
    let own = "alter role postgres set timezone = 'Asia/Tokyo'; \
         create function own() returns trigger language plpgsql as $$ begin \
             if current_setting('timezone') <> 'Asia/Tokyo' then raise 'not its own'; end if; \
             return new; end $$; \
         create trigger own before insert on parents for each row execute function own()";
    on(&office.cloud, own).await;
    let jobs =
        format!("insert into parents select i, 'x', 'D', {OLD} from generate_series(1, 3) i");
    on(&office.desktop, &jobs).await;
    office.configure("batch_rows = 1");
    runs(&office, &["plan"], 21);
    runs(&office, &["plan", "--rows"], 21);
}
