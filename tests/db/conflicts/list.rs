//! Which rows are in the inbox, and how fast it opens.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{OLD, document, entries, office, on};
use crate::support::{JOBS, Office, value};

/// What both sides did to one row is in; other withheld rows are not.
#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_has_what_both_sides_did_to_one_row() {
    let office = office().await;
    on(&office.cloud, "alter table jobs add check (name <> 'bad')").await;
    on(
        &office.desktop,
        "update jobs set name = 'both', updated_at = now() where id = 1; \
         update jobs set name = 'both', updated_at = now() + interval '1 minute' where id = 2; \
         update jobs set name = 'gone', updated_at = now() where id = 3; \
         delete from jobs where id = 4; \
         update jobs set name = 'theirs', updated_at = now() where id = 100; \
         insert into jobs values (50, 'desktop', 'D', now(), now()), \
             (60, 'whose', null, now(), now()), (61, 'bad', 'D', now(), now())",
    )
    .await;
    on(
        &office.cloud,
        "update jobs set name = 'mobile', updated_at = now() where id in (1, 2, 4); \
         delete from jobs where id = 3; \
         insert into jobs values (50, 'mobile', 'M', now(), now())",
    )
    .await;
    office.forward().await;
    let mut kinds: Vec<String> = entries(&office, &[]);
    kinds.sort_by_key(|line| line.split(' ').nth(1).unwrap().parse::<i32>().unwrap());
    let without_id: Vec<&str> = kinds.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    let expected = [
        "1 both_edited open",
        "2 lost_to_desktop decided",
        "3 deleted_by_mobile open",
        "50 key_collision open",
        "100 both_edited open",
    ];
    assert_eq!(without_id, expected);
    assert!(kinds.iter().all(|line| line.starts_with('c')), "{kinds:?}");

    office.reverse().await;
    let desktops: Vec<String> =
        entries(&office, &[]).into_iter().filter(|line| line.starts_with('d')).collect();
    let mut desktops: Vec<&str> =
        desktops.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    desktops.sort_unstable();
    let expected = [
        "1 lost_to_mobile decided",
        "100 lost_to_mobile decided",
        "4 deleted_by_desktop open",
        "50 key_collision open",
    ];
    assert_eq!(desktops, expected);
}

/// The open ones come first, each list from the latest; the sums are of all.
#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_is_long_and_opens_fast() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = "insert into tidegate._sync_withheld (table_name, direction, key, reason, row, \
             first_run_id, last_run_id) \
         select 'jobs', 'forward', jsonb_build_object('id', i::text), 'key_collision', \
             jsonb_build_object('name', repeat('x', 1000)), gen_random_uuid(), gen_random_uuid() \
         from generate_series(1, 10000) i; \
         insert into tidegate._sync_trash (table_name, direction, key, reason, row, run_id) \
         select 'other', 'forward', jsonb_build_object('id', i::text), 'lost_to_desktop', '{}', \
             gen_random_uuid() from generate_series(1, 10000) i";
    on(&office.cloud, fill).await;
    on(&office.desktop, fill).await;
    let start = Instant::now();
    let all = document(&office, &["list"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!((&all["open"], &all["decided"]), (&json!(20_000), &json!(20_000)));
    let found = entries(&office, &["--limit", "3"]);
    assert_eq!(
        found,
        ["dw10000", "dw9999", "dw9998"]
            .map(|id| { format!("{id} {} key_collision open", &id[2..]) })
    );
    assert_eq!(all["entries"].as_array().unwrap().len(), 50);
    let all = document(&office, &["list", "--table", "jobs", "--limit", "30000"]);
    assert_eq!((&all["open"], &all["decided"]), (&json!(20_000), &json!(0)));
    assert_eq!(all["entries"].as_array().unwrap().len(), 20_000);
    let human = office.tidegate(&["conflicts", "list", "--limit", "2"]);
    let human = String::from_utf8(human.stdout).unwrap();
    let last = human.lines().last().unwrap();
    assert_eq!(last, "20000 open, 20000 decided by runs; 2 are shown, --limit shows more");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_our_tables_on_the_desktop_the_cloud_has_it_all() {
    let office = Office::open(JOBS, &["jobs"]).await;
    on(&office.desktop, &format!("insert into jobs values (1, 'desktop', 'D', {OLD})")).await;
    on(&office.cloud, &format!("insert into jobs values (1, 'mobile', 'M', {OLD})")).await;
    office.forward().await;
    let id = value(&office.cloud, "select 'cw' || id from tidegate._sync_withheld").await;
    assert_eq!(entries(&office, &[]), [format!("{id} 1 key_collision open")]);
    let missing = office.tidegate(&["conflicts", "show", "dw1"]);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_inbox_says_so() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let list = office.tidegate(&["conflicts", "list"]);
    assert_eq!(String::from_utf8(list.stdout).unwrap(), "0 open, 0 decided by runs\n");
    for (arguments, code) in [
        (["conflicts", "list", "--table=unknown"], 10),
        (["conflicts", "show", "cw1"], 1),
        (["conflicts", "show", "12"], 2),
    ] {
        let output = office.tidegate(&arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}
