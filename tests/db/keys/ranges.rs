//! `tidegate migrate --mobile-keys-from N`.

use serde_json::Value;

use crate::support::Office;

use super::{IDENTITY, job_on_the_phone, jobs_on_the_desktop, next, office};

fn migrate(office: &Office, from: &str) -> (i32, Value, String) {
    let output = office.tidegate(&["migrate", "--mobile-keys-from", from, "--output", "json"]);
    let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), document, String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn mobile_keys_begin_where_they_are_told_to_and_never_move_back() {
    let office = office(IDENTITY).await;
    jobs_on_the_desktop(&office, "select generate_series(1, 9)").await;
    office.forward().await;
    let (code, document, _) = migrate(&office, "1000000");
    let range = &document["sequences"][0];
    assert_eq!((code, &range["deed"], &range["table"]), (0, &"moved".into(), &"jobs".into()));
    assert_eq!((&range["from"], &range["next"]), (&10.into(), &1_000_000.into()), "{document}");
    assert_eq!(range["left"], 2_146_483_648_i64);
    assert_eq!(job_on_the_phone(&office.cloud).await, "1000000");
    for from in ["1000000", "500"] {
        let (_, document, _) = migrate(&office, from);
        let range = &document["sequences"][0];
        assert_eq!((&range["deed"], &range["next"]), (&"kept".into(), &1_000_001.into()), "{from}");
    }
    let human = office.tidegate(&["migrate", "--mobile-keys-from", "1000000000"]);
    let human = String::from_utf8(human.stdout).unwrap();
    let said =
        "jobs: mobile keys go on at 1000000000 (jobs_id_seq stood at 1000001; 1147483648 are left)";
    assert!(human.ends_with(&format!("{said}\n")), "{human}");
    assert_eq!(job_on_the_phone(&office.cloud).await, "1000000000");
    let plain = office.tidegate(&["migrate", "--output", "json"]);
    assert!(!String::from_utf8(plain.stdout).unwrap().contains("sequences"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_taken_are_passed_over() {
    let office = office(IDENTITY).await;
    let taken =
        "insert into jobs values (1000000, '', 'M'), (1000007, '', 'D'), (5000000, '', 'D')";
    office.cloud.batch_execute(taken).await.unwrap();
    let (_, document, _) = migrate(&office, "1000000");
    assert_eq!(document["sequences"][0]["next"], 1_000_008, "{document}");
    assert_eq!(job_on_the_phone(&office.cloud).await, "1000008");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_room_is_refused_before_anything_is_changed() {
    let keys = "source char(1), created_at timestamptz, updated_at timestamptz";
    let schema = format!(
        "create table jobs (id integer primary key, {keys});
         create table stamps (id smallint primary key, {keys});"
    );
    let office = Office::open(&schema, &["jobs", "stamps"]).await;
    let identities = "alter table jobs alter id add generated always as identity;
                      alter table stamps alter id add generated always as identity;
                      drop schema tidegate cascade";
    office.cloud.batch_execute(identities).await.unwrap();
    let (code, _, said) = migrate(&office, "1000000");
    assert_eq!(code, 10, "{said}");
    let parts = [
        "id of stamps is a smallint, and stamps_id_seq ends at 32767",
        "from 1000000 on",
        "nothing was changed",
        "set enabled = false for stamps",
    ];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    assert_eq!(next(&office.cloud, "jobs_id_seq").await, "1");
    let schemas = "select count(*)::text from pg_namespace where nspname = 'tidegate'";
    assert_eq!(crate::support::value(&office.cloud, schemas).await, "0");

    assert_eq!(migrate(&office, "32767").0, 0);
    assert_eq!(next(&office.cloud, "stamps_id_seq").await, "32767");
    assert_eq!(migrate(&office, "32768").0, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ends_of_types_and_sequences() {
    let bounded = format!("alter table jobs alter id type bigint; {IDENTITY} (maxvalue 5000)");
    let office = office(&bounded).await;
    let (code, _, said) = migrate(&office, "1000000");
    assert!(
        code == 10 && said.contains("id of jobs is a bigint, and jobs_id_seq ends at 5000"),
        "{said}"
    );
    office.cloud.batch_execute("alter table jobs alter id set no maxvalue").await.unwrap();
    let (_, document, _) = migrate(&office, "9223372036854775807");
    let range = &document["sequences"][0];
    assert_eq!((&range["next"], &range["left"]), (&i64::MAX.into(), &1.into()), "{document}");
    assert_eq!(job_on_the_phone(&office.cloud).await, i64::MAX.to_string());
    let said = crate::check::check(&office, &[]).said("warning", "sequence");
    assert!(said.contains("is taken"), "{said}");
    assert_eq!(migrate(&office, "1").0, 10, "it has no key left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_draws_no_keys_is_said() {
    let keys = "source char(1), created_at timestamptz, updated_at timestamptz";
    let schema = format!(
        "create table jobs (id integer primary key, {keys});
         create table notes (id uuid primary key default gen_random_uuid(), {keys});"
    );
    let office = Office::open(&schema, &["jobs", "notes"]).await;
    let down = "alter table jobs alter id add generated always as identity (increment -1)";
    office.cloud.batch_execute(down).await.unwrap();
    let (code, document, _) = migrate(&office, "1000000");
    let deeds = [0, 1].map(|i| document["sequences"][i]["deed"].clone());
    assert_eq!((code, deeds), (0, ["counts_down".into(), "no_sequence".into()]), "{document}");
    assert_eq!(next(&office.cloud, "jobs_id_seq").await, "-1");
    let human = office.tidegate(&["migrate", "--mobile-keys-from", "1000000"]);
    let human = String::from_utf8(human.stdout).unwrap();
    assert!(human.contains("jobs: left alone, because jobs_id_seq counts down"), "{human}");
    assert!(human.contains("notes: left alone, because its key is not drawn from"), "{human}");
    assert_eq!(crate::check::check(&office, &[]).unusual(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_below_zero_is_entered_once_and_never_left_or_begun_again() {
    let office = office(IDENTITY).await;
    let taken = "insert into jobs values (-2000000000, '', 'M')";
    office.cloud.batch_execute(taken).await.unwrap();
    assert_eq!(job_on_the_phone(&office.cloud).await, "1");
    let (code, document, said) = migrate(&office, "-2000000000");
    let range = &document["sequences"][0];
    assert_eq!((code, &range["deed"]), (0, &"moved".into()), "{said}");
    assert_eq!((&range["from"], &range["next"]), (&2.into(), &(-1_999_999_999).into()));
    assert_eq!(range["left"], 1_999_999_999);
    assert_eq!(job_on_the_phone(&office.cloud).await, "-1999999999");
    for from in ["-2000000000", "-2100000000", "-1999999998"] {
        let (_, document, _) = migrate(&office, from);
        let range = &document["sequences"][0];
        assert_eq!((&range["deed"], &range["next"]), (&"kept".into(), &(-1_999_999_998).into()));
    }
    let (_, document, _) = migrate(&office, "-1000000");
    assert_eq!(document["sequences"][0]["next"], -1_000_000, "{document}");
    // It ends before the desktop's keys.
    let (code, _, said) = migrate(&office, "1");
    assert!(code == 10 && said.contains("jobs_id_seq ends at -1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_zero_a_key_needs_room_too() {
    let office = office(IDENTITY).await;
    let (code, _, said) = migrate(&office, "-2147483649");
    assert!(code == 10 && said.contains("between -2147483649 and zero there is no room"), "{said}");
    assert_eq!(next(&office.cloud, "jobs_id_seq").await, "1");
}
