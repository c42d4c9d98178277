//! Databases, tables and columns of a SQL Server that can't be synced as they are.

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name text, pin int, source char(1), \
    valid_from timestamp, valid_to timestamp, updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    source char(1) null, updated_at datetimeoffset(3) null, rv rowversion);\n\
    insert into dbo.jobs (id, name, source) values (1, N'one', 'D')";
const CONFIG: &str = "[sync]\ncapture = \"rowversion\"\n[tables.jobs]\n";

/// That a forward run refuses the table, or the database, with its remedy.
fn refuses(pair: &Pair, why: &str, remedy: &str) {
    let said = pair.words(&["forward"], 10);
    assert!(said.contains(why) && said.contains(remedy), "{said}");
}

/// What `check` found, by level and check.
fn failures(pair: &Pair) -> Vec<String> {
    let report = pair.document(&["check"], 10);
    let failed = report["findings"].as_array().unwrap().iter().filter(|f| f["level"] == "failure");
    failed.map(|f| f["check"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_database_is_refused() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    for (state, why) in [
        ("is_in_standby = true", "a standby that logs are shipped to"),
        ("is_in_standby = false, is_secondary = true", "a replica that can only be read"),
        ("is_secondary = false, source_database_id = 7", "a snapshot of another database"),
    ] {
        if !pair.pretend(&format!("update tsql.database set {state}")).await {
            return;
        }
        refuses(&pair, why, "Name the primary in [desktop] url");
        assert_eq!(failures(&pair), ["horizon"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_to_be_read_only_is_read() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    pair.at_the_desk("alter database current set read_only").await;
    pair.output(&["forward"], 0);
    let report = pair.document(&["check"], 0);
    let found = report["findings"].as_array().unwrap().iter().any(|f| f["check"] == "read_only");
    assert!(found, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn masks_and_what_only_clients_can_read_are_refused_unless_they_are_left_out() {
    let pair = Pair::open(CLOUD, "", CONFIG).await;
    if !pair.pretend("select").await {
        return;
    }
    pair.at_the_desk(
        "create table dbo.jobs (id int not null primary key, \
         name nvarchar(50) masked with (function = 'default()') null, \
         pin int encrypted with (column_encryption_key = k, encryption_type = randomized) null, \
         source char(1) null, updated_at datetimeoffset(3) null, rv rowversion);\n\
         insert into dbo.jobs (id, name, source) values (1, N'one', 'D')",
    )
    .await;
    refuses(&pair, "name is masked for this role", "grant unmask to");
    pair.configure(&format!("{CONFIG}exclude = [\"name\", \"pin\"]\n"));
    pair.output(&["forward"], 0);
    pair.pretend("update tsql.database set shows_masked = true").await;
    pair.configure(CONFIG);
    refuses(&pair, "pin is encrypted", "exclude = [\"pin\"]");
    pair.configure(&format!("{CONFIG}exclude = [\"pin\"]\n"));
    pair.output(&["forward"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_period_of_a_temporal_table_is_never_written() {
    let desktop = DESKTOP.replace(
        "rv rowversion)",
        "rv rowversion, \
         valid_from datetime2(7) generated always as row start not null default sysutcdatetime(), \
         valid_to datetime2(7) generated always as row end not null default sysutcdatetime(), \
         period for system_time (valid_from, valid_to))",
    );
    // A real server has no other end than this.
    let pair = Pair::open(CLOUD, &desktop, CONFIG).await;
    if !pair.pretend("select").await {
        return;
    }
    pair.output(&["migrate"], 0);
    pair.on_the_phone(
        "insert into jobs values (7, 'mobile', null, 'M', '2001-01-01', '2002-01-01', now())",
    )
    .await;
    pair.output(&["reverse"], 0);
    let home = "select concat(name, case when valid_from < '2020-01-01' then N' old' end) \
                from dbo.jobs where id = 7";
    assert_eq!(pair.of_the_desk(home).await, ["mobile"]);
    // And what the server keeps there arrives.
    pair.output(&["forward"], 0);
    let arrived = "select (valid_from > '2020-01-01')::text from jobs where id = 1";
    assert_eq!(pair.of_the_cloud(arrived).await, ["true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_memory_is_refused() {
    let pair = Pair::open(CLOUD, "", CONFIG).await;
    if !pair.pretend("select").await {
        return;
    }
    let in_memory = "create table dbo.jobs (id int not null primary key nonclustered, \
        name nvarchar(50) null, source char(1) null, updated_at datetimeoffset(3) null, \
        rv rowversion) with (memory_optimized = on, durability = schema_and_data)";
    pair.at_the_desk(in_memory).await;
    refuses(&pair, "is kept in memory", "Make it an ordinary table");
    assert_eq!(failures(&pair), ["plan"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_policies_that_hide_rows_refuse_a_table() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    let policy = "insert into sys.security_policies values ('p', 1, true); \
        insert into sys.security_predicates values (1, tsql.object_id('dbo.jobs'), 1)";
    if !pair.pretend(policy).await {
        return;
    }
    pair.output(&["forward"], 0);
    pair.pretend("update sys.security_predicates set predicate_type = 0").await;
    refuses(
        &pair,
        "row-level security hides rows of the desktop's table",
        "the predicate function",
    );
    assert_eq!(failures(&pair), ["row_security"]);
}
