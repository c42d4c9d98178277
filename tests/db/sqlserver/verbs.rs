//! What people ask, with a SQL Server as the desktop: `explain`, `status`, `conflicts`, `watermark` and
//! `plan`.

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name text, source char(1), \
    created_at timestamptz, updated_at timestamptz)";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    source char(1) null, created_at datetime2(7) null, updated_at datetime2(7) null, \
    rv rowversion);\n\
    insert into dbo.jobs (id, name, source, created_at, updated_at) \
    values (1, N'ü', 'D', '2026-01-01', '2026-01-01')";
const BY_VERSION: &str = "[sync]\ncapture = \"rowversion\"\nassume_timezone = \"UTC\"\n\
    [tables.jobs]\nexclude = [\"rv\"]\n";
const BY_STAMP: &str = "[sync]\ncapture = \"timestamp\"\nlag = \"1m\"\nassume_timezone = \"UTC\"\n\
    [tables.jobs]\nexclude = [\"rv\"]\n";

async fn pair() -> Pair {
    Pair::open(CLOUD, DESKTOP, BY_VERSION).await
}

fn contains(words: &str, wanted: &str) {
    assert!(words.contains(wanted), "{words}\nlacks {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_desktop_has_tidegates_tables_every_verb_says_so_or_works() {
    let pair = pair().await;
    let migrate = "Run `tidegate migrate`";
    for (arguments, code, wanted) in [
        (&["plan"][..], 21, "1 row would be written"),
        (&["plan", "--rows"], 21, "jobs id=1: insert"),
        (&["plan", "--sql"], 0, "sqlserver/read_all.sql"),
        (&["plan", "--direction", "reverse"], 10, migrate),
        (&["explain", "jobs", "1"], 0, "the next forward run: inserts it"),
        (&["explain", "jobs", "2"], 1, "there is no such row at either end"),
        (&["explain", "jobs", "x"], 2, "KEY is no key of jobs"),
        (&["status"], 0, "reverse: not set up"),
        (&["conflicts", "list"], 0, "0 open"),
        (&["conflicts", "show", "dw1"], 1, "there is no dw1"),
        (&["watermark", "show"], 0, "reverse is left out"),
        (&["watermark", "show", "--direction", "reverse"], 10, migrate),
        (&["watermark", "set", "jobs", "--to", "beginning", "--direction", "reverse"], 10, migrate),
        (&["watermark", "accept"], 0, "nothing to accept"),
        (&["reverse"], 10, migrate),
        (&["uninstall", "--end", "desktop"], 0, "nothing of tidegate's is here"),
    ] {
        contains(&pair.words(arguments, code), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_desktops_row_as_the_cloud_would_print_it() {
    let pair = pair().await;
    pair.output(&["forward"], 0);
    let explained = pair.document(&["explain", "jobs", "1"], 0);
    assert_eq!(explained["desktop"]["values"], explained["cloud"]["values"]);
    assert_eq!(explained["desktop"]["values"]["updated_at"], "2026-01-01 00:00:00+00");
    assert_eq!(explained["forward"]["answer"], "unread");
    contains(explained["forward"]["why"].as_str().unwrap(), "its version on the desktop");
    pair.at_the_desk("update dbo.jobs set name = N'new' where id = 1").await;
    let explained = pair.document(&["explain", "jobs", "1"], 0);
    assert_eq!(explained["differs"], serde_json::json!(["name"]));
    assert_eq!(explained["forward"]["answer"], "read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_sides_edited_is_listed_and_shown_from_the_desktop() {
    let pair = pair().await;
    pair.output(&["migrate"], 0);
    pair.output(&["forward"], 0);
    pair.output(&["reverse"], 0);
    pair.on_the_phone("update jobs set name = 'mobile', updated_at = '2026-02-01' where id = 1")
        .await;
    let edit = "update dbo.jobs set name = N'desk', updated_at = '2026-03-01' where id = 1";
    pair.at_the_desk(edit).await;
    pair.output(&["reverse"], 0);
    let inbox = pair.document(&["conflicts", "list"], 0);
    assert_eq!(inbox["open"], 1, "{inbox}");
    let id = inbox["entries"][0]["id"].as_str().unwrap();
    let shown = pair.document(&["conflicts", "show", id], 0);
    assert_eq!(shown["desktop"]["name"], "desk", "{shown}");
    assert_eq!(shown["mobile"]["name"], "mobile", "{shown}");
    let explained = pair.document(&["explain", "jobs", "1"], 0);
    assert_eq!(explained["desktop"]["withheld"][0]["id"], *id, "{explained}");
    let status = pair.document(&["status"], 0);
    assert_eq!(status["reverse"]["state"], "ok");
    assert_eq!(status["reverse"]["tables"][0]["withheld_by"]["stale"], 1, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_among_versions_is_no_moment_but_may_be_the_beginning() {
    let pair = pair().await;
    pair.output(&["forward"], 0);
    let shown = pair.document(&["watermark", "show", "--direction", "forward"], 0);
    let watermark = shown["tables"][0]["watermark"].as_str().unwrap();
    assert!(watermark.starts_with("0x"), "{shown}");
    let set = ["watermark", "set", "jobs", "--to"];
    let moment = [&set[..], &["2026-01-01 00:00:00+00"]].concat();
    contains(&pair.words(&moment, 2), "is the version of a row");
    pair.output(&[&set[..], &["beginning"]].concat(), 0);
    let read = pair.document(&["forward"], 0);
    assert_eq!(read["tables"][0]["read"], 1, "{read}");
    // Of another kind than the position that is there: a later one than the beginning.
    pair.configure(BY_STAMP);
    contains(&pair.words(&moment, 2), "add --skip");
    pair.output(&[&moment[..], &["--skip"]].concat(), 0);
    pair.output(&[&set[..], &["2025-01-01 00:00:00+00"]].concat(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_reverse_is_set_on_the_desktop() {
    let pair = pair().await;
    pair.output(&["migrate"], 0);
    pair.output(&["sync"], 0);
    pair.output(&["reverse"], 0);
    assert_eq!(pair.document(&["reverse"], 0)["tables"][0]["read"], 0);
    let reverse = ["--direction", "reverse"];
    let set = [&["watermark", "set", "jobs", "--to", "beginning"][..], &reverse].concat();
    pair.output(&set, 0);
    let shown = pair.document(&[&["watermark", "show"][..], &reverse].concat(), 0);
    assert!(shown["tables"][0]["watermark"].is_null(), "{shown}");
    assert_ne!(pair.document(&["reverse"], 0)["tables"][0]["read"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_desktop_is_accepted_by_its_identity() {
    let pair = pair().await;
    pair.output(&["forward"], 0);
    let other = "update tidegate._sync_metadata set source_identity = 'another/one'";
    pair.on_the_phone(other).await;
    contains(&pair.words(&["forward"], 10), "from another desktop database");
    contains(&pair.words(&["verify"], 10), "from another desktop database");
    let accepted = pair.document(&["watermark", "accept", "--direction", "forward"], 0);
    assert_eq!(accepted["tables"][0]["identity_from"], "another/one", "{accepted}");
    pair.output(&["forward"], 0);
}
