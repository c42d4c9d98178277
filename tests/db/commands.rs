//! The program as operators and scripts meet it: exit codes, what goes where, and its documents.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{JOBS, Office, ask_for_passwords, column, connect, value};

const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    jobs(&office, "1, 3").await;
    office
}

/// New desktop jobs with ids of this range.
async fn jobs(office: &Office, range: &str) {
    let insert = format!(
        "insert into jobs select i, 'job ' || i, 'D', {OLD} from generate_series({range}) i"
    );
    office.desktop.batch_execute(&insert).await.unwrap();
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Runs the program; its exit code must be `code`, and each of `parts` in what it says.
fn says(office: &Office, arguments: &[&str], code: i32, parts: &[&str]) -> Output {
    let output = office.tidegate(arguments);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?}: no {part} in {said}");
    }
    output
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `document` without what differs from run to run.
fn redacted(mut document: Value) -> String {
    redact(&mut document);
    serde_json::to_string_pretty(&document).unwrap()
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let differs =
                    ["run_id", "watermark", "seconds", "lag_seconds", "last_sync", "started_at"];
                match differs.contains(&name.as_str()) && !field.is_null() {
                    true => *field = json!(format!("[{name}]")),
                    false => redact(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_is_idempotent() {
    let office = office().await;
    for _ in 0..2 {
        let parts = ["cloud, schema tidegate: up to date (version 4)"];
        says(&office, &["migrate"], 0, &parts);
    }
    office.cloud.batch_execute("drop schema tidegate cascade").await.unwrap();
    says(&office, &["migrate"], 0, &["migrated from version 0 to 4"]);
    says(&office, &["forward"], 0, &["3 rows written"]);
    let json = says(&office, &["migrate", "--output", "json"], 0, &[]);
    let expected = serde_json::json!({
        "schema_version": 1, "end": "cloud", "schema": "tidegate", "from": 4, "to": 4,
        "triggers": { "installed": [], "present": ["jobs"], "skipped": [] },
        "desktop": { "schema": "tidegate", "from": 4, "to": 4 }, "warnings": []
    });
    assert_eq!(document(&json), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_sql_is_the_same_without_the_program() {
    let office = office().await;
    let sql = says(&office, &["migrate", "--sql"], 0, &[]);
    office.cluster.create_database("empty", None).unwrap();
    let empty = connect(&office.cluster.url("empty")).await;
    empty.batch_execute(JOBS).await.unwrap();
    empty.batch_execute(stdout(&sql)).await.unwrap();
    office.write_config(&office.cluster.url("desktop"), &office.cluster.url("empty"), "");
    says(&office, &["migrate"], 0, &["up to date"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_need_migrate_and_the_same_version() {
    let office = office().await;
    let newer = "insert into tidegate._sync_migrations values (99)";
    office.cloud.batch_execute(newer).await.unwrap();
    for verb in ["forward", "status", "migrate"] {
        let parts = ["are of version 99; this program knows version 4", "Install the newer"];
        says(&office, &[verb], 10, &parts);
    }
    office.cloud.batch_execute("drop schema tidegate cascade").await.unwrap();
    for verb in ["forward", "status"] {
        says(&office, &[verb], 10, &["do not exist", "Run `tidegate migrate`"]);
    }
    assert_eq!(value(&office.cloud, "select count(*)::text from jobs").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_one_document() {
    let office = office().await;
    let collision = format!("insert into jobs values (2, 'mobile', 'M', {OLD})");
    office.cloud.batch_execute(&collision).await.unwrap();
    let output = says(&office, &["forward", "--output", "json"], 0, &[]);
    assert_eq!(stdout(&output).lines().count(), 1);
    insta::assert_snapshot!("forward_json", redacted(document(&output)));
    let status = says(&office, &["status", "--output", "json"], 0, &[]);
    insta::assert_snapshot!("status_json", redacted(document(&status)));
    let mobile = format!("insert into jobs values (9, 'mobile', 'M', {OLD})");
    office.cloud.batch_execute(&mobile).await.unwrap();
    let output = says(&office, &["sync", "--output", "json"], 0, &[]);
    assert_eq!(stdout(&output).lines().count(), 1);
    insta::assert_snapshot!("sync_json", redacted(document(&output)));
    // Failures are in the same document.
    office.desktop.batch_execute("drop table jobs").await.unwrap();
    let output = says(&office, &["forward", "--output", "json"], 10, &[]);
    insta::assert_snapshot!("forward_refused_json", redacted(document(&output)));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_tables() {
    let office = office().await;
    let status = says(&office, &["status"], 0, &["jobs", "not yet read"]);
    assert_eq!(stderr(&status), "");
    let collision = format!("insert into jobs values (2, 'mobile', 'M', {OLD})");
    office.cloud.batch_execute(&collision).await.unwrap();
    let run = says(&office, &["forward"], 0, &[]);
    insta::assert_snapshot!("forward_human", stdout(&run));
    let parts = ["D 2, M 1", "1 key_collision", "ok: 2 inserted, 0 updated"];
    says(&office, &["status"], 0, &parts);
    let run = says(&office, &["forward"], 0, &["done: nothing to write"]);
    assert!(!stdout(&run).contains("withheld ("), "{run:?}");
}

const FAMILY: &str = "
    create table parents (id integer primary key, source char(1), updated_at timestamptz,
        created_at timestamptz);
    create table children (id integer primary key, parent integer references parents,
        source char(1), updated_at timestamptz, created_at timestamptz);";

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_truly_and_leaves_nothing() {
    let office = Office::open(FAMILY, &["children", "parents"]).await;
    let fill = format!(
        "insert into parents select i, 'D', {OLD} from generate_series(1, 5) i; \
         insert into children select i, 1 + i % 5, 'D', {OLD} from generate_series(1, 20) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    let left = "select concat_ws(' ', (select count(*) from parents), \
                (select count(*) from children), (select count(*) from tidegate._sync_metadata), \
                (select count(*) from tidegate._sync_runs), \
                (select count(*) from tidegate._sync_row_counts), \
                (select count(*) from tidegate._sync_withheld))";
    for _ in 0..2 {
        let dry = says(&office, &["forward", "--dry-run", "--output", "json"], 0, &[]);
        let dry = document(&dry);
        assert_eq!(dry["dry_run"], json!(true));
        let inserted = [0, 1].map(|i| dry["tables"][i]["inserted"].as_u64().unwrap());
        assert_eq!(inserted, [20, 5], "in the order of the configuration: {dry}");
        assert_eq!(value(&office.cloud, left).await, "0 0 0 0 0 0");
    }
    says(&office, &["forward", "--dry-run"], 0, &["25 rows would be written", "rolled back"]);
    says(&office, &["forward"], 0, &["25 rows written"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_may_be_about_some_tables() {
    let mut office = Office::open(FAMILY, &["parents"]).await;
    office.configure_tables("[tables.parents]\n[tables.children]\nenabled = false\n");
    let fill = format!(
        "insert into parents values (1, 'D', {OLD}); insert into children values (1, 1, 'D', {OLD})"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    let tables = |output: Output| -> Vec<Value> {
        let tables = document(&output)["tables"].as_array().unwrap().clone();
        tables.iter().map(|t| t["table"].clone()).collect()
    };
    let all = says(&office, &["forward", "--output", "json"], 0, &[]);
    assert_eq!(tables(all), ["parents"]);
    assert_eq!(value(&office.cloud, "select count(*)::text from children").await, "0");
    let named = ["forward", "--output", "json", "--table", "children"];
    assert_eq!(tables(says(&office, &named, 0, &[])), ["children"]);
    assert_eq!(value(&office.cloud, "select count(*)::text from children").await, "1");
    for verb in ["forward", "status"] {
        let parts = ["the configuration has no table unknown", "It has: parents, children."];
        says(&office, &[verb, "--table", "unknown"], 10, &parts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_and_configuration_have_codes_of_their_own() {
    let office = office().await;
    says(&office, &["backward"], 2, &["unrecognized subcommand"]);
    says(&office, &["forward", "--no-such"], 2, &["unexpected argument"]);
    says(&office, &[], 2, &["Usage"]);
    says(&office, &["forward", "-q", "-v"], 2, &["cannot be used with"]);
    office.configure("batch_row = 5");
    says(&office, &["forward"], 10, &["batch_row", "batch_rows"]);
    std::fs::remove_file(office.config_path()).unwrap();
    says(&office, &["forward"], 10, &["tidegate.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_away_has_a_code_of_its_own() {
    let office = office().await;
    let (desktop, cloud) = (office.cluster.url("desktop"), office.cluster.url("cloud"));
    let nowhere = "postgres://postgres@127.0.0.1:1/x";
    office.write_config(nowhere, &cloud, "");
    says(&office, &["forward"], 11, &["can't reach the desktop database at 127.0.0.1:1"]);
    office.write_config(&desktop, nowhere, "");
    for verb in ["forward", "status", "migrate"] {
        says(&office, &[verb], 13, &["can't reach the cloud database at 127.0.0.1:1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_12_and_is_not_shown() {
    let office = office().await;
    office.desktop.batch_execute("alter role postgres password 'canary_a'").await.unwrap();
    ask_for_passwords(&office.cluster).await;
    let url = |password: &str, database: &str| {
        office.cluster.url(database).replace("postgres@", &format!("postgres:{password}@"))
    };
    office.write_config(&url("canary_a", "desktop"), &url("canary_a", "cloud"), "");
    says(&office, &["forward"], 0, &[]);
    for (desktop, cloud, end) in
        [("canary_b", "canary_a", "desktop"), ("canary_a", "canary_b", "cloud")]
    {
        office.write_config(&url(desktop, "desktop"), &url(cloud, "cloud"), "");
        let parts = [end, "28P01", "Check user, password"];
        let output = says(&office, &["forward", "-vv"], 12, &parts);
        let said = format!("{output:?}");
        assert!(!said.contains("canary"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_verification_is_20() {
    let office = office().await;
    let mobile = format!(
        "insert into jobs values (50, 'mobile', 'M', {OLD}); \
         create function strike() returns trigger language plpgsql \
             as $$ begin delete from jobs where id = 50; return null; end $$; \
         create trigger strike after insert on jobs execute function strike()"
    );
    office.cloud.batch_execute(&mobile).await.unwrap();
    says(&office, &["forward"], 20, &["verification failed", "rolled back"]);
    let ids = column(&office.cloud, "select id::text from jobs", &[]).await;
    assert_eq!(ids, ["50"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn withheld_rows_alone_are_3_only_if_strict() {
    let office = office().await;
    let collision = format!("insert into jobs values (2, 'mobile', 'M', {OLD})");
    office.cloud.batch_execute(&collision).await.unwrap();
    says(&office, &["forward", "--full"], 0, &["1 key_collision"]);
    says(&office, &["forward", "--full", "--strict"], 3, &["1 key_collision"]);
    office.cloud.batch_execute("delete from jobs where id = 2").await.unwrap();
    says(&office, &["forward", "--full", "--strict"], 0, &[]);
}

/// A column that the cloud lacks is a warning.
#[tokio::test(flavor = "multi_thread")]
async fn logs_go_to_stderr_and_results_to_stdout() {
    let office = office().await;
    office.desktop.batch_execute("alter table jobs add extra text").await.unwrap();
    let run = says(&office, &["forward", "--output", "json"], 0, &[]);
    assert_eq!(document(&run)["tables"][0]["drift"], json!(["extra"]));
    assert!(stderr(&run).contains("WARN") && stderr(&run).contains("extra"), "{run:?}");

    let run = says(&office, &["forward", "--log-format", "json"], 0, &["done: "]);
    let lines: Vec<Value> =
        stderr(&run).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["level"], json!("WARN"));
    assert_eq!(lines[0]["fields"]["columns"], json!("extra"));

    let run = says(&office, &["forward", "-q"], 0, &["done: "]);
    assert_eq!(stderr(&run), "");
    office.write_config("postgres://postgres@127.0.0.1:1/x", &office.cluster.url("cloud"), "");
    let run = says(&office, &["forward", "-q", "--output", "json"], 11, &["error: can't reach"]);
    assert_eq!(stdout(&run), "");
}

/// A service's children inherit the variable, also where their stderr is not the journal.
#[tokio::test(flavor = "multi_thread")]
async fn logs_go_to_the_journal_only_if_stderr_is_the_journal() {
    let office = office().await;
    let future = "insert into jobs values (2999, 'far', 'D', now(), '2999-01-01')";
    office.desktop.batch_execute(future).await.unwrap();
    let run = office.command(&["forward"]).env("JOURNAL_STREAM", "8:1").output().unwrap();
    assert!(String::from_utf8_lossy(&run.stderr).contains("stamped in the future"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_desktop_database_is_refused() {
    let office = office().await;
    says(&office, &["forward"], 0, &[]);
    office.cluster.create_database("other", None).unwrap();
    let other = connect(&office.cluster.url("other")).await;
    other.batch_execute(JOBS).await.unwrap();
    let insert = "insert into jobs values (1, 'other', 'D', now(), now())";
    other.batch_execute(insert).await.unwrap();
    office.write_config(&office.cluster.url("other"), &office.cluster.url("cloud"), "");
    let remedy = "tidegate watermark accept --table jobs";
    says(&office, &["forward"], 10, &["another desktop database", remedy]);
    assert_eq!(value(&office.cloud, "select name from jobs where id = 1").await, "job 1");
    let arguments: Vec<&str> = remedy.split(' ').skip(1).collect();
    says(&office, &arguments, 0, &["/desktop → ", "/other; the next run compares the whole table"]);
    says(&office, &["forward"], 0, &["1 row written"]);
}

#[test]
fn config_show_asks_no_database_and_shows_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.toml");
    let text = "[desktop]\nkind = 'postgres'\nurl = '${env:DESKTOP}'\n[cloud]\n\
                url = 'postgres://u:canary_a@127.0.0.1:1/db'\n[sync]\nlag = '5m'\n[tables.jobs]\n";
    std::fs::write(&path, text).unwrap();
    let show = |format: &str, desktop: Option<&str>| {
        let mut command = std::process::Command::new(crate::support::TIDEGATE);
        command.arg("--config").arg(&path).args(["config", "show", "-vv", "--output", format]);
        command.envs(desktop.map(|url| ("DESKTOP", url)));
        command.output().unwrap()
    };
    for format in ["human", "json"] {
        let shown = show(format, Some("postgres://u:canary_b@127.0.0.1:1/db"));
        assert_eq!(shown.status.code(), Some(0), "{shown:?}");
        assert!(stdout(&shown).contains("postgres://u:<redacted>@127.0.0.1:1/db"), "{shown:?}");
        assert!(!format!("{shown:?}").contains("canary"), "{shown:?}");
    }
    let document = document(&show("json", Some("postgres://u@h")));
    let lag = json!({"key": "lag", "value": "5m", "origin": "file", "line": 7});
    assert_eq!(document["schema_version"], json!(1));
    assert_eq!(document["sections"][3]["section"], json!("sync"));
    assert!(document["sections"][3]["settings"].as_array().unwrap().contains(&lag), "{document}");
    // What a run would refuse is refused.
    let unset = show("human", None);
    assert_eq!(unset.status.code(), Some(10), "{unset:?}");
    assert!(stderr(&unset).contains("`DESKTOP` is not set"), "{unset:?}");
}

#[test]
fn every_verb_has_help() {
    for verb in [
        "",
        "init",
        "migrate",
        "grants",
        "check",
        "plan",
        "forward",
        "reverse",
        "sync",
        "conflicts",
        "conflicts list",
        "conflicts show",
        "explain",
        "verify",
        "status",
        "watermark",
        "watermark show",
        "watermark set",
        "watermark accept",
        "config",
        "config show",
        "uninstall",
        "demo",
    ] {
        let mut command = std::process::Command::new(crate::support::TIDEGATE);
        command.args(verb.split_whitespace()).arg("--help").env("COLUMNS", "100");
        let help = command.output().unwrap();
        assert_eq!(help.status.code(), Some(0));
        let name = if verb.is_empty() { "program" } else { verb };
        let name = format!("help_{}", name.replace(' ', "_"));
        insta::assert_snapshot!(name, stdout(&help));
    }
}
