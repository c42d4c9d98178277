//! Keys, parents, unique values and triggers of a SQL Server, and what the check makes of them.

use tidegate::error::Kind;
use tidegate::model::sample::Sample;
use tidegate::model::{Position, Reason, Selection, TableName, TableSettings, Verdict};
use tidegate::target::Show;
use tidegate::target::sqlserver::{SqlServerTarget, held_digests};
use uuid::Uuid;

use super::home::{Home, counts, settings};

const COLUMNS: &str =
    "name varchar(40), source text, created_at timestamptz, updated_at timestamptz";
const DESKTOP_COLUMNS: &str = "name nvarchar(40), source nvarchar(10), \
    created_at datetimeoffset(6), updated_at datetimeoffset(6)";

fn cloud(id: &str) -> String {
    format!("create table jobs (id {id} primary key, {COLUMNS});")
}

fn desktop(id: &str) -> String {
    format!("create table dbo.jobs (id {id} primary key, {DESKTOP_COLUMNS})")
}

async fn jobs() -> Home {
    Home::open(&cloud("integer"), &desktop("int not null"), &["jobs"]).await
}

#[tokio::test]
async fn a_mobile_row_keeps_its_key_where_the_desktop_draws_its_own() {
    let home = Home::open(&cloud("integer"), &desktop("int identity(1,1)"), &["jobs"]).await;
    home.tsql("insert into dbo.jobs (name, source) values (N'office', N'D')").await;
    let rows = "insert into jobs (id, name, source) values (1001, 'a', 'M'), (1002, 'b', 'M')";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    home.office.cloud.batch_execute("update jobs set name = 'c' where id = 1002").await.unwrap();
    assert_eq!(counts(&home.reverse(&plan, &at).await.unwrap()), [0, 1, 0, 0]);
    let rows = home.rows("select id, name from dbo.jobs order by id").await;
    assert_eq!(rows, ["1 office", "1001 a", "1002 c"]);
}

#[tokio::test]
async fn a_key_of_several_columns_and_types_is_found_again() {
    let columns = "primary key (ref, day)";
    let home = Home::open(
        &format!("create table jobs (ref uuid, day date, {COLUMNS}, {columns});"),
        &format!(
            "create table dbo.jobs (ref uniqueidentifier not null, day date not null, \
             {DESKTOP_COLUMNS}, {columns})"
        ),
        &["jobs"],
    )
    .await;
    let rows = "insert into jobs (ref, day, name, source)
        select md5(n::text)::uuid, '2026-02-28'::date + n, 'a', 'M' from generate_series(1, 50) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    home.office.cloud.batch_execute("update jobs set name = 'b'").await.unwrap();
    assert_eq!(counts(&home.reverse(&plan, &at).await.unwrap()), [0, 50, 0, 0]);
    let key = "{\"day\": \"2026-03-01\", \"ref\": \"c4ca4238-a0b9-2382-0dcc-509a6f75849b\"}";
    let keys = [key.to_owned(), key.replace("2026", "2027"), key.replace("2026", "?")];
    let mut session = home.session().await;
    let held = held_digests(&mut session, &home.sql, &plan, &keys).await.unwrap();
    assert_eq!(held.keys().collect::<Vec<_>>(), [&keys[0]]);
}

#[tokio::test]
async fn values_of_any_size_and_their_stamps_arrive_as_they_were() {
    let columns =
        "id integer primary key, name text, data bytea, source text, updated_at timestamptz";
    let home = Home::open(
        &format!("create table jobs ({columns});"),
        "create table dbo.jobs (id int not null primary key, name nvarchar(max), data varbinary(max), \
         source nvarchar(10), updated_at datetimeoffset(6))",
        &["jobs"],
    )
    .await;
    let rows = "insert into jobs
        select n, repeat('ü', n * 20000), decode(repeat('00ff', n * 20000), 'hex'), 'M',
            '2026-03-01 10:00:01.123456+00' from generate_series(1, 4) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    let target = home.store();
    let target = SqlServerTarget::new(&home.desktop, &target, Uuid::now_v7(), "cloud");
    let again = home.way(&plan, &at, Selection::All(&at), &target).await.unwrap();
    assert_eq!(counts(&again), [0, 0, 4, 0]);
    let lengths = "select id, cast(len(name) as int), cast(datalength(data) as int) from dbo.jobs order by id";
    assert_eq!(home.rows(lengths).await[3], "4 80000 160000");
}

#[tokio::test]
async fn a_row_waits_for_its_parent_and_parents_of_the_batch_count() {
    let parent = "parent_id integer";
    let home = Home::open(
        &format!("create table jobs (id integer primary key, {parent}, {COLUMNS});"),
        &format!(
            "create table dbo.jobs (id int not null primary key, parent_id int references dbo.jobs (id), \
             {DESKTOP_COLUMNS})"
        ),
        &["jobs"],
    )
    .await;
    // 1 is nobody's parent; 2 and 3 hang on it, 5 on 4, which never arrives, 6 on 5.
    let rows = "insert into jobs (id, parent_id, source) values
        (3, 2, 'M'), (2, 1, 'M'), (1, null, 'M'), (5, 4, 'M'), (6, 5, 'M')";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [3, 0, 0, 2]);
    assert_eq!(progress.account.tally.withheld[&Reason::MissingParent], 2);
    assert_eq!(home.rows("select id from dbo.jobs order by id").await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_unique_value_that_is_taken_withholds_its_row_alone() {
    let home = jobs().await;
    home.tsql(
        "create unique index only_one on dbo.jobs (name)\ngo\n\
         insert into dbo.jobs (id, name, source) values (1, N'n7', N'D')",
    )
    .await;
    let rows = "insert into jobs (id, name, source)
        select 100 + n, 'n' || n, 'M' from generate_series(1, 20) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [19, 0, 0, 1]);
    assert_eq!(progress.account.tally.withheld[&Reason::Unique], 1);
    let withheld = home.rows("select [key], reason from tidegate._sync_withheld").await;
    assert_eq!(withheld, ["{\"id\": \"107\"} unique"]);
}

#[tokio::test]
async fn what_a_trigger_makes_of_a_row_is_no_edit() {
    let home = jobs().await;
    home.tsql(
        "create trigger dbo.shout on dbo.jobs after insert, update as
         begin
             if exists (
                 select 1 from inserted i
                 where i.name collate Latin1_General_BIN2 <> upper(i.name) collate Latin1_General_BIN2
             )
                 update j set name = upper(j.name) from dbo.jobs j join inserted i on i.id = j.id;
         end",
    )
    .await;
    let rows = "insert into jobs (id, name, source) values (1, 'a', 'M'), (2, 'b', 'M')";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    assert_eq!(home.rows("select name from dbo.jobs order by id").await, ["A", "B"]);
    // All of it is read once more: both ends have the same versions.
    let target = (home.store(), Uuid::now_v7());
    let target = SqlServerTarget::new(&home.desktop, &target.0, target.1, "cloud");
    let again = home.way(&plan, &at, Selection::All(&at), &target).await.unwrap();
    assert_eq!(counts(&again), [0, 0, 2, 0]);
    home.office.cloud.batch_execute("update jobs set name = 'c' where id = 1").await.unwrap();
    assert_eq!(counts(&home.reverse(&plan, &again.at).await.unwrap()), [0, 1, 0, 0]);
    assert_eq!(home.rows("select name from dbo.jobs order by id").await, ["C", "B"]);
    assert!(home.rows("select reason from tidegate._sync_trash").await.is_empty());
}

const OTHER: &str = "create table dbo.others (id int not null primary key, n int)\ngo\n\
    insert into dbo.others values (1, 0)\ngo\n\
    create trigger dbo.elsewhere on dbo.jobs after insert as update dbo.others set n = n + 1";

#[tokio::test]
async fn a_trigger_that_writes_another_synced_table_is_found_unless_that_is_meant() {
    let mut home = jobs().await;
    home.tsql(OTHER).await;
    home.office.cloud.batch_execute("insert into jobs (id, source) values (1, 'M')").await.unwrap();
    let mut plan = home.plan("jobs").await;
    plan.synced.push(TableName::new("dbo", "others"));
    let refused = home.reverse(&plan, &Position::default()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Verification);
    assert!(refused.to_string().contains("others"), "{refused}");
    assert!(home.rows("select id from dbo.jobs").await.is_empty());
    home.settings = |table| TableSettings {
        also_writes: vec![TableName::new("dbo", "others")],
        ..settings(table)
    };
    let mut plan = home.plan("jobs").await;
    plan.synced.push(TableName::new("dbo", "others"));
    assert_eq!(counts(&home.reverse(&plan, &Position::default()).await.unwrap()), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_trigger_that_changes_or_deletes_rows_is_found_by_what_is_there_afterwards() {
    for (trigger, fault) in [
        ("update dbo.jobs set name = N'hit' where id = 2", "another owner were changed"),
        ("update dbo.jobs set source = N'D' where id = 1", "are not the writer's"),
        ("delete from dbo.jobs where id = 1", "1 deleted"),
    ] {
        let home = jobs().await;
        home.tsql("insert into dbo.jobs (id, name, source) values (2, N'same', N'D')").await;
        home.tsql(&format!("create trigger dbo.bad on dbo.jobs after insert as {trigger}")).await;
        let rows = "insert into jobs (id, name, source) values (1, 'a', 'M'), (2, 'same', 'D')";
        home.office.cloud.batch_execute(rows).await.unwrap();
        let plan = home.plan("jobs").await;
        let refused = home.reverse(&plan, &Position::default()).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Verification, "{trigger}");
        assert!(refused.to_string().contains(fault), "{trigger}: {refused}");
        assert_eq!(home.rows("select id, name from dbo.jobs").await, ["2 same"], "{trigger}");
    }
}

#[tokio::test]
async fn an_update_that_would_go_on_to_other_tables_is_refused() {
    let unique = desktop("int not null").replace("nvarchar(40),", "nvarchar(40) not null,");
    let home = Home::open(&cloud("integer"), &unique, &["jobs"]).await;
    home.tsql("create unique index name on dbo.jobs (name)").await;
    home.tsql(
        "create table dbo.notes (id int not null primary key, job nvarchar(40) \
         references dbo.jobs (name) on update cascade)",
    )
    .await;
    let rows = "insert into jobs (id, name, source) values (1, 'a', 'M')";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let refused = home.reverse(&plan, &Position::default()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Config);
    assert!(refused.to_string().contains("takes updates of name on"), "{refused}");
}

#[tokio::test]
async fn a_rehearsal_counts_as_a_run_does_and_leaves_nothing() {
    let home = jobs().await;
    home.tsql("insert into dbo.jobs (id, name, source) values (2, N'old', N'M')").await;
    let rows = "insert into jobs (id, name, source)
        select n, 'new', case n when 9 then null else 'M' end from generate_series(1, 9) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let mut plan = home.plan("jobs").await;
    plan.settings.batch_rows = 3;
    let (store, at) = (home.store(), Position::default());
    let target = SqlServerTarget::new(&home.desktop, &store, Uuid::now_v7(), "cloud");
    let target = target.rehearsing(Show::Rows(20));
    let progress = home.way(&plan, &at, Selection::All(&at), &target).await.unwrap();
    assert_eq!(counts(&progress), [7, 1, 0, 1]);
    let shown = target.shown("jobs").unwrap();
    assert_eq!(shown.len(), 9);
    let updated: Vec<&Sample> = shown.iter().filter(|s| s.verdict == Verdict::Update).collect();
    assert_eq!(updated[0].key, serde_json::json!({ "id": "2" }));
    assert_eq!(updated[0].changes["name"].from.as_deref(), Some("old"));
    assert_eq!(updated[0].changes["name"].to.as_deref(), Some("new"));
    let count = "select count(*) from dbo.jobs";
    target
        .roll_back(async |connection| {
            assert_eq!(connection.value::<i32>("looking", count, &[]).await?, 8);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(home.rows(count).await, ["1"]);
    assert!(home.rows("select table_name from tidegate._sync_metadata").await.is_empty());
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_left_for_later_and_the_others_arrive() {
    let home = jobs().await;
    home.tsql("insert into dbo.jobs (id, name, source) select 3, N'old', N'M'").await;
    let rows = "insert into jobs (id, name, source)
        select n, 'new', 'M' from generate_series(1, 4) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let mut user = home.session().await;
    user.begin_with("editing", "begin transaction").await.unwrap();
    user.run("editing", "update dbo.jobs set name = N'mine' where id = 3", &[]).await.unwrap();
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [3, 0, 0, 1]);
    assert_eq!(progress.account.tally.withheld[&Reason::Busy], 1);
    user.end_with("editing", "rollback transaction").await.unwrap();
    let left = home.store().left_for_later(&mut home.session().await, &plan, Uuid::nil()).await;
    assert_eq!(left.unwrap().len(), 0);
    let key = tidegate::model::Awaited {
        key: "{\"id\": \"3\"}".to_owned(),
        once_owned: false,
        since: None,
    };
    let retried = home.retry(&plan, &progress.at, &[key]).await.unwrap();
    assert_eq!(counts(&retried), [0, 1, 0, 0]);
    assert!(home.rows("select reason from tidegate._sync_withheld").await.is_empty());
}
