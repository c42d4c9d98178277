//! Faults that the check must catch: the batch is rolled back, the run ends with 20, and once the
//! fault is gone the next run brings everything.

use tidegate::run::Request;
use tidegate::sql::Sql;

use super::Caught;
use crate::support::{JOBS, Office, column, of, value};

/// Something wrong in the engine or in the cloud.
pub(super) struct Fault {
    name: &'static str,
    /// In the statements.
    plant: fn(Sql) -> Sql,
    /// In the cloud: the body of a function `fault`, and the trigger that calls it.
    body: &'static str,
    trigger: &'static str,
}

const AFTER: &str = "create trigger fault after insert on jobs for each statement";
const BEFORE: &str = "create trigger fault before insert or update on jobs for each row";
const AT_COMMIT: &str = "create constraint trigger fault after insert or update on jobs \
                         deferrable initially deferred for each row";

/// Every mobile row, and every row of nobody.
const MOBILE: &str = "select jobs::text from jobs where source is distinct from 'D' \
                      union all select notes::text from notes order by 1";
/// All that the cloud holds, and how far the desktop has been read.
const EVERYTHING: &str = "select jobs::text from jobs union all select notes::text from notes \
                          union all select watermark from tidegate._sync_metadata order by 1";

/// Decides by nothing but whether there is a row.
pub(super) const NAIVE: &str = "case when v.held_version is null then 'insert' else 'update' end";

/// An owner guard of the engine: where it stands, and what is left without it.
pub(super) const GUARDS: [(&str, &str, &str); 3] = [
    ("postgres/classify.sql", "{{verdicts}}[v.rule]", NAIVE),
    ("postgres/classify_pinned.sql", "{{verdicts}}[d.rule]", "'update'"),
    ("postgres/merge.sql", "{{held_owner}} = {{sent_owner}}", "true"),
];

pub fn unguarded(sql: Sql) -> Sql {
    GUARDS.iter().fold(sql, |sql, (file, from, to)| sql.planted(file, from, to))
}

/// `<> 'M'` in place of `= 'D'`: everything that isn't exactly M is taken for the desktop's.
fn guarded_by_not_mobile(sql: Sql) -> Sql {
    let first = "case when v.held_version is null then 'insert' \
                 when v.held_owner = 'M' then 'key_collision' else 'update' end";
    let second = "case when d.held_owner = 'M' then 'key_collision' else 'update' end";
    sql.planted("postgres/classify.sql", "{{verdicts}}[v.rule]", first)
        .planted("postgres/classify_pinned.sql", "{{verdicts}}[d.rule]", second)
        .planted("postgres/merge.sql", "{{held_owner}} = {{sent_owner}}", "{{held_owner}} <> 'M'")
}

fn sets_the_owner(sql: Sql) -> Sql {
    sql.planted(
        "postgres/merge.sql",
        "{{assignments}}",
        "{{assignments}}, source = excluded.source",
    )
}

/// The rows in the cloud stay guarded; who the incoming row belongs to is not asked.
fn takes_every_incoming_row(sql: Sql) -> Sql {
    let first = "case when v.held_version is null then 'insert' \
                 when v.held_owner = 'D' then 'update' else 'key_collision' end";
    let second = "case when d.held_owner = 'D' then 'update' else 'key_collision' end";
    sql.planted("postgres/classify.sql", "{{verdicts}}[v.rule]", first).planted(
        "postgres/classify_pinned.sql",
        "{{verdicts}}[d.rule]",
        second,
    )
}

/// Both readings are the same until something is staged: the first one finds no table.
fn without_baseline(sql: Sql) -> Sql {
    let staged = "where to_regclass('pg_temp.tidegate_stage') is not null and c.relkind = 'r'";
    sql.planted("postgres/baseline.sql", "where c.relkind = 'r'", staged)
}

const fn in_engine(name: &'static str, plant: fn(Sql) -> Sql) -> Fault {
    Fault { name, plant, body: "", trigger: "" }
}

const fn in_cloud(name: &'static str, trigger: &'static str, body: &'static str) -> Fault {
    Fault { name, plant: |sql| sql, body, trigger }
}

const SWAP: &str = "delete from jobs where id = 99999; \
    if found then insert into jobs values (88888, 'another', 'M', now(), now()); end if;";
const OVERWRITE: &str = "update jobs set name = '' where id = 99999;";
const EMPTY: &str = "truncate notes;";
const REFILL: &str = "create temp table kept on commit drop as select * from notes; \
    truncate notes; insert into notes select * from kept;";

const FAULTS: &[Fault] = &[
    in_engine("no owner guard", unguarded),
    in_engine("guard <> 'M'", guarded_by_not_mobile),
    in_engine("ownership column in SET, no owner guard", |sql| sets_the_owner(unguarded(sql))),
    in_engine("ownership column in SET, incoming owner not asked", |sql| {
        sets_the_owner(takes_every_incoming_row(sql))
    }),
    in_cloud("a trigger deletes a mobile row", AFTER, "delete from jobs where id = 99999;"),
    in_cloud("a trigger deletes one at COMMIT", AT_COMMIT, "delete from jobs where id = 99999;"),
    in_cloud("a trigger truncates", AFTER, EMPTY),
    in_cloud("a trigger truncates at COMMIT", AT_COMMIT, EMPTY),
    in_cloud("a trigger deletes one and inserts another", AFTER, SWAP),
    in_cloud("the same at COMMIT", AT_COMMIT, SWAP),
    in_cloud("a trigger truncates and refills", AFTER, REFILL),
    in_cloud("a trigger overwrites a mobile row", AFTER, OVERWRITE),
    in_cloud("a trigger deletes in another table", AFTER, "delete from notes where id = 1;"),
    in_cloud("a trigger drops a table", AFTER, "drop table if exists notes;"),
    in_cloud("a trigger gives written rows away", BEFORE, "new.source := 'M';"),
    in_cloud("a trigger changes the key", BEFORE, "new.id := new.id + 1000;"),
    in_cloud("a trigger swallows rows", BEFORE, "if new.id = 5 then return null; end if;"),
    Fault {
        plant: without_baseline,
        ..in_cloud("no baseline, where a trigger truncates", AFTER, EMPTY)
    },
    in_engine("no baseline", without_baseline),
];

pub(super) async fn office() -> Office {
    Office::open(JOBS, &["jobs"]).await
}

/// The beginning of every scenario. `notes` holds mobile rows only and is not synced.
pub(super) async fn begin(office: &Office) {
    let clear = "drop table if exists notes; create table notes (id integer primary key, \
                 body text, source char(1)); truncate jobs; delete from tidegate._sync_metadata; \
                 delete from tidegate._sync_withheld; delete from tidegate._sync_runs; \
                 delete from tidegate._sync_row_counts; delete from tidegate._sync_changes;";
    office.cloud.batch_execute(clear).await.unwrap();
    let fill = "truncate jobs; insert into jobs select i, 'job ' || i, 'D', \
                now() - interval '1 day', now() - interval '1 day' from generate_series(1, 10) i";
    office.desktop.batch_execute(fill).await.unwrap();
    office.forward().await;
    let mobile = "update jobs set source = 'M', name = 'phone' where id = 7; \
        update jobs set source = 'm', name = 'strange' where id = 8; \
        insert into jobs values (99999, 'phone', 'M', now(), now()); \
        insert into notes select i, 'phone', 'M' from generate_series(1, 3) i;";
    office.cloud.batch_execute(mobile).await.unwrap();
    let desktop = "update jobs set name = 'desktop', updated_at = now() where id in (4, 5, 7, 8); \
        update jobs set source = 'M' where id = 4; \
        insert into jobs values (11, 'desktop', 'D', now(), now());";
    office.desktop.batch_execute(desktop).await.unwrap();
}

pub(super) async fn mobile_rows(office: &Office) -> Vec<String> {
    column(&office.cloud, MOBILE, &[]).await
}

/// A fault may have dropped a table.
pub(super) async fn everything(office: &Office) -> Vec<String> {
    match office.cloud.query(EVERYTHING, &[]).await {
        Ok(rows) => rows.iter().filter_map(|row| row.get(0)).collect(),
        Err(e) => vec![e.to_string()],
    }
}

/// The engine as it is keeps every mobile row and brings everything else.
pub(super) async fn control(office: &Office) {
    let before = mobile_rows(office).await;
    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 0, "{report:?}");
    assert_eq!(mobile_rows(office).await, before);
    let arrived = "select count(*)::text from jobs where id in (5, 11) and name = 'desktop'";
    assert_eq!(value(&office.cloud, arrived).await, "2");
    let withheld = [("4", "owner"), ("7", "key_collision"), ("8", "owner")];
    let withheld = withheld.map(|(id, reason)| format!("{{\"id\": \"{id}\"}} {reason}"));
    assert_eq!(office.withheld().await, withheld);
}

async fn plant_trigger(office: &Office, fault: &Fault) {
    if fault.trigger.is_empty() {
        return;
    }
    let plant = format!(
        "create function fault() returns trigger language plpgsql as \
         $$ begin {} return new; end $$; {} execute function fault()",
        fault.body, fault.trigger
    );
    office.cloud.batch_execute(&plant).await.unwrap();
}

async fn is_caught(office: &Office, fault: &Fault) -> Caught {
    begin(office).await;
    plant_trigger(office, fault).await;
    let before = everything(office).await;
    let sql = (fault.plant)(Sql::default());
    let report = office.run(&Request::default(), &sql).await.unwrap();
    let caught = match (&of(&report, "jobs").error, report.exit_code(false)) {
        _ if everything(office).await != before => Err(format!("rows were changed: {report:?}")),
        (Some(trouble), 20) => Ok(trouble.message.clone()),
        _ => Err(format!("the run did not end with 20: {report:?}")),
    };
    office.cloud.batch_execute("drop function if exists fault cascade").await.unwrap();
    if caught.is_ok() {
        control(office).await;
    }
    caught
}

/// Plants every fault, one after the other.
pub(super) async fn all() -> Vec<(&'static str, Caught)> {
    let office = office().await;
    let mut outcomes = Vec::new();
    for fault in FAULTS {
        outcomes.push((fault.name, is_caught(&office, fault).await));
    }
    outcomes
}
