//! Faults of the ends: what can't be reached, servers, clocks, the configuration.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use tidegate::check::{Level, check as check_with};
use tidegate::config::Config;
use tidegate::run::Way;
use tidegate::sql::Sql;

use super::{Fault, check, each_is_found};
use crate::support::{JOBS, Office};

const NOWHERE: &str = "postgres://postgres@127.0.0.1:1/x";

async fn office() -> Office {
    Office::open(JOBS, &["jobs"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_away_is_a_finding_and_the_other_is_still_checked() {
    let office = office().await;
    let (desktop, cloud) = (office.cluster.url("desktop"), office.cluster.url("cloud"));
    let missing = desktop.replace("/desktop", "/missing");
    for (urls, code, finding, other) in [
        ([NOWHERE, &cloud], 11, "failure connection desktop -", "cloud"),
        ([&desktop, NOWHERE], 13, "failure connection cloud -", "desktop"),
        ([&missing, &cloud], 10, "failure connection desktop -", "cloud"),
    ] {
        office.write_config(urls[0], urls[1], "");
        let found = check(&office, &[]);
        assert_eq!((found.code, found.unusual()), (code, vec![finding.to_owned()]));
        let seen =
            |check: &str| found.findings().iter().any(|f| f["end"] == other && f["check"] == check);
        assert!(seen("version") && seen("rights"), "{}", found.document);
    }
    office.write_config(NOWHERE, NOWHERE, "");
    assert_eq!(check(&office, &[]).code, 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_servers_are_judged() {
    let office =
        Office::with_settings(JOBS, &["jobs"], &[("max_prepared_transactions", "5")]).await;
    let faults = [
        Fault {
            plant: ["", "alter database cloud set track_counts = off"],
            mend: ["", "alter database cloud reset track_counts"],
            finding: "failure track_counts cloud -",
            parts: &["Set track_counts = on"],
            code: 10,
        },
        Fault {
            plant: ["alter database desktop set track_activities = off", ""],
            mend: ["alter database desktop reset track_activities", ""],
            finding: "failure horizon desktop -",
            parts: &["Set track_activities = on"],
            code: 10,
        },
    ];
    each_is_found(&office, &faults).await;
    let prepared =
        "begin; insert into jobs values (1, 'x', 'D', now(), now()); prepare transaction 'x'";
    office.desktop.batch_execute(prepared).await.unwrap();
    let found = check(&office, &[]);
    assert_eq!(found.unusual(), ["warning prepared desktop -"]);
    assert!(found.said("warning", "prepared").contains("1 prepared"), "{}", found.document);
    office.desktop.batch_execute("rollback prepared 'x'").await.unwrap();
}

/// What no cluster can be made to have.
#[tokio::test(flavor = "multi_thread")]
async fn servers_and_clocks_as_the_facts_tell_them() {
    let office = office().await;
    let config = Config::load(Some(&office.config_path())).unwrap();
    let file = "postgres/check_server.sql";
    let ahead = "extract(epoch from clock_timestamp() + case current_database() when 'cloud' \
                 then interval '1 minute' else interval '0' end)";
    for (from, to, level, check, part) in [
        ("v.major,", "12,", Level::Failure, "version", "too old"),
        (
            "'maintained', clock",
            "'maintained', false and clock",
            Level::Warning,
            "version",
            "no longer",
        ),
        ("pg_is_in_recovery()", "true", Level::Failure, "horizon", "standby"),
        ("getdatabaseencoding()", "'SQL_ASCII'", Level::Warning, "encoding", "SQL_ASCII"),
        (
            "extract(epoch from clock_timestamp())",
            ahead,
            Level::Warning,
            "clock",
            "the cloud's clock is",
        ),
    ] {
        let report = check_with(&config, Way::Both, &[], &Sql::default().planted(file, from, to))
            .await
            .unwrap();
        let is = |f: &&tidegate::check::Finding| f.check == check && f.level == level;
        let finding = report.findings.iter().find(is);
        let said = finding.map(|f| f.message.clone()).unwrap_or_default();
        assert!(said.contains(part), "{to}: {report:?}");
        assert_eq!(report.exit_code(), if level == Level::Failure { 10 } else { 0 }, "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_must_not_be_the_same_database() {
    let office = office().await;
    let cloud = office.cluster.url("cloud");
    office.write_config(&cloud, &cloud, "");
    let found = check(&office, &[]);
    assert_eq!((found.code, found.unusual()), (10, vec!["failure same_database - -".to_owned()]));
    // The same name on another server is another database.
    let other = Office::open(JOBS, &["jobs"]).await;
    office.write_config(&other.cluster.url("cloud"), &cloud, "");
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_migrate_the_remedy_is_migrate() {
    let office = office().await;
    office.cloud.batch_execute("drop schema tidegate cascade").await.unwrap();
    let found = check(&office, &[]);
    assert_eq!((found.code, found.unusual()), (10, vec!["failure store cloud -".to_owned()]));
    let said = found.said("failure", "store");
    assert!(said.contains("do not exist") && said.contains("tidegate migrate"), "{said}");
    office.tidegate(&["migrate"]);
    let newer = "insert into tidegate._sync_migrations values (99)";
    office.cloud.batch_execute(newer).await.unwrap();
    let said = check(&office, &[]).said("failure", "store");
    assert!(said.contains("Install the newer tidegate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_source_restored_is_seen() {
    let office = office().await;
    let insert = "insert into jobs values (1, 'x', 'D', now(), now())";
    office.desktop.batch_execute(insert).await.unwrap();
    office.forward().await;
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
    let other = "update tidegate._sync_metadata set source_identity = '1/desktop'";
    office.cloud.batch_execute(other).await.unwrap();
    let found = check(&office, &[]);
    assert_eq!(
        (found.code, found.unusual()),
        (10, vec!["failure source_identity - jobs".to_owned()])
    );
    let said = found.said("failure", "source_identity");
    assert!(said.contains("tidegate watermark accept"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_judged_too() {
    let mut office = office().await;
    let mode = |mode| {
        std::fs::set_permissions(office.config_path(), Permissions::from_mode(mode)).unwrap();
    };
    let urls = ["desktop", "cloud"].map(|name| office.cluster.url(name));
    mode(0o644);
    assert_eq!(check(&office, &[]).unusual(), [""; 0], "no password in it");
    office.write_config(&urls[0].replace("@", ":canary@"), &urls[1], "");
    mode(0o640);
    let found = check(&office, &[]);
    assert_eq!((found.code, found.unusual()), (0, vec!["warning config_file - -".to_owned()]));
    assert!(found.said("warning", "config_file").contains("chmod 600"), "{}", found.document);
    assert!(!found.document.to_string().contains("canary"), "{}", found.document);
    mode(0o600);
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);

    office.configure_tables("[tables.jobs]\nenabled = false\n");
    assert_eq!(check(&office, &[]).unusual(), ["warning tables - -"]);
    let named = check(&office, &["--table", "jobs"]);
    assert_eq!(named.unusual(), [""; 0]);
    assert!(named.findings().iter().any(|f| f["table"] == "jobs"), "{}", named.document);
    let unknown = office.tidegate(&["check", "--table", "unknown"]);
    assert_eq!(unknown.status.code(), Some(10));
}
