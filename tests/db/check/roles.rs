//! Roles that see too little or may do too much.

use super::check;
use crate::support::{JOBS, Office};

/// An office whose runs connect as the plain role `app`.
async fn office() -> Office {
    let schema = JOBS.to_owned() + &JOBS.replace("jobs", "hidden");
    let office = Office::open(&schema, &["jobs", "hidden"]).await;
    let grants = "grant usage on schema tidegate to app;
        grant select, insert, update on all tables in schema public, tidegate to app;
        grant delete on tidegate._sync_withheld, tidegate._sync_changes to app";
    let role = "create role app login; grant pg_read_all_stats to app";
    office.cloud.batch_execute(role).await.unwrap();
    for session in [&office.desktop, &office.cloud] {
        session.batch_execute(grants).await.unwrap();
    }
    as_app(&office, "");
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
    office
}

fn as_app(office: &Office, settings: &str) {
    let [desktop, cloud] =
        ["desktop", "cloud"].map(|name| office.cluster.url(name).replace("postgres@", "app@"));
    office.write_config(&desktop, &cloud, settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn m22_rls_blind() {
    let office = office().await;
    let blind = "alter table hidden enable row level security;
        create policy own on hidden to app using (source = 'D')";
    for (end, session) in [("desktop", &office.desktop), ("cloud", &office.cloud)] {
        session.batch_execute(blind).await.unwrap();
        let found = check(&office, &[]);
        let expected = format!("failure row_security {end} hidden");
        assert_eq!((found.code, found.wrong()), (10, vec![expected]));
        assert!(found.said("failure", "row_security").contains("bypassrls"));
        session.batch_execute("alter role app bypassrls").await.unwrap();
        assert_eq!(check(&office, &[]).wrong(), [""; 0], "{end}");
        session
            .batch_execute(
                "alter role app nobypassrls; alter table hidden disable row level security",
            )
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_horizon_no_rights() {
    let office = office().await;
    office.desktop.batch_execute("revoke pg_read_all_stats from app").await.unwrap();
    let found = check(&office, &[]);
    assert_eq!((found.code, found.wrong()), (10, vec!["failure horizon desktop -".to_owned()]));
    assert!(found.said("failure", "horizon").contains("grant pg_read_all_stats"));
    as_app(&office, "lag = \"10m\"");
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_no_run_needs_are_warnings() {
    let office = office().await;
    for (grant, revoke, finding, part) in [
        (
            "grant delete on jobs to app",
            "revoke delete on jobs from app",
            "warning excess_rights cloud -",
            r#"revoke delete, truncate on "public"."jobs" from "app";"#,
        ),
        (
            "grant truncate on jobs, hidden to app",
            "revoke truncate on jobs, hidden from app",
            "warning excess_rights cloud -",
            "may delete or truncate jobs, hidden",
        ),
        (
            "alter table jobs owner to app",
            "alter table jobs owner to postgres; grant select, insert, update on jobs to app",
            "warning owner cloud -",
            "owns jobs",
        ),
        (
            "alter role app superuser",
            "alter role app nosuperuser",
            "warning superuser",
            "a superuser",
        ),
    ] {
        office.cloud.batch_execute(grant).await.unwrap();
        let found = check(&office, &[]);
        assert_eq!(found.code, 0);
        let wrong = found.wrong();
        assert!(
            !wrong.is_empty() && wrong.iter().all(|line| line.starts_with(finding)),
            "{wrong:?}"
        );
        let name = finding.split(' ').nth(1).unwrap();
        assert!(found.said("warning", name).contains(part), "{}", found.document);
        office.cloud.batch_execute(revoke).await.unwrap();
    }
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
}

/// A table whose rights are missing fails alone, with the statement that helps.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_missing_are_said_table_by_table() {
    let office = office().await;
    office.cloud.batch_execute("revoke insert on jobs from app").await.unwrap();
    office.desktop.batch_execute("revoke select on hidden from app").await.unwrap();
    let found = check(&office, &[]);
    let expected = ["failure rights cloud jobs", "failure rights desktop hidden"];
    assert_eq!((found.code, found.wrong()), (12, expected.map(str::to_owned).to_vec()));
    let said = found.said("failure", "rights");
    assert!(
        said.contains(r#"grant select, insert, update on "public"."jobs" to "app";"#),
        "{said}"
    );
}

/// A desktop that is only read is no fault where nothing is to come home.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_only_reads_the_desktop_is_enough_for_forward_runs() {
    let office = office().await;
    let revoke = "revoke insert, update on all tables in schema public, tidegate from app;
        revoke delete on all tables in schema tidegate from app";
    office.desktop.batch_execute(revoke).await.unwrap();
    let found = check(&office, &[]);
    let expected = ["-", "jobs", "hidden"].map(|table| format!("failure rights desktop {table}"));
    assert_eq!((found.code, found.wrong()), (12, expected.to_vec()), "{}", found.document);
    let found = check(&office, &["--forward-only"]);
    assert_eq!((found.code, found.wrong()), (0, vec![]), "{}", found.document);
    assert_eq!(office.tidegate(&["forward"]).status.code(), Some(0));

    office.desktop.batch_execute("drop schema tidegate cascade").await.unwrap();
    let found = check(&office, &[]);
    assert_eq!((found.code, found.wrong()), (0, vec!["warning store desktop -".to_owned()]));
    assert!(found.said("warning", "store").contains("tidegate migrate --end desktop"));
    assert_eq!(check(&office, &["--forward-only"]).wrong(), [""; 0]);
    assert_eq!(office.tidegate(&["forward"]).status.code(), Some(0));
}
