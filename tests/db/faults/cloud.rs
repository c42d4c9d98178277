//! Things that a cloud's own schema may do to mobile rows while a batch is written.

use crate::support::{JOBS, Office, column, of};

const MOBILE: &str = "insert into jobs values (99999, 'phone', 'M', now(), now())";

/// An office with a mobile job, where `cloud` was run in the cloud.
async fn office(schema: &str, cloud: &str) -> Office {
    let office = Office::open(&format!("{JOBS}{schema}"), &["jobs"]).await;
    let write = "insert into jobs values (1, 'a', 'D', now(), now())";
    office.desktop.batch_execute(write).await.unwrap();
    office.forward().await;
    office.cloud.batch_execute(&format!("{MOBILE}; {cloud}")).await.unwrap();
    let edit = "update jobs set name = 'b', updated_at = now()";
    office.desktop.batch_execute(edit).await.unwrap();
    office
}

/// A run that writes nothing, and ends with `code` and these words.
async fn assert_refused(office: &Office, rows: &str, code: u8, words: &str) {
    let before = column(&office.cloud, rows, &[]).await;
    let report = office.forward().await;
    assert_eq!(column(&office.cloud, rows, &[]).await, before, "{report:?}");
    assert_eq!(report.exit_code(false), code, "{report:?}");
    let said = &of(&report, "jobs").error.as_ref().unwrap().message;
    assert!(said.contains(words), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cascade_into_mobile_rows_is_caught() {
    for rule in ["cascade", "set null"] {
        let visits = format!(
            "alter table jobs add unique (name); create table visits (id integer, \
             source char(1) default 'M', job text references jobs (name) on update {rule}); \
             insert into visits values (1, 'M', 'a')"
        );
        let office = office("", &visits).await;
        let rows =
            "select visits::text from visits union all select jobs::text from jobs order by 1";
        let words =
            "visits: planned 0 inserted, 0 updated, 0 deleted, written 0 inserted, 1 updated";
        assert_refused(&office, rows, 20, words).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn also_writes_excuses_no_deletion_in_the_table_itself() {
    let fault = "create function fault() returns trigger language plpgsql as \
        $$ begin delete from jobs where id = 99999; return null; end $$; \
        create trigger fault after insert on jobs for each statement execute function fault()";
    let mut office = office("", fault).await;
    office.configure_tables("[tables.jobs]\nalso_writes = [\"jobs\"]");
    assert_refused(&office, "select jobs::text from jobs order by 1", 20, "1 deleted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_made_and_filled_by_a_trigger_is_caught() {
    let fault = "create function fault() returns trigger language plpgsql as \
        $$ begin create table taken as select * from jobs; return null; end $$; \
        create trigger fault after insert on jobs for each statement execute function fault()";
    let office = office("", fault).await;
    assert_refused(&office, "select relname::text from pg_class", 20, "taken: planned 0").await;
}

/// A rule can't be combined with ON CONFLICT: the server itself refuses.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_on_the_target_is_refused() {
    let rule = "create table notes (id integer); insert into notes values (1); \
                create rule fault as on insert to jobs do also delete from notes";
    let office = office("", rule).await;
    let rows = "select notes::text from notes union all select jobs::text from jobs order by 1";
    assert_refused(&office, rows, 1, "0A000").await;
}

/// A deferred trigger that defers what it sets off.
#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_defers_again_is_caught() {
    let fault = "create table steps (id integer); \
        create function first() returns trigger language plpgsql as \
        $$ begin set constraints all deferred; insert into steps values (1); return null; end $$; \
        create function second() returns trigger language plpgsql as \
        $$ begin delete from jobs where id = 99999; return null; end $$; \
        create constraint trigger first after insert or update on jobs \
            deferrable initially deferred for each row execute function first(); \
        create constraint trigger second after insert on steps \
            deferrable initially deferred for each row execute function second()";
    let mut office = office("", fault).await;
    office.configure_tables("[tables.jobs]\nalso_writes = [\"steps\"]");
    assert_refused(&office, "select jobs::text from jobs order by 1", 20, "1 deleted").await;
}
