//! Rehearsals that meet what a run meets.

use serde_json::Value;

use super::{NO_LAG, execute};
use crate::support::Office;

const TABLES: &str = "
    create table a (id integer primary key, name text, rank integer, source text, created_at timestamptz default now() - interval '1 day', updated_at timestamptz);
    create table b (like a including all);
    create table c (like a including all);";

async fn office(cloud: &str) -> Office {
    let office = Office::open(TABLES, &["a", "b", "c"]).await;
    execute(&office.cloud, cloud).await;
    office.configure(NO_LAG);
    for table in ["a", "b", "c"] {
        let fill =
            format!("insert into {table} select i, 'n' || i, i, 'D' from generate_series(1, 9) i");
        execute(&office.desktop, &fill).await;
    }
    office
}

fn plan(office: &Office) -> Value {
    let output = office.tidegate(&["plan", "--rows", "--output", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn said(plan: &Value) -> Vec<String> {
    plan["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| format!("{} {} {}", t["table"], t["inserted"], t["withheld"]))
        .collect()
}

/// Not as what a batch that was given up took it for.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_shown_as_what_it_is() {
    let office = office("alter table b add check (id <> 5), alter name type varchar(2)").await;
    execute(&office.desktop, "update b set name = 'long' where id = 7").await;
    let plan = plan(&office);
    assert_eq!(said(&plan), ["\"a\" 9 0", "\"b\" 7 2", "\"c\" 9 0"], "{plan}");
    let rows: Vec<String> = plan["tables"][1]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {}", r["key"]["id"], r["reason"]))
        .filter(|r| !r.ends_with("null"))
        .collect();
    assert_eq!(rows, ["\"5\" \"bad_value\"", "\"7\" \"bad_value\""], "{plan}");
}

/// All tables share one transaction: what a lock or the check ends is the table's own part.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_fails_leaves_the_others_their_numbers() {
    let office = office("").await;
    let admin = office.cloud_session().await;
    execute(&admin, "begin; lock table b in share mode").await;
    let locked = plan(&office);
    assert_eq!(said(&locked), ["\"a\" 9 0", "\"b\" 0 0", "\"c\" 9 0"], "{locked}");
    execute(
        &admin,
        "rollback; create function strike() returns trigger language plpgsql \
        as $$ begin delete from a; return null; end $$; \
        create trigger strike after insert on b execute function strike()",
    )
    .await;
    let struck = plan(&office);
    assert_eq!(said(&struck), ["\"a\" 9 0", "\"b\" 0 0", "\"c\" 9 0"], "{struck}");
    execute(&admin, "drop trigger strike on b").await;
    office.forward().await;
    execute(&admin, "alter table b add unique (rank)").await;
    execute(&office.desktop, "update b set rank = 10 - rank, updated_at = now()").await;
    let swapped = plan(&office);
    assert_eq!(swapped["tables"][1]["updated"], 9, "{swapped}");
}
