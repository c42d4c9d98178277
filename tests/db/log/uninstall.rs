//! `tidegate uninstall` leaves nothing behind, and takes nothing of others.

use crate::support::{JOBS, Office, column, value};

/// Whatever is in the database that did not come with the server.
const EVERYTHING: &str = "
    select 'relation ' || oid::regclass || ' ' || relkind::text || ' ' || coalesce(relacl::text, '') from pg_class where oid >= 16384 and relnamespace <> 'pg_toast'::regnamespace
    union all select 'function ' || oid::regprocedure from pg_proc where oid >= 16384
    union all select 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal
    union all select 'schema ' || nspname from pg_namespace where oid >= 16384
    union all select 'type ' || oid::regtype from pg_type where oid >= 16384 and typnamespace <> 'pg_toast'::regnamespace
    order by 1";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let schema = format!(
        "{JOBS} create table parted (id integer primary key, source text, updated_at timestamptz) partition by range (id);
         create table part partition of parted for values from (0) to (10);"
    );
    let office = Office::open(&schema, &["jobs", "parted"]).await;
    let bare = office.cluster.url("bare");
    office.cluster.create_database("bare", None).unwrap();
    let bare = crate::support::connect(&bare).await;
    bare.batch_execute(&schema).await.unwrap();
    let before = column(&bare, EVERYTHING, &[]).await;
    let installed = column(&office.cloud, EVERYTHING, &[]).await;

    let looked = office.tidegate(&["uninstall"]);
    assert!(looked.status.success(), "{looked:?}");
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(said.contains("drop schema \"tidegate\"") && said.contains("--yes"), "{said}");
    assert_eq!(column(&office.cloud, EVERYTHING, &[]).await, installed, "it only looked");

    for _ in 0..2 {
        let removed = office.tidegate(&["uninstall", "--yes"]);
        assert!(removed.status.success(), "{removed:?}");
        assert_eq!(column(&office.cloud, EVERYTHING, &[]).await, before);
        assert_eq!(column(&office.desktop, EVERYTHING, &[]).await, before);
    }
}

/// What was printed does the same by hand.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_somebody_elses_stays() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let others = "create table tidegate.notes (id integer); insert into tidegate.notes values (1); \
                  create table tidegate._sync_mine (id integer)";
    office.cloud.batch_execute(others).await.unwrap();
    let printed = office.tidegate(&["uninstall", "--end", "cloud"]);
    let removed = office.tidegate(&["uninstall", "--end", "cloud", "--yes"]);
    assert!(removed.status.success(), "{removed:?}");
    assert!(!String::from_utf8_lossy(&printed.stdout).contains("drop schema"), "{printed:?}");
    let left = "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'tidegate'::regnamespace";
    assert_eq!(value(&office.cloud, left).await, "_sync_mine notes");
    let there = "select (to_regclass('tidegate._sync_metadata') is not null)::text";
    assert_eq!(value(&office.desktop, there).await, "true", "the other end is not touched");
    // A schema of somebody else's tables alone is none of ours.
    assert!(office.tidegate(&["uninstall", "--end", "cloud", "--yes"]).status.success());
    assert_eq!(value(&office.cloud, left).await, "_sync_mine notes");
}
