//! `verify` compares with the change log, too.

use serde_json::Value;
use tokio::task::block_in_place;

use crate::support::Office;

use super::{counting_run, document, is_quiet, mobile, office, on_the_phone, unseen};

/// The table as `verify` finds it, with an exit of `code`.
fn verified(office: &Office, code: i32) -> Value {
    let output = block_in_place(|| office.tidegate(&["verify", "--output", "json"]));
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    document(&output)["tables"][0].clone()
}

/// The same for people.
fn said(office: &Office, code: i32) -> String {
    let output = block_in_place(|| office.tidegate(&["verify"]));
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Its differences as `what rows explanation level`.
fn differences(table: &Value) -> Vec<String> {
    let differences = table["differences"].as_array().unwrap().iter();
    let words =
        differences.map(|d| ["what", "rows", "explained_by", "level"].map(|w| d[w].clone()));
    words.map(|words| words.map(|w| w.to_string().replace('"', "")).join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fall_that_the_log_explains_is_explained_in_numbers() {
    let office = office().await;
    let work = "delete from jobs where id in (101, 102, 103); \
        update jobs set source = 'M' where id = 104";
    on_the_phone(&office, &format!("{work}; {}", mobile("121, 121"))).await;
    let table = verified(&office, 0);
    assert_eq!(table["mobile_expected"], 18);
    assert_eq!(differences(&table), ["mobile_fell 3 deleted_by_mobile ok"]);
    on_the_phone(&office, "delete from jobs where id = 104").await;
    on_the_phone(&office, "update jobs set source = 'D' where id = 105").await;
    let text = said(&office, 20);
    let explained = [
        "jobs: mobile rows fell from 18 to 16 since they were last counted: mobile users deleted 1",
        "jobs: mobile rows fell from 18 to 16 since they were last counted: 1 were marked as others'",
    ];
    assert!(explained.iter().all(|line| text.contains(line)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fall_that_the_log_does_not_explain_is_unexplained_once() {
    let office = office().await;
    unseen(&office.cloud, "delete from jobs where id = 101").await;
    on_the_phone(&office, &mobile("121, 122")).await;
    let text = said(&office, 20);
    let line = "jobs: 1 mobile row missing (20 when last counted, 22 expected by the change log, 21 \
                there): unexplained";
    assert!(text.contains(line), "{text}");
    assert!(differences(&verified(&office, 0)).is_empty());
    is_quiet(&counting_run(&office).await);
    unseen(&office.cloud, "delete from jobs where id = 102").await;
    on_the_phone(&office, "delete from jobs where id = 103").await;
    let found = ["mobile_fell 1 deleted_by_mobile ok", "mobile_lost 1 unexplained failure"];
    assert_eq!(differences(&verified(&office, 20)), found);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_log_did_not_see_coming_are_a_warning() {
    let office = office().await;
    unseen(&office.cloud, &mobile("121, 122")).await;
    assert_eq!(differences(&verified(&office, 0)), ["mobile_appeared 2 not_logged warning"]);
    unseen(&office.cloud, &mobile("123, 123")).await;
    assert!(said(&office, 0).contains(
        "jobs: 1 mobile row too many (22 when last counted, 22 expected by the change log, 23 \
         there): the change log's triggers did not see them"
    ));
}

/// A transaction that is open while `verify` counts belongs to the next record.
#[tokio::test(flavor = "multi_thread")]
async fn runs_and_verifications_follow_each_other_without_a_false_alarm() {
    let office = office().await;
    let mut session = office.cloud_session().await;
    for id in [101, 102, 103] {
        let open = session.transaction().await.unwrap();
        open.batch_execute(&format!("delete from jobs where id = {id}")).await.unwrap();
        assert!(differences(&verified(&office, 0)).is_empty());
        is_quiet(&counting_run(&office).await);
        open.commit().await.unwrap();
        let explained = ["mobile_fell 1 deleted_by_mobile ok"];
        assert_eq!(differences(&verified(&office, 0)), explained);
        is_quiet(&counting_run(&office).await);
    }
}
