//! Who wrote a row, as far as it is on record, and how all of it looks.

use serde_json::{Value, json};

use super::{explain, office, on};
use crate::support::{Office, value};

#[tokio::test(flavor = "multi_thread")]
async fn the_run_that_wrote_a_version_is_named() {
    let office = office().await;
    let run = |direction: &str| {
        format!("select run_id::text from tidegate._sync_runs where direction = '{direction}'")
    };
    let explained = explain(&office, "jobs", "1", 0);
    let forward = value(&office.cloud, &run("forward")).await;
    assert_eq!(explained["cloud"]["written_by"]["run_id"], json!(forward), "{explained:#}");
    assert_eq!(explained["desktop"]["written_by"], json!(null), "a user did");
    let explained = explain(&office, "jobs", "100", 0);
    let reverse = value(&office.desktop, &run("reverse")).await;
    assert_eq!(explained["desktop"]["written_by"]["run_id"], json!(reverse), "{explained:#}");
    on(&office.cloud, "update jobs set name = 'user', updated_at = now() where id = 1").await;
    let explained = explain(&office, "jobs", "1", 0);
    assert_eq!(explained["cloud"]["written_by"], json!(null), "a user did: {explained:#}");
}

/// Only transactions that wrote rows, and of those the latest 1,000.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_keeps_its_latest_transactions() {
    let office = office().await;
    office.configure("batch_rows = 1");
    let rows = "insert into jobs select i, 'new', 'D', now(), now() from generate_series(6, 8) i";
    on(&office.desktop, rows).await;
    on(&office.desktop, "insert into jobs values (9, 'whose', null, now(), now())").await;
    office.forward().await;
    let last = "from (select * from tidegate._sync_runs order by started_at desc limit 1) r";
    let kept = format!("select cardinality(xids)::text {last}");
    assert_eq!(value(&office.cloud, &kept).await, "3");
    let wrote = format!(
        "select count(*)::text from jobs where xmin in (select x::xid {last}, unnest(r.xids) x)"
    );
    assert_eq!(value(&office.cloud, &wrote).await, "3");
    // As many as a long run has, then one more batch.
    on(&office.desktop, "update jobs set name = 'x', updated_at = now() where id in (6, 7)").await;
    let full = "create function crowded() returns trigger language plpgsql as $$ begin \
         new.xids = (select array_agg(i::text::xid8) from generate_series(1, 1000) i); return new; end $$; \
         create trigger crowded before insert on tidegate._sync_runs \
         for each row when (new.inserted + new.updated = 1) execute function crowded()";
    on(&office.cloud, full).await;
    office.forward().await;
    let ends = format!("select cardinality(xids)::text || ' ' || xids[1]::text {last}");
    let ends = value(&office.cloud, &ends).await;
    assert!(ends.starts_with("1000 "), "{ends}");
    let newest = format!(
        "select (xids[1000]::xid in (select xmin from jobs))::text || ' ' || (xids[1] <> '1'::xid8)::text {last}"
    );
    assert_eq!(value(&office.cloud, &newest).await, "true true");
}

/// Numbers of runs and moments differ from run to run.
fn without_moments(document: &mut Value) {
    match document {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match name.as_str() {
                    "run_id" | "started_at" | "changed_at" | "since" | "last_seen"
                    | "created_at" | "updated_at"
                        if !value.is_null() =>
                    {
                        *value = json!(format!("[{name}]"));
                    }
                    _ => without_moments(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_moments),
        _ => {}
    }
}

async fn contested() -> Office {
    let office = office().await;
    on(
        &office.desktop,
        "update jobs set name = 'desktop', updated_at = now() - interval '1 hour' \
         where id = 1",
    )
    .await;
    on(&office.cloud, "update jobs set name = 'mobile', updated_at = now() where id = 1").await;
    office.configure("lag = \"2h\"");
    office.forward_full().await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_a_contract() {
    let office = contested().await;
    let mut explained = explain(&office, "jobs", "1", 0);
    without_moments(&mut explained);
    let pretty = serde_json::to_string_pretty(&explained).unwrap();
    insta::assert_snapshot!("explain_json", pretty);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_what_differs_and_count_the_rest() {
    let office = contested().await;
    let print = |arguments: &[&str]| {
        let output = office.command(arguments).env("COLUMNS", "120").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = print(&["explain", "jobs", "1"]);
    assert!(printed.contains("* name") && !printed.contains("* source"), "{printed}");
    assert!(printed.contains("3 columns are the same at both ends; --all shows them"), "{printed}");
    assert!(!printed.contains('\u{1b}'), "no terminal, no colours: {printed}");
    let all = print(&["explain", "jobs", "1", "--all"]);
    assert!(all.contains("source") && !all.contains("--all"), "{all}");
    let is_moment = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        word.starts_with("20") || word.contains(':')
    };
    let moments = |line: &str| {
        let words = line.split(' ').filter(|word| !word.is_empty());
        words.map(|word| if is_moment(word) { "[…]" } else { word }).collect::<Vec<_>>().join(" ")
    };
    let lines: Vec<String> = printed.lines().map(moments).collect();
    insta::assert_snapshot!("explain_human", lines.join("\n"));
}
