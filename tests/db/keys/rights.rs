//! Sequences of which the role may not do everything.

use crate::check::check;
use crate::support::Office;

use super::{IDENTITY, job_on_the_phone, jobs_on_the_desktop, next, office};

/// Runs are those of a role with the rights that `grants` prints.
async fn as_writer(office: &Office) {
    let role = "create role writer login; revoke all on schema public from public";
    office.cloud.batch_execute(role).await.unwrap();
    let output = office.tidegate(&["grants", "--end", "cloud", "--cloud-role", "writer"]);
    let grants = String::from_utf8(output.stdout).unwrap();
    office.cloud.batch_execute(&grants).await.unwrap();
    let cloud = office.cluster.url("cloud").replace("postgres@", "writer@");
    office.write_config(&office.cluster.url("desktop"), &cloud, "");
}

/// What a run says; it must succeed.
fn forward(office: &Office) -> String {
    let output = office.tidegate(&["forward"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grants_prints_is_enough_to_move_a_sequence() {
    let elsewhere = "create schema elsewhere; create sequence elsewhere.keys;
                     alter table jobs alter id set default nextval('elsewhere.keys')";
    for (cloud, sequence) in [(IDENTITY, "jobs_id_seq"), (elsewhere, "elsewhere.keys")] {
        let office = office(cloud).await;
        as_writer(&office).await;
        let rights = check(&office, &[]).unusual();
        assert!(!rights.iter().any(|line| line.contains("rights")), "{rights:?}");
        jobs_on_the_desktop(&office, "values (1), (2)").await;
        let said = forward(&office);
        assert!(!said.contains("WARN"), "{said}");
        assert_eq!(next(&office.cloud, sequence).await, "3");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_move_a_sequence_is_warned_with_the_remedy() {
    let office = office(IDENTITY).await;
    as_writer(&office).await;
    let grant = "grant select, update on sequence \"public\".\"jobs_id_seq\" to \"writer\";";
    for (revoke, key, words) in [
        ("update", "1", "jobs_id_seq goes on at 1, where keys are taken"),
        ("select", "2", "the role can't see whether jobs_id_seq makes keys that are taken"),
    ] {
        let revoke = format!("revoke {revoke} on sequence jobs_id_seq from writer");
        office.cloud.batch_execute(&revoke).await.unwrap();
        let found = check(&office, &[]);
        assert_eq!(found.code, 0, "{revoke}");
        let said = found.said("warning", "rights");
        assert!(said.contains(grant) && said.contains("which the desktop has used"), "{said}");
        jobs_on_the_desktop(&office, &format!("values ({key})")).await;
        let said = forward(&office);
        assert!(said.contains(words) && said.contains(grant), "{revoke}: {said}");
        assert_eq!(next(&office.cloud, "jobs_id_seq").await, "1", "{revoke}");
        let output = office.tidegate(&["migrate", "--mobile-keys-from", "1000"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(12) && said.contains(grant), "{revoke}: {said}");
        office.cloud.batch_execute(grant).await.unwrap();
    }
    jobs_on_the_desktop(&office, "values (3)").await;
    forward(&office);
    assert_eq!(job_on_the_phone(&office.cloud).await, "4");
}

/// Where nothing has to be moved, nobody is bothered.
#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_move_is_not_missed_where_ranges_are_apart() {
    let office = office(&format!("{IDENTITY} (start 1000000)")).await;
    as_writer(&office).await;
    let revoke = "revoke update on sequence jobs_id_seq from writer";
    office.cloud.batch_execute(revoke).await.unwrap();
    jobs_on_the_desktop(&office, "values (1), (2)").await;
    let said = forward(&office);
    assert!(!said.contains("WARN"), "{said}");
}
