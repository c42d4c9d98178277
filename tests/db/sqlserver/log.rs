//! `capture = "log"`: a SQL Server's tables without a version and without stamps that can be trusted.

use serde_json::Value;

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name text, source char(1), \
    created_at timestamptz, updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    source char(1) null, created_at datetime2(7) null, updated_at datetime2(7) null);\n\
    insert into dbo.jobs (id, name, source) values (1, N'one', 'D'), (2, N'two', 'D'), \
    (3, N'three', 'D')";
const CONFIG: &str = "[sync]\ncapture = \"log\"\nassume_timezone = \"UTC\"\n[tables.jobs]\n";

const ENTRIES: &str = "select concat(c.operation, N' ', c.[key]) as entry \
    from tidegate._sync_changes c order by c.version";

/// Three jobs that have arrived; none has a stamp.
async fn pair() -> Pair {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    let said = pair.words(&["migrate"], 0);
    assert!(said.contains("desktop, change log: triggers installed on jobs"), "{said}");
    assert_eq!(read(&pair, "forward"), 3);
    pair
}

/// Runs one way; gives how many rows it read.
fn read(pair: &Pair, way: &str) -> u64 {
    let document = pair.document(&[way], 0);
    document["tables"][0]["read"].as_u64().unwrap()
}

async fn in_the_cloud(pair: &Pair) -> Vec<String> {
    let query = "select concat_ws(' ', id, name, source) from jobs order by id";
    pair.of_the_cloud(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_that_users_change_has_an_entry() {
    let pair = pair().await;
    for statement in [
        "insert into dbo.jobs (id) values (4), (5)",
        "update dbo.jobs set name = N'x' where id in (1, 4)",
        // A change of the key is a row that goes and one that comes.
        "update dbo.jobs set id = 6 where id = 5",
        "delete from dbo.jobs where id in (2, 4)",
        "update dbo.jobs set name = N'nobody' where id = 100",
    ] {
        pair.at_the_desk(statement).await;
    }
    let mut entries = pair.of_the_desk(ENTRIES).await;
    // Those of one statement have no order.
    for pair in [0..2, 2..4, 6..8] {
        entries[pair].sort();
    }
    let entry = |(operation, id)| format!("{operation} {{\"id\": \"{id}\"}}");
    let wanted = [
        ("insert", 4),
        ("insert", 5),
        ("update", 1),
        ("update", 4),
        ("delete", 5),
        ("insert", 6),
        ("delete", 2),
        ("delete", 4),
    ];
    assert_eq!(entries, wanted.map(entry));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_arrives_and_nothing_else_is_read() {
    let pair = pair().await;
    assert_eq!(read(&pair, "forward"), 0);
    pair.at_the_desk("update dbo.jobs set name = N'uno' where id = 1").await;
    pair.at_the_desk("update dbo.jobs set name = N'eins' where id = 1").await;
    assert_eq!(read(&pair, "forward"), 1);
    pair.at_the_desk("update dbo.jobs set id = 30 where id = 3").await;
    // What is gone is not read; deletions are not carried.
    pair.at_the_desk("delete from dbo.jobs where id = 2").await;
    assert_eq!(read(&pair, "forward"), 1);
    assert_eq!(in_the_cloud(&pair).await, ["1 eins D", "2 two D", "3 three D", "30 three D"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_log_are_read_to_their_end() {
    let pair = pair().await;
    for thousand in 1..4 {
        let ids = thousand * 1_000..(thousand + 1) * 1_000;
        let rows: Vec<String> = ids.map(|id| format!("({id}, N'job', 'D')")).collect();
        let insert = format!("insert into dbo.jobs (id, name, source) values {}", rows.join(", "));
        pair.at_the_desk(&insert).await;
    }
    pair.at_the_desk("update dbo.jobs set name = N'again' where id = 1000").await;
    pair.output(&["forward"], 0);
    let arrived = in_the_cloud(&pair).await;
    assert_eq!(arrived.len(), 3_003);
    assert_eq!(arrived[3], "1000 again D");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tidegate_writes_has_no_entry() {
    let pair = pair().await;
    pair.on_the_phone("insert into jobs values (101, 'mobile', 'M', now(), now())").await;
    pair.output(&["reverse"], 0);
    let home = pair.of_the_desk("select name from dbo.jobs where id = 101").await;
    assert_eq!(home, ["mobile"]);
    assert!(pair.of_the_desk(ENTRIES).await.is_empty());
    assert_eq!(read(&pair, "forward"), 0);
}

/// A trigger of the desktop's own that writes where a mobile row arrived: what it made is the desktop's.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_desktops_triggers_write_after_tidegate_has_an_entry() {
    let pair = pair().await;
    pair.words(&["sync"], 0);
    let sums_up = "create trigger sums_up on dbo.jobs after insert as begin set nocount on; \
                   update dbo.jobs set name = N'summed up' where id = 1 end";
    pair.at_the_desk(sums_up).await;
    pair.on_the_phone("insert into jobs (id, name, source) values (100, 'mobile', 'M')").await;
    pair.words(&["sync"], 0);
    assert_eq!(pair.of_the_desk("select name from dbo.jobs where id = 100").await, ["mobile"]);
    assert_eq!(in_the_cloud(&pair).await[0], "1 summed up D");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_committed_late_is_not_lost() {
    let pair = pair().await;
    let mut late = pair.session().await;
    late.begin_with("changing", "begin transaction").await.unwrap();
    late.batch("changing", "update dbo.jobs set name = N'late' where id = 1").await.unwrap();
    pair.at_the_desk("update dbo.jobs set name = N'early' where id = 2").await;
    pair.output(&["forward"], 0);
    assert_eq!(in_the_cloud(&pair).await[..2], ["1 one D", "2 early D"]);
    late.end_with("changing", "commit").await.unwrap();
    pair.output(&["forward"], 0);
    assert_eq!(in_the_cloud(&pair).await[0], "1 late D");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_trigger_a_table_is_refused_and_then_read_as_a_whole() {
    for gone in ["drop trigger dbo.{}", "disable trigger {} on dbo.jobs"] {
        let pair = pair().await;
        let trigger = pair.of_the_desk("select name from sys.triggers").await.remove(0);
        assert!(trigger.starts_with("tidegate_log_"), "{trigger}");
        pair.at_the_desk(&gone.replace("{}", &trigger)).await;
        pair.at_the_desk("update dbo.jobs set name = N'unseen' where id = 1").await;
        let said = pair.words(&["forward"], 10);
        assert!(said.contains("tidegate migrate"), "{said}");
        pair.output(&["migrate"], 0);
        assert_eq!(read(&pair, "forward"), 3, "{gone}");
        assert_eq!(in_the_cloud(&pair).await[0], "1 unseen D");
        assert_eq!(read(&pair, "forward"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_entries_go_once_they_are_read_and_who_needs_them_reads_everything() {
    let pair = pair().await;
    let old = "insert into tidegate._sync_changes (table_name, operation, [key], changed_at) \
        values (N'jobs', N'update', N'{\"id\": \"1\"}', '2026-01-01 00:00:00 +00:00')";
    pair.at_the_desk(old).await;
    pair.at_the_desk("update dbo.jobs set name = N'new' where id = 2").await;
    assert_eq!(read(&pair, "forward"), 2);
    assert_eq!(pair.of_the_desk(ENTRIES).await, ["update {\"id\": \"2\"}"]);
    assert_eq!(read(&pair, "forward"), 0);
    let back = "update tidegate._sync_metadata set watermark = '0x0000000000000001'";
    pair.on_the_phone(back).await;
    assert_eq!(read(&pair, "forward"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_knows_what_was_not_read_yet() {
    let pair = pair().await;
    pair.at_the_desk("insert into dbo.jobs (id, source) values (4, 'D')").await;
    let document = pair.document(&["verify"], 0);
    let difference: &Value = &document["tables"][0]["differences"][0];
    assert_eq!(difference["explained_by"], "not_yet_read", "{document}");
}

/// The desktop's keys have the types that a log keeps.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_logged_as_the_cloud_prints_them() {
    let cloud = "create table keys (i int, b boolean, u uuid, n numeric(9,2), d date, code text, \
        pad text, source char(1), updated_at timestamptz, primary key (i, b, u, n, d, code, pad))";
    let desktop = "create table dbo.keys (i int not null, b bit not null, \
        u uniqueidentifier not null, n decimal(9,2) not null, d date not null, \
        code nvarchar(20) collate Latin1_General_BIN2 not null, \
        pad char(5) collate Latin1_General_BIN2 not null, source char(1) null, \
        updated_at datetime2(7) null, primary key (i, b, u, n, d, code, pad))";
    let config = CONFIG.replace("jobs", "keys");
    let pair = Pair::open(cloud, desktop, &config).await;
    pair.output(&["migrate"], 0);
    pair.output(&["forward"], 0);
    let insert = "insert into dbo.keys (i, b, u, n, d, code, pad, source) values \
        (-1, 1, '6F9619FF-8B86-D011-B42D-00C04FC964FF', -0.5, '0005-02-03', \
        N'a\"b\\c/d' + nchar(9) + nchar(10) + nchar(31) + N'é😀''', 'ab', 'D'), \
        (2, 0, '6F9619FF-8B86-D011-B42D-00C04FC964FF', 1234567.8, '9999-12-31', N'', '', 'D')";
    pair.at_the_desk(insert).await;
    assert_eq!(pair.document(&["forward"], 0)["tables"][0]["inserted"], 2);
    let mut logged = pair.of_the_desk("select c.[key] from tidegate._sync_changes c").await;
    logged.sort();
    let query = "select jsonb_build_object('i', i::text, 'b', b::text, 'u', u::text, 'n', n::text, \
        'd', d::text, 'code', code, 'pad', pad)::text from keys";
    let mut printed = pair.of_the_cloud(query).await;
    printed.sort();
    assert_eq!(logged, printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn uninstall_takes_the_triggers_along() {
    let pair = pair().await;
    pair.output(&["uninstall", "--yes"], 0);
    assert!(pair.of_the_desk("select name from sys.triggers").await.is_empty());
    pair.at_the_desk("update dbo.jobs set name = N'free' where id = 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_was_made_for_another_key_is_replaced() {
    let pair = pair().await;
    let triggers = "select name from sys.triggers";
    let before = pair.of_the_desk(triggers).await;
    pair.at_the_desk("alter table dbo.jobs add number int not null default 7").await;
    let other_key = "rename = { id = \"old_id\", number = \"id\" }\n";
    pair.configure(&(CONFIG.to_owned() + other_key));
    let said = pair.words(&["forward"], 10);
    assert!(said.contains("made for another key"), "{said}");
    pair.output(&["migrate"], 0);
    let after = pair.of_the_desk(triggers).await;
    assert!(after.len() == 1 && before != after, "{before:?} {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_log_keeps_is_refused() {
    for (id, said) in [
        ("datetime2(3) not null", "is a datetime2(3), which no log keeps"),
        ("int null", "may be null"),
    ] {
        let cloud_id = if id.starts_with("int") { "int" } else { "timestamp(3)" };
        let cloud = CLOUD.replacen("int", cloud_id, 1);
        let desktop = format!(
            "create table dbo.jobs (id {id}, name nvarchar(50) null, source char(1) null, \
             created_at datetime2(7) null, updated_at datetime2(7) null)"
        );
        let pair = Pair::open(&cloud, &desktop, CONFIG).await;
        let migrated = pair.words(&["migrate"], 0);
        assert!(migrated.contains(said), "{migrated}");
        let ran = pair.words(&["forward"], 10);
        assert!(ran.contains(said), "{ran}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_owner_gets_no_trigger() {
    let pair = Pair::open(CLOUD, DESKTOP, CONFIG).await;
    pair.at_the_desk("alter authorization on object::dbo.jobs to guest").await;
    let said = pair.words(&["migrate"], 0);
    assert!(said.contains("dbo.jobs and tidegate's own tables have different owners"), "{said}");
}
