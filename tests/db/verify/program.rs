//! `verify` as operators and scripts meet it: rights, exit codes, documents.

use serde_json::{Value, json};

use super::{at_the_desk, jobs, office, on_the_phone, output, table, unseen};
use crate::support::{JOBS, Office, value};

#[tokio::test(flavor = "multi_thread")]
async fn m22_rows_that_are_hidden_are_a_refusal_and_not_a_difference() {
    let schema = JOBS.to_owned() + &JOBS.replace("jobs", "hidden");
    let office = Office::open(&schema, &["hidden", "jobs"]).await;
    let app = least_rights(&office, &["jobs", "hidden"]).await;
    at_the_desk(&office, &jobs("1, 10")).await;
    assert_eq!(office.forward().await.exit_code(true), 0);
    output(&office, &["--strict"], 0);
    let blind = "alter table hidden enable row level security;
        create policy own on hidden to app using (source = 'D')";
    for (end, session) in [("desktop", &office.desktop), ("cloud", &office.cloud)] {
        session.batch_execute(blind).await.unwrap();
        let alone = table(&office, &["--table", "hidden"], 10);
        let message = alone["error"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("row-level security hides rows of the {end}'s")));
        assert_eq!((&alone["outcome"], &alone["cloud"]), (&json!("failure"), &Value::Null));
        // The other table is verified all the same.
        output(&office, &[], 3);
        session.batch_execute(&format!("alter role {app} bypassrls")).await.unwrap();
        output(&office, &[], 0);
        session.batch_execute(&format!("alter role {app} nobypassrls")).await.unwrap();
        session.batch_execute("alter table hidden disable row level security").await.unwrap();
    }
}

/// From now on tidegate has the rights that the README lists, and no others.
async fn least_rights(office: &Office, tables: &[&str]) -> &'static str {
    let tables = tables.join(", ");
    let desktop = format!(
        "create role app login; grant pg_read_all_stats to app; grant select on {tables} to app"
    );
    let cloud = format!(
        "grant usage on schema tidegate to app; grant select, insert, update on {tables} to app;
        grant select, insert, update on all tables in schema tidegate to app;
        grant delete on tidegate._sync_withheld to app"
    );
    at_the_desk(office, &desktop).await;
    on_the_phone(office, &cloud).await;
    let url = |end: &str| office.cluster.url(end).replace("postgres@", "app@");
    office.write_config(&url("desktop"), &url("cloud"), "");
    "app"
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_verified_has_its_code_and_its_remedy() {
    let office = office().await;
    let says = |arguments: &[&str], code: i32, words: &str| {
        let output = output(&office, arguments, code);
        let said = format!("{output:?}");
        assert!(said.contains(words), "no {words} in {said}");
    };
    let (desktop, cloud) = (office.cluster.url("desktop"), office.cluster.url("cloud"));
    let nowhere = "postgres://postgres@127.0.0.1:1/x";
    office.write_config(nowhere, &cloud, "");
    says(&[], 11, "can't reach the desktop database");
    office.write_config(&desktop, nowhere, "");
    says(&[], 13, "can't reach the cloud database");
    office.configure("");
    says(&["--table", "unknown"], 10, "the configuration has no table unknown");
    says(&["--timeout", "0s"], 2, "write it as 30s or 10m");

    // Another desktop under the same address, or a restored one.
    let identity = "update tidegate._sync_metadata set source_identity = ";
    on_the_phone(&office, &format!("{identity} 'other'")).await;
    says(&[], 10, "was read from another desktop database");
    on_the_phone(&office, &format!("{identity} null")).await;

    let sessions = [office.desktop_session().await, office.cloud_session().await];
    for (end, session) in ["desktop", "cloud"].into_iter().zip(sessions) {
        session.batch_execute("begin; lock table jobs in access exclusive mode").await.unwrap();
        says(&["--timeout", "200ms"], 1, &format!("the {end} answered 57014"));
        says(&["--timeout", "200ms"], 1, "with a longer --timeout");
        session.batch_execute("rollback").await.unwrap();
    }
    says(&[], 0, "ok: no difference");
    on_the_phone(&office, "drop schema tidegate cascade").await;
    says(&[], 10, "Run `tidegate migrate`");
    says(&[], 10, "do not exist");
}

/// Verification reads, but for the record of its counts.
#[tokio::test(flavor = "multi_thread")]
async fn verify_writes_nothing_but_its_counts() {
    let office = office().await;
    unseen(&office, "delete from jobs where id = 2").await;
    let written = "select string_agg(relname || n_tup_ins || n_tup_upd || n_tup_del, ' ' \
        order by relname) from pg_stat_user_tables where relname <> '_sync_row_counts'";
    let settled = async || {
        for session in [&office.desktop, &office.cloud] {
            let flush = "select pg_stat_force_next_flush()::text, pg_stat_clear_snapshot()::text";
            session.batch_execute(flush).await.unwrap();
        }
        office.until_no_session("statistics are flushed").await;
        [value(&office.desktop, written).await, value(&office.cloud, written).await]
    };
    let before = settled().await;
    output(&office, &[], 20);
    assert_eq!(settled().await, before);
}
