//! The way home: what keeps mobile work from the desktop.

use super::{Fault, check, each_is_found};
use crate::support::{JOBS, Office};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_reverse_refuses_is_a_failure() {
    let fault = |plant, mend, finding, parts, code| Fault {
        plant: [plant, ""],
        mend: [mend, ""],
        finding,
        parts,
        code,
    };
    let faults = [
        fault(
            "alter table jobs drop constraint jobs_pkey",
            "alter table jobs add primary key (id)",
            "failure reverse - jobs",
            &[
                "reverse refuses the table",
                "no unique index over the cloud's key (id)",
                "Make these",
            ],
            10,
        ),
        fault(
            "alter table jobs alter source set default 'M'",
            "alter table jobs alter source drop default",
            "warning owner_default desktop jobs",
            &["as a mobile user's row", "alter column \"source\" set default 'D';"],
            0,
        ),
        fault(
            "delete from tidegate._sync_migrations where version = 4",
            "insert into tidegate._sync_migrations (version) values (4)",
            "failure store desktop -",
            &["are of version 3", "Run `tidegate migrate`"],
            10,
        ),
    ];
    let office = Office::open(JOBS, &["jobs"]).await;
    each_is_found(&office, &faults).await;
}

/// A table of the desktop's own is no fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_without_owners_goes_forward_only() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.desktop.batch_execute("alter table jobs drop source").await.unwrap();
    let found = check(&office, &[]);
    assert_eq!(found.unusual(), [""; 0]);
    assert!(found.said("ok", "forward_only").contains("the desktop has no column source"));
}

/// A cloud that was restored has come less far than it had been read; another one is another.
#[tokio::test(flavor = "multi_thread")]
async fn another_cloud_is_noticed() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.sync().await;
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
    for (change, part) in [
        ("watermark = '99999999999'", "restored from a backup"),
        ("source_identity = 'another/one'", "from another cloud database"),
    ] {
        let change =
            format!("update tidegate._sync_metadata set {change} where direction = 'reverse'");
        office.desktop.batch_execute(&change).await.unwrap();
        let found = check(&office, &[]);
        assert_eq!(
            (found.code, found.unusual()),
            (10, vec!["failure source_identity - jobs".into()])
        );
        let said = found.said("failure", "source_identity");
        assert!(said.contains(part) && said.contains("[cloud] url"), "{said}");
        assert_eq!(check(&office, &["--forward-only"]).unusual(), [""; 0]);
    }
}

/// Where the cloud is read by its stamps, its open transactions have to be seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_read_by_its_stamps_needs_a_horizon() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let role = "create role blind login; grant usage on schema tidegate to blind;
        grant select, insert, update, delete on all tables in schema tidegate to blind;
        grant select, insert, update on jobs to blind";
    office.cloud.batch_execute(role).await.unwrap();
    let [desktop, cloud] = ["desktop", "cloud"].map(|name| office.cluster.url(name));
    let cloud = cloud.replace("postgres@", "blind@");
    office.write_config(&desktop, &cloud, "");
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
    office.write_config(&desktop, &format!("{cloud}\"\ncapture = \"timestamp"), "");
    let found = check(&office, &[]);
    let expected = ["failure horizon cloud -", "warning change_log cloud -"].map(str::to_owned);
    assert_eq!((found.code, found.unusual()), (10, expected.to_vec()), "{}", found.document);
    office.cloud.batch_execute("grant pg_read_all_stats to blind").await.unwrap();
    assert_eq!(check(&office, &[]).unusual(), expected[1..]);
}
