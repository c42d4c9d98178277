//! `tidegate migrate` installs the log's triggers, and leaves them alone where they are right.

use serde_json::json;

use super::{entries, migrate, taken};
use crate::support::{JOBS, Office, column, until, value};

/// Everything by which one can tell that something was made anew.
const MARKS: &str = "select concat_ws(' ', oid, xmin, tgname, tgenabled, encode(tgargs, 'hex')) from pg_trigger \
    where not tgisinternal union all select l::text from tidegate._sync_logged l order by 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_migrate_changes_nothing() {
    let schema = format!(
        "{JOBS} create table \"Odd.\"\"name\" (\"Key's\" char(3) primary key, source text, \
                          updated_at timestamptz); create view seen as table jobs; \
                          create table keyless (source text); create table ownerless (id integer primary key);"
    );
    let mut office = Office::open(&schema, &["jobs"]).await;
    office.configure_tables(
        "[tables.jobs]\n[tables.\"public.Odd.\\\"name\"]\n[tables.seen]\n[tables.keyless]\n[tables.ownerless]\n\
         [tables.missing]\n",
    );
    let (code, document) = migrate(&office, &[]);
    assert_eq!(code, 0, "{document}");
    assert_eq!(document["triggers"]["present"], json!(["jobs"]), "{document}");
    assert_eq!(document["triggers"]["installed"], json!(["public.Odd.\"name"]), "{document}");
    let reason = |table: &str| {
        let skipped = document["triggers"]["skipped"].as_array().unwrap();
        let of = skipped.iter().find(|s| s["table"] == table).unwrap();
        of["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason("seen").contains("not a table"));
    assert!(reason("keyless").contains("no primary key"));
    assert!(reason("ownerless").contains("no ownership column"));

    let before = column(&office.cloud, MARKS, &[]).await;
    let (code, document) = migrate(&office, &[]);
    assert_eq!((code, &document["from"], &document["to"]), (0, &json!(4), &json!(4)), "{document}");
    assert_eq!(document["desktop"], json!({ "schema": "tidegate", "from": 4, "to": 4 }));
    assert_eq!(document["triggers"]["installed"], json!([]));
    assert_eq!(column(&office.cloud, MARKS, &[]).await, before);
    let odd = "insert into \"Odd.\"\"name\" values ('a', 'M')";
    office.cloud.batch_execute(odd).await.unwrap();
    assert_eq!(entries(&office.cloud).await, [r#"public.Odd."name insert {"Key's": "a"} → M"#]);
}

/// Whatever was not logged meanwhile is a gap, and said to be one.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_that_are_not_right_are_made_so_and_the_gap_is_noted() {
    let schema = "create table jobs (id integer primary key, other integer not null default 0, source char(1), \
                  updated_at timestamptz);";
    let office = Office::open(schema, &["jobs"]).await;
    let begins = "select pruned_below::text || installed_at from tidegate._sync_logged";
    for (fault, noted) in [
        ("drop trigger _sync_log_change on jobs", r#"{"id": "1"}"#),
        ("alter table jobs disable trigger _sync_log_change", r#"{"id": "1"}"#),
        ("alter table jobs enable trigger _sync_log_change", r#"{"id": "1"}"#),
        (
            "alter table jobs drop constraint jobs_pkey, add primary key (id, other)",
            r#"{"id": "1", "other": "0"}"#,
        ),
        ("alter table jobs rename other to another", r#"{"id": "1", "another": "0"}"#),
        ("delete from tidegate._sync_logged", r#"{"id": "1", "another": "0"}"#),
    ] {
        let before = value(&office.cloud, begins).await;
        office.cloud.batch_execute(fault).await.unwrap();
        let (code, document) = migrate(&office, &[]);
        assert_eq!(
            (code, &document["triggers"]["installed"]),
            (0, &json!(["jobs"])),
            "{fault}: {document}"
        );
        assert_ne!(value(&office.cloud, begins).await, before, "{fault}");
        let work = "set session_replication_role = replica; insert into jobs values (1, 0, 'M'); \
                    delete from jobs; reset session_replication_role";
        office.cloud.batch_execute(work).await.unwrap();
        let expected = [format!("jobs insert {noted} → M"), format!("jobs delete {noted}")];
        let mut found = taken(&office.cloud).await;
        found.iter_mut().for_each(|entry| {
            *entry = entry.replace(r#""another": "0", "id": "1""#, r#""id": "1", "another": "0""#)
        });
        assert_eq!(found, expected, "{fault}");
        assert_eq!(migrate(&office, &[]).1["triggers"]["present"], json!(["jobs"]), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_triggers_leaves_them_as_they_are() {
    let office =
        Office::open(&format!("{JOBS}{}", JOBS.replace("jobs", "tasks")), &["jobs", "tasks"]).await;
    office.cloud.batch_execute("drop trigger _sync_log_change on tasks").await.unwrap();
    let before = column(&office.cloud, MARKS, &[]).await;
    let (code, document) = migrate(&office, &["--without-triggers"]);
    assert_eq!((code, &document["triggers"]), (0, &json!(null)));
    assert_eq!(column(&office.cloud, MARKS, &[]).await, before);
}

/// Whoever writes waits for a migration that waits: it must not wait long.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_busy_is_left_out_and_the_others_are_done() {
    let office =
        Office::open(&format!("{JOBS}{}", JOBS.replace("jobs", "tasks")), &["jobs", "tasks"]).await;
    let gone = "drop trigger _sync_log_change on jobs; drop trigger _sync_log_change on tasks";
    office.cloud.batch_execute(gone).await.unwrap();
    let busy = office.cloud_session().await;
    busy.batch_execute("begin; insert into jobs values (1, 'a', 'M')").await.unwrap();
    let (code, document) = migrate(&office, &[]);
    assert_eq!((code, &document["triggers"]["installed"]), (3, &json!(["tasks"])), "{document}");
    let said = document["triggers"]["skipped"][0].to_string();
    assert!(said.contains("jobs") && said.contains("when it is quieter"), "{said}");
    busy.batch_execute("commit").await.unwrap();
    assert_eq!(migrate(&office, &[]).1["triggers"]["installed"], json!(["jobs"]));
}

/// A writer that was there before the trigger has an older transaction than the log's beginning.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_begins_after_the_last_writer_without_it() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.cloud.batch_execute("drop trigger _sync_log_change on jobs").await.unwrap();
    let writer = office.cloud_session().await;
    writer.batch_execute("begin; insert into jobs values (1, 'a', 'M')").await.unwrap();
    let mut migration = office.command(&["migrate"]).spawn().unwrap();
    until(&office.cloud, "exists (select from pg_locks where not granted)").await;
    // Another one takes its number meanwhile.
    office.cloud.batch_execute("begin; select pg_current_xact_id()").await.unwrap();
    let last = value(&writer, "select pg_current_xact_id()::text").await;
    writer.batch_execute("commit").await.unwrap();
    assert!(migration.wait().unwrap().success());
    office.cloud.batch_execute("rollback").await.unwrap();
    let begins = value(&office.cloud, "select pruned_below::text from tidegate._sync_logged").await;
    assert!(begins.parse::<u64>().unwrap() > last.parse::<u64>().unwrap() + 1, "{begins} {last}");
}

/// Each role does what it may; what it may not is said.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_do_is_a_warning_and_with_end_an_error() {
    let office =
        Office::open(&format!("{JOBS}{}", JOBS.replace("jobs", "tasks")), &["jobs", "tasks"]).await;
    for session in [&office.cloud, &office.desktop] {
        session.batch_execute("drop schema tidegate cascade").await.unwrap();
    }
    let role = "create role app login; grant create on database cloud to app; alter table tasks owner to app";
    office.cloud.batch_execute(role).await.unwrap();
    let [desktop, cloud] =
        ["desktop", "cloud"].map(|name| office.cluster.url(name).replace("postgres@", "app@"));
    office.write_config(&desktop, &cloud, "");
    let (code, document) = migrate(&office, &[]);
    assert_eq!(
        (code, &document["to"], &document["desktop"]),
        (0, &json!(4), &json!(null)),
        "{document}"
    );
    assert_eq!(document["triggers"]["installed"], json!(["tasks"]), "{document}");
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("jobs") && warnings.contains("owns the table"), "{warnings}");
    assert!(warnings.contains("DESKTOP_URL") && warnings.contains("reverse"), "{warnings}");
    assert_eq!(migrate(&office, &["--end", "cloud"]).0, 12);
    assert_eq!(office.tidegate(&["migrate", "--end", "desktop"]).status.code(), Some(12));
    // The one that could be done is; a role that may only look is enough to see it.
    office
        .cloud
        .batch_execute(
            "create role reader login; grant usage on schema tidegate to reader; \
        grant select on tidegate._sync_migrations, tidegate._sync_logged to reader",
        )
        .await
        .unwrap();
    let owner = migrate(&office, &["--without-triggers"]);
    assert_eq!(owner.0, 0);
    let reader = cloud.replace("app@", "reader@");
    office.write_config(&office.cluster.url("desktop"), &reader, "");
    let (code, document) = migrate(&office, &[]);
    assert_eq!((code, &document["triggers"]["present"]), (0, &json!(["tasks"])), "{document}");
    assert_eq!(document["desktop"]["from"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_end_alone_is_migrated_without_the_other() {
    let office = Office::open(JOBS, &["jobs"]).await;
    for session in [&office.cloud, &office.desktop] {
        session.batch_execute("drop schema tidegate cascade").await.unwrap();
    }
    let nowhere = "postgres://x@127.0.0.1:1/x";
    office.write_config(nowhere, &office.cluster.url("cloud"), "");
    let refused = office.tidegate(&["migrate"]);
    assert_eq!(refused.status.code(), Some(11), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--end"), "{refused:?}");
    assert_eq!(
        value(&office.cloud, "select count(*)::text from pg_namespace where nspname = 'tidegate'")
            .await,
        "0"
    );
    let (code, document) = migrate(&office, &["--end", "cloud"]);
    assert_eq!((code, &document["end"], &document["desktop"]), (0, &json!("cloud"), &json!(null)));
    office.write_config(&office.cluster.url("desktop"), nowhere, "");
    let (code, document) = migrate(&office, &["--end", "desktop"]);
    let expected = json!({ "schema_version": 1, "end": "desktop", "schema": "tidegate", "from": 0, "to": 4,
        "triggers": null, "desktop": null, "warnings": [] });
    assert_eq!((code, document), (0, expected));
    assert_eq!(
        value(&office.desktop, "select count(*)::text from pg_trigger where not tgisinternal")
            .await,
        "0"
    );
    let sql = office.tidegate(&["migrate", "--sql"]);
    let sql = String::from_utf8_lossy(&sql.stdout).into_owned();
    assert!(sql.contains("-- The triggers of the change log are not here: can't reach"), "{sql}");
}
