//! Rows that the desktop refuses: each with its reason, and the others arrive.

use tokio::task::block_in_place;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS, NAMES, jobs};

/// What is withheld of jobs 1 and 2 in a table whose column the cloud has wider; job 3 arrives. Mended, all do.
async fn one_of_three(kind: Kind, desk: &str, cloud: &str, [bad, good]: [&str; 2], reason: &str) {
    let [desk, cloud] =
        [desk, cloud].map(|name| JOBS.replace("name {text}", &format!("name {name}")));
    let office = DeskOffice::apart(kind, &desk, &cloud, &["jobs"]).await;
    office.migrate();
    let rows = format!(
        "insert into jobs values (1, {good}, 'M', {{now}}, {{now}}), \
         (2, {bad}, 'M', {{now}}, {{now}}), (3, {good}, 'M', {{now}}, {{now}})"
    );
    office.mobile(&rows).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [3, 2, 0, 0, 1], "{desk} {bad} {report:?}");
    let listed = [format!("{{\"id\": \"2\"}} {reason}")];
    assert_eq!(office.withheld_at_desk().await, listed);
    let mend = format!("update jobs set name = {good}, updated_at = {{now}} where id = 2");
    office.mobile(&mend).await;
    office.reverse().await;
    assert_eq!(office.at_desk("select id from jobs order by id").await, ["1", "2", "3"]);
    assert_eq!(office.withheld_at_desk().await, [""; 0]);
}

pub async fn text_that_is_too_long(kind: Kind) {
    one_of_three(kind, "{short}", "text", ["'eleven long'", "'ten longer'"], "bad_value").await;
}

pub async fn number_that_is_too_wide(kind: Kind) {
    one_of_three(kind, "decimal(5, 2)", "numeric", ["1000", "999.99"], "bad_value").await;
}

pub async fn check_of_the_desktop(kind: Kind) {
    let checked = "int check (name < 10)";
    one_of_three(kind, checked, "int", ["10", "9"], "bad_value").await;
}

/// v06, v07: never clamped.
pub async fn values_that_the_desktop_lacks(kind: Kind) {
    let nan = ["'NaN'", "1.5"];
    one_of_three(kind, "decimal(9, 2)", "numeric", nan, "bad_value").await;
    let infinity = ["'infinity'", "1.5"];
    one_of_three(kind, "float", "double precision", infinity, "bad_value").await;
    let days = ["'infinity'", "'2026-01-02'"];
    one_of_three(kind, "date", "date", days, "bad_value").await;
    let bc = ["'0044-03-15 BC'", "'2026-01-02'"];
    one_of_three(kind, "datetime2(6)", "timestamp", bc, "bad_value").await;
    let midnight = ["'24:00'", "'23:59:59.999999'"];
    one_of_three(kind, "time(6)", "time", midnight, "bad_value").await;
}

/// v05: one key at the desktop, two in the cloud. Under a collation that tells them apart they arrive.
pub async fn other_case_of_a_text_key(kind: Kind) {
    let keyed = |of: &str| JOBS.replace("id int", of);
    let rows = "insert into jobs values ('abc', 'first', 'M', {old}, {old}), \
                ('ABC', 'second', 'M', {now}, {now})";
    for (desk, code) in [("id {key}", 10), ("id {key} collate Latin1_General_BIN2", 0)] {
        let office = DeskOffice::apart(kind, &keyed(desk), &keyed("id {key}"), &["jobs"]).await;
        office.migrate();
        office.mobile(rows).await;
        let run = block_in_place(|| office.tidegate(&["reverse", "--table", "jobs"]));
        assert_eq!(run.status.code(), Some(code), "{run:?}");
        let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
        assert_eq!(said.contains("collation"), code == 10, "{said}");
        let arrived = office.at_desk("select count(*) from jobs").await;
        assert_eq!(arrived, [if code == 10 { "0" } else { "2" }]);
    }
}

/// A row on which a user sits is left for later, and the others arrive.
pub async fn lock_of_a_user(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let mut user = office.desktop_user().await;
    user.run("begin transaction").await.unwrap();
    user.run("update jobs set source = source where id = 5").await.unwrap();
    office.mobile("update jobs set name = 'mobile', updated_at = {now}").await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [9, 0, 8, 0, 1], "{report:?}");
    assert_eq!(office.withheld_at_desk().await, [r#"{"id": "5"} busy"#]);
    user.run("rollback").await.unwrap();
    let report = office.reverse().await;
    assert_eq!(report.withheld(), 0, "{report:?}");
    office.same(NAMES).await;
    assert_eq!(office.names_of(5).await, ["mobile"; 2]);
}

/// Error 1222: the rows arrive, and the next run counts them.
pub async fn a_count_that_waits_for_a_user_is_left_out(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    for (id, counted) in [(100, 0), (101, 1)] {
        office.mobile(&format!("insert into jobs values ({id}, 'a', 'M', {{now}}, {{now}})")).await;
        if counted == 0 {
            office.end().fail_next("count_big", 1222);
        }
        let report = office.reverse().await;
        assert_eq!(jobs(&report), [1, 1, 0, 0, 0], "{report:?}");
        let counts = "select count(*) from tidegate._sync_row_counts where owner = 'M'";
        assert_eq!(office.at_desk(counts).await, [counted.to_string()]);
    }
}
