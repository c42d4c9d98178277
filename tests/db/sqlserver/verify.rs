//! `verify` with a SQL Server as the desktop: the same numbers and explanations as with a PostgreSQL.

use serde_json::{Value, json};

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name text, source char(1), \
    created_at timestamptz, updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    source char(1) null, created_at datetime2(7) null, updated_at datetime2(7) null, \
    rv rowversion)";
const BY_VERSION: &str = "[sync]\ncapture = \"rowversion\"\nassume_timezone = \"UTC\"\n\
    [tables.jobs]\nexclude = [\"rv\"]\n";
const BY_STAMP: &str = "[sync]\ncapture = \"timestamp\"\nlag = \"1m\"\nassume_timezone = \"UTC\"\n\
    [tables.jobs]\nexclude = [\"rv\"]\n";

/// Ten jobs of the desktop that have arrived, and one of a mobile user.
async fn pair(config: &str) -> Pair {
    let pair = Pair::open(CLOUD, DESKTOP, config).await;
    pair.at_the_desk(&jobs(1..=10, "'2026-01-01'")).await;
    pair.on_the_phone("insert into jobs values (101, 'mobile', 'M', now(), now())").await;
    pair.output(&["forward"], 0);
    pair
}

fn jobs(ids: impl IntoIterator<Item = u32>, stamp: &str) -> String {
    let row = |id| format!("({id}, N'job', 'D', {stamp}, {stamp})");
    let rows: Vec<String> = ids.into_iter().map(row).collect();
    let into = "insert into dbo.jobs (id, name, source, created_at, updated_at) values ";
    format!("{into}{}", rows.join(", "))
}

fn table(document: &Value) -> &Value {
    &document["tables"][0]
}

/// The differences as `what rows explanation reason`.
fn differences(document: &Value) -> Vec<String> {
    let word = |d: &Value, field: &str| d[field].as_str().unwrap_or_default().to_owned();
    let line = |d: &Value| {
        let words = [word(d, "what"), d["rows"].to_string(), word(d, "explained_by")];
        format!("{} {}", words.join(" "), word(d, "reason")).trim_end().to_owned()
    };
    table(document)["differences"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_that_agree_are_ok() {
    for config in [BY_VERSION, BY_STAMP] {
        let pair = pair(config).await;
        let document = pair.document(&["verify"], 0);
        let counts = |mobile| json!({ "D": 10, "M": mobile, "other": 0 });
        assert_eq!(table(&document)["desktop"], counts(0), "{document}");
        assert_eq!(table(&document)["cloud"], counts(1), "{document}");
        assert!(differences(&document).is_empty(), "{document}");
    }
}

/// What is done to ends that agree, how it is captured, the exit code, and the explanations.
type Case = (&'static str, &'static str, &'static str, i32, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "insert into dbo.jobs (id, source, updated_at) values (11, 'D', sysutcdatetime())",
        "",
        BY_STAMP,
        0,
        &["missing_in_cloud 1 not_yet_read"],
    ),
    (
        "insert into dbo.jobs (id, source, updated_at) values (11, 'D', '2001-01-01')",
        "",
        BY_VERSION,
        0,
        &["missing_in_cloud 1 not_yet_read"],
    ),
    (
        "insert into dbo.jobs (id, source) values (11, 'D')",
        "",
        BY_STAMP,
        0,
        &["missing_in_cloud 1 no_stamp"],
    ),
    ("", "delete from jobs where id = 3", BY_VERSION, 20, &["missing_in_cloud 1 unexplained"]),
    ("", "delete from jobs where id = 3", BY_STAMP, 20, &["missing_in_cloud 1 unexplained"]),
    ("delete from dbo.jobs where id = 3", "", BY_STAMP, 0, &["only_in_cloud 1 deleted_on_desktop"]),
    (
        "update dbo.jobs set source = 'M' where id = 3",
        "",
        BY_VERSION,
        0,
        &["only_in_cloud 1 other_owner_on_desktop"],
    ),
    (
        "update dbo.jobs set source = null where id = 3",
        "",
        BY_VERSION,
        0,
        &["only_in_cloud 1 other_owner_on_desktop", "nobodys_on_desktop 1 no_owner"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn differences_have_the_explanations_that_they_have_with_postgres() {
    for (desktop, cloud, config, code, found) in CASES {
        let pair = pair(config).await;
        pair.at_the_desk(desktop).await;
        pair.unseen(cloud).await;
        let document = pair.document(&["verify"], *code);
        assert_eq!(differences(&document), *found, "{desktop}{cloud}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withheld_row_is_explained_by_the_list() {
    let pair = pair(BY_VERSION).await;
    pair.at_the_desk(&jobs([101], "sysutcdatetime()")).await;
    pair.output(&["forward"], 0);
    let document = pair.document(&["verify"], 0);
    assert_eq!(differences(&document), ["missing_in_cloud 1 withheld key_collision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_among_thousands_is_found_and_named() {
    let pair = pair(BY_VERSION).await;
    for thousand in 1..4 {
        let ids = thousand * 1_000..(thousand + 1) * 1_000;
        pair.at_the_desk(&jobs(ids, "'2026-01-01'")).await;
    }
    pair.output(&["forward"], 0);
    pair.unseen("delete from jobs where id in (1234, 3999)").await;
    let document = pair.document(&["verify", "--rows"], 20);
    assert_eq!(differences(&document), ["missing_in_cloud 2 unexplained"]);
    let mut keys = table(&document)["differences"][0]["keys"].as_array().unwrap().clone();
    keys.sort_by_key(Value::to_string);
    assert_eq!(keys, [json!({ "id": "1234" }), json!({ "id": "3999" })]);
}

/// Keys whose text the two kinds of databases write in their own ways, and as what the cloud has them.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_types_are_hashed_as_the_cloud_prints_them() {
    let cloud = "create table keys (u uuid, n numeric(12,3), at timestamptz, d date, t time, i int, \
        b boolean, source char(1), created_at timestamptz, updated_at timestamptz, \
        primary key (u, n, at, d, t, i, b))";
    let desktop = "create table dbo.keys (u uniqueidentifier not null, n decimal(10,2) not null, \
        at datetime2(3) not null, d date not null, t time(3) not null, i tinyint not null, \
        b bit not null, source char(1) null, created_at datetime2(7) null, \
        updated_at datetime2(7) null, primary key (u, n, at, d, t, i, b));\n\
        insert into dbo.keys (u, n, at, d, t, i, b, source, created_at, updated_at) values \
        ('6F9619FF-8B86-D011-B42D-00C04FC964FF', 1.5, '2026-07-03 04:05:06.1', '2026-01-02', \
        '01:02:03.5', 255, 1, 'D', '2026-01-01', '2026-01-01'), \
        ('00000000-0000-0000-0000-00000000000A', -12, '2026-01-03 00:00:00', '0001-01-01', \
        '00:00:00', 0, 0, 'D', '2026-01-01', '2026-01-01')";
    let config = "[sync]\ncapture = \"timestamp\"\nlag = \"1m\"\n\
        assume_timezone = \"Europe/London\"\n[tables.keys]\n";
    let pair = Pair::open(cloud, desktop, config).await;
    pair.output(&["forward"], 0);
    let document = pair.document(&["verify"], 0);
    assert_eq!(table(&document)["cloud"]["D"], 2, "{document}");
    assert!(differences(&document).is_empty(), "{document}");
    pair.unseen("delete from keys where i = 255").await;
    let document = pair.document(&["verify", "--rows"], 20);
    let key = json!({ "u": "6f9619ff-8b86-d011-b42d-00c04fc964ff", "n": "1.500",
        "at": "2026-07-03 03:05:06.1+00", "d": "2026-01-02", "t": "01:02:03.5", "i": "255",
        "b": "true" });
    assert_eq!(table(&document)["differences"][0]["keys"], json!([key]));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_as_keys_are_hashed_with_postgres_escapes() {
    let cloud = "create table names (a text, bb varchar(20), source char(1), \
        created_at timestamptz, updated_at timestamptz, primary key (bb, a))";
    let desktop = "create table dbo.names (a nvarchar(20) collate Latin1_General_BIN2 not null, \
        bb varchar(20) collate Latin1_General_BIN2 not null, source char(1) null, \
        created_at datetime2(7) null, updated_at datetime2(7) null, rv rowversion, \
        primary key (bb, a));\n\
        insert into dbo.names (a, bb, source, updated_at) values \
        (N'ü\"\\/✓ 🙂', 'a', 'D', '2026-01-01'), (N'''', '', 'D', '2026-01-01'), \
        (N'tab\tline\nbell\u{7}', ' b ', 'D', '2026-01-01'), (N'A', 'a', 'D', '2026-01-01')";
    let config = BY_VERSION.replace("jobs", "names");
    let pair = Pair::open(cloud, desktop, &config).await;
    pair.output(&["forward"], 0);
    let document = pair.document(&["verify"], 0);
    assert_eq!(table(&document)["cloud"]["D"], 4, "{document}");
    assert!(differences(&document).is_empty(), "{document}");
}
