//! `check` with a SQL Server as the desktop.

use serde_json::Value;

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name varchar(5), source char(1), \
    updated_at timestamptz, seen timestamptz); \
    create table notes (no int primary key, source char(1), updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    source char(1) null, updated_at datetime2(7) null, seen datetimeoffset(3) null, rv rowversion);\n\
    create table dbo.notes (no int not null primary key, source char(1) null default 'M', \
    updated_at datetime2(3) null);\n\
    insert into dbo.jobs (id, source, updated_at) values (1, 'D', null), (2, 'x', '2026-01-01');\n\
    insert into dbo.notes (no, source, updated_at) values (1, 'D', null)";

const TABLES: &str = "[tables.jobs]\ncapture = \"rowversion\"\n[tables.notes]\n";

fn config(of_sync: &str) -> String {
    format!("[sync]\n{of_sync}\n{TABLES}")
}

/// What was found, its exit code being `code`.
fn findings(pair: &Pair, code: i32) -> Vec<Value> {
    let report = pair.document(&["check"], code);
    report["findings"].as_array().unwrap().clone()
}

/// The finding of a check about the desktop, or about a table.
fn found<'f>(findings: &'f [Value], check: &str, table: Option<&str>) -> &'f Value {
    let is_it = |f: &&Value| f["check"] == check && f["table"].as_str() == table;
    findings.iter().find(is_it).unwrap_or_else(|| panic!("no {check} of {table:?}: {findings:#?}"))
}

fn says(finding: &Value, level: &str, message: &str, remedy: &str) {
    assert_eq!(finding["level"], level, "{finding:#}");
    assert!(finding["message"].as_str().unwrap().contains(message), "{finding:#}");
    let said = finding["remedy"].as_str().unwrap_or_default();
    assert!(said.contains(remedy), "{finding:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sql_server_can_not_guarantee_is_said() {
    let config = config("assume_timezone = \"Pacific/Kiritimati\"");
    let pair = Pair::open(CLOUD, DESKTOP, &config).await;
    let all = findings(&pair, 10);
    let of = |check, table| found(&all, check, table);
    // One table by its stamps, without a lag.
    says(of("horizon", Some("notes")), "failure", "nobody can see", "lag");
    says(of("zone", None), "warning", "is +14:00 now, and the server's clock +00:00", "Ask who");
    says(of("store", None), "ok", "", "");
    says(of("columns_narrow", Some("jobs")), "warning", "name nvarchar(50) → character", "");
    says(of("columns_lossy", Some("jobs")), "warning", "loses the offset from UTC", "exclude");
    says(of("owner_values", Some("jobs")), "warning", "1 of 2 rows have neither", "");
    says(of("stamps", Some("notes")), "warning", "1 of 1 rows have nothing in", "");
    says(of("owner_default", Some("notes")), "warning", "default of source", "add default 'D' for");
    // Its changes are found by their versions, and the cloud needs no column for these.
    assert!(!all.iter().any(|f| f["check"] == "stamps" && f["table"] == "jobs"));
    assert!(!all.iter().any(|f| f["check"] == "drift"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_can_not_be_synced_is_named_with_its_remedy() {
    let desktop = "create table dbo.jobs (id nvarchar(9) collate Latin1_General_CI_AS not null \
                   primary key, updated_at datetime2(3) null, rv rowversion);\n\
                   create table dbo.notes (no int not null primary key, source char(1) null, \
                   updated_at datetime2(3) null)";
    let cloud = "create table jobs (id text primary key, source char(1), updated_at timestamptz); \
                 create table notes (no int primary key, source char(1), updated_at timestamptz)";
    let config = format!("{}capture = \"rowversion\"\n", config("assume_timezone = \"UTC\""));
    let pair = Pair::open(cloud, desktop, &config).await;
    let all = findings(&pair, 10);
    says(
        found(&all, "plan", Some("jobs")),
        "failure",
        "takes different texts",
        "Latin1_General_BIN2",
    );
    let missing = found(&all, "plan", Some("notes"));
    says(missing, "failure", "no column of type rowversion", "add row_version rowversion");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_with_tidegates_tables_is_checked_both_ways() {
    let config = config("assume_timezone = \"UTC\"\nlag = \"1m\"");
    let pair = Pair::open(CLOUD, DESKTOP, &config).await;
    let only = found(&findings(&pair, 0), "store", None).clone();
    says(&only, "ok", "up to date", "");
    pair.output(&["migrate"], 0);
    pair.at_the_desk(
        "create trigger tr_notes on dbo.notes after insert, update as \
         update dbo.jobs set name = 'x' where id in (select no from inserted)",
    )
    .await;
    let all = findings(&pair, 0);
    assert_eq!(all.iter().filter(|f| f["check"] == "store" && f["level"] == "ok").count(), 2);
    says(found(&all, "also_writes", Some("notes")), "warning", "jobs (tr_notes)", "also_writes");
}
