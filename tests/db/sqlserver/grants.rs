//! `grants` for a SQL Server.

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, source char(1), updated_at timestamptz); \
    create table \"Job Notes\" (no int primary key, source char(1), updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int identity(1,1) not null primary key, \
    source char(1) null, updated_at datetime2(3) null, rv rowversion);\n\
    create table dbo.[Job Notes] (no int not null primary key, source char(1) null, \
    updated_at datetime2(3) null, rv rowversion)";
const CONFIG: &str = "[sync]\ncapture = \"rowversion\"\nassume_timezone = \"UTC\"\n\
    [tables.jobs]\n[tables.\"Job Notes\"]\n";

fn printed(pair: &Pair) -> Vec<String> {
    let arguments = ["grants", "--end", "desktop", "--desktop-role", "tide]gate"];
    let text = pair.words(&arguments, 0);
    text.lines().filter(|line| !line.starts_with("--")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_of_which_nothing_comes_home_is_only_read() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    assert_eq!(
        printed(&pair),
        [
            "grant connect to [tide]]gate];",
            "grant view definition to [tide]]gate];",
            "grant select on object::[dbo].[jobs] to [tide]]gate];",
            "grant select on object::[dbo].[Job Notes] to [tide]]gate];",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_work_comes_home_its_tables_and_tidegates_are_written() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    pair.output(&["migrate"], 0);
    let printed = printed(&pair);
    let has = |line: &str| assert!(printed.iter().any(|p| p == line), "{line}: {printed:#?}");
    has("grant select, insert, update on object::[dbo].[jobs] to [tide]]gate];");
    has("grant select, insert, update on object::[dbo].[Job Notes] to [tide]]gate];");
    // Its keys are made by an identity, and come with the rows.
    has("grant alter on object::[dbo].[jobs] to [tide]]gate];");
    assert_eq!(printed.iter().filter(|p| p.starts_with("grant alter")).count(), 1);
    has("grant select, insert, update, delete on schema::[tidegate] to [tide]]gate];");
    let server = "grant view server state to [tide]]gate];";
    assert!(printed.iter().any(|p| p.starts_with("use [master];") && p.contains(server)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nothing_but_forward_reads_is_pruned_with_rights_on_it_alone() {
    let desktop = DESKTOP.replace("source char(1) null, ", "");
    let pair = Pair::open(CLOUD, &desktop, &CONFIG.replace("rowversion", "log")).await;
    pair.output(&["migrate"], 0);
    let printed = printed(&pair);
    let has = |line: &str| assert!(printed.iter().any(|p| p == line), "{line}: {printed:#?}");
    has("grant select on schema::[tidegate] to [tide]]gate];");
    has("grant delete on object::[tidegate].[_sync_changes] to [tide]]gate];");
    has("grant update on object::[tidegate].[_sync_logged] to [tide]]gate];");
    assert!(!printed.iter().any(|line| line.contains("insert")), "{printed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_the_server_are_given_to_the_login() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    pair.output(&["migrate"], 0);
    let text = pair.words(&["grants", "--end", "desktop"], 0);
    for part in ["grant view definition to [dbo];", "grant view server state to [sa];"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
