//! What the ends' own triggers do, as far as their source tells.

use super::{Fault, check, each_is_found};
use crate::support::{JOBS, Office};

const TABLES: &str = "
    create schema audit;
    create table audit.\"Log\" (note text);
    create table totals (n integer);
    create table unrelated (n integer);";

/// A trigger function of this body, and the trigger on `jobs`.
fn trigger(when: &str, body: &str) -> &'static str {
    let sql = format!(
        "create function act() returns trigger language plpgsql as $f$ begin {body} return new; \
         end $f$; create trigger act {when} on jobs for each row execute function act()"
    );
    Box::leak(sql.into_boxed_str())
}

const MEND: [&str; 2] = ["", "drop function act() cascade"];

/// An office whose mobile edits are told by their stamps.
async fn by_stamps() -> Office {
    let office = office().await;
    let [desktop, cloud] = ["desktop", "cloud"].map(|name| office.cluster.url(name));
    office.write_config(&desktop, &format!("{cloud}\"\ncapture = \"timestamp"), "");
    let untold = "drop trigger _sync_log_change on jobs; drop trigger _sync_log_truncate on jobs";
    office.cloud.batch_execute(untold).await.unwrap();
    assert_eq!(check(&office, &[]).unusual(), [UNLOGGED]);
    office
}

const UNLOGGED: &str = "warning change_log cloud -";

/// What is found beside [`UNLOGGED`].
fn found(office: &Office) -> Vec<String> {
    let mut found = check(office, &[]).unusual();
    found.retain(|line| line != UNLOGGED);
    found
}

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.cloud.batch_execute(TABLES).await.unwrap();
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_triggers_write_are_proposed() {
    let fault = |body: &str, parts: &'static [&'static str]| Fault {
        plant: ["", trigger("after insert or update", body)],
        mend: MEND,
        finding: "warning also_writes cloud jobs",
        parts,
        ..Fault::NONE
    };
    let faults = [
        fault(
            "INSERT INTO audit.\"Log\" values (new.name); -- delete from unrelated\n",
            &["audit.Log (act)", r#"also_writes = ["audit.Log"]"#],
        ),
        fault(
            "/* truncate unrelated */ update only Totals set n = n + 1; /* x */ perform 1;",
            &["totals (act)", r#"[tables."jobs"] also_writes = ["totals"]"#],
        ),
        fault(
            "delete from public.totals; insert into audit . \"Log\" values ('x');",
            &[r#"also_writes = ["audit.Log", "totals"]"#],
        ),
    ];
    let office = office().await;
    each_is_found(&office, &faults).await;
    // What they write writes further.
    let chain = "create function further() returns trigger language plpgsql as \
                 $f$ begin perform now(); insert into unrelated values (1); return null; end $f$; \
                 create trigger further after insert on totals execute function further()";
    office.cloud.batch_execute(chain).await.unwrap();
    let faults = [fault("insert into totals values (1);", &[r#"["totals", "unrelated"]"#])];
    each_is_found(&office, &faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_or_does_not_fire_is_no_finding() {
    let mut office = office().await;
    office.configure_tables("[tables.jobs]\nalso_writes = [\"totals\"]\n");
    let body = "insert into totals values (1);";
    for when in ["after insert", "after delete"] {
        office.cloud.batch_execute(trigger(when, body)).await.unwrap();
        if when == "after delete" {
            office.configure_tables("[tables.jobs]\n");
        }
        assert_eq!(check(&office, &[]).unusual(), [""; 0], "{when}");
        office.cloud.batch_execute(MEND[1]).await.unwrap();
    }
    let disabled =
        format!("{}; alter table jobs disable trigger act", trigger("after insert", body));
    office.cloud.batch_execute(&disabled).await.unwrap();
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
}

/// By the desktop's too, once rows come home.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_the_desktops_triggers_write_are_proposed() {
    let office = office().await;
    office.desktop.batch_execute(TABLES).await.unwrap();
    let act = trigger("after insert", "insert into totals values (1);");
    office.desktop.batch_execute(act).await.unwrap();
    let checked = check(&office, &[]);
    assert_eq!(checked.unusual(), ["warning also_writes desktop jobs"]);
    let said = checked.said("warning", "also_writes");
    assert!(said.contains(r#"[tables."jobs"] also_writes = ["totals"]"#), "{said}");
    assert_eq!(check(&office, &["--forward-only"]).unusual(), [""; 0]);
}

/// Where there is a change log, stamps don't tell who edited a row.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_that_stamp_are_found_where_stamps_tell() {
    let extension = "create function moddatetime() returns trigger language plpgsql as \
        $f$ begin return new; end $f$; create trigger act before update on jobs \
        for each row execute function moddatetime(updated_at)";
    let when = "before insert or update";
    let office = by_stamps().await;
    for (plant, mend) in [
        (trigger(when, "new.updated_at = now();"), MEND[1]),
        (trigger(when, "if true then NEW.\"updated_at\" := clock_timestamp(); end if;"), MEND[1]),
        (extension, "drop function moddatetime() cascade"),
    ] {
        office.cloud.batch_execute(plant).await.unwrap();
        assert_eq!(found(&office), ["warning stamp_trigger cloud jobs"], "{plant}");
        let said = check(&office, &[]).said("warning", "stamp_trigger");
        for part in ["the trigger act seems to set updated_at", "tidegate.writing"] {
            assert!(said.contains(part), "{said}");
        }
        office.cloud.batch_execute(mend).await.unwrap();
    }
    for body in ["new.name = 'x';", "if new.updated_at = old.updated_at then null; end if;"] {
        office.cloud.batch_execute(trigger("before update", body)).await.unwrap();
        assert_eq!(found(&office), [""; 0], "{body}");
        office.cloud.batch_execute(MEND[1]).await.unwrap();
    }
    office.configure("");
    assert!(office.tidegate(&["migrate"]).status.success());
    let stamps = trigger(when, "new.updated_at = now();");
    for session in [&office.desktop, &office.cloud] {
        session.batch_execute(stamps).await.unwrap();
    }
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_of_both_ends_that_change_content_never_settle_by_stamps() {
    let office = by_stamps().await;
    let lower = trigger("before insert or update", "new.name := lower(new.name);");
    let upper = trigger("before insert or update", "new.name := upper(new.name);");
    office.cloud.batch_execute(upper).await.unwrap();
    assert_eq!(found(&office), [""; 0]);
    office.desktop.batch_execute(lower).await.unwrap();
    assert_eq!(found(&office), ["warning unsettled - jobs"]);
    office.configure("");
    assert!(office.tidegate(&["migrate"]).status.success());
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
}

/// The remedy is good: with it, the next desktop edit arrives.
#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_leaves_tidegate_alone_holds_nothing_back() {
    let office = by_stamps().await;
    let touch = "create function touch() returns trigger language plpgsql as \
        $f$ begin new.updated_at := now() + interval '1 hour'; return new; end $f$; \
        create trigger touch before update on jobs for each row";
    let insert = "insert into jobs values (1, 'a', 'D', now(), now() - interval '1 day')";
    office.desktop.batch_execute(insert).await.unwrap();
    office.forward().await;
    for (when, expected) in [
        ("", [("b", 0), ("c", 1)]),
        (
            "when (coalesce(current_setting('tidegate.writing', true), '') = '')",
            [("d", 0), ("e", 0)],
        ),
    ] {
        let create = format!("{touch} {when} execute function touch()");
        office.cloud.batch_execute(&create).await.unwrap();
        for (name, withheld) in expected {
            let edit = format!("update jobs set name = '{name}', updated_at = clock_timestamp()");
            office.desktop.batch_execute(&edit).await.unwrap();
            let report = office.forward().await;
            assert_eq!(report.withheld(), withheld, "{when} {name}");
        }
        let again = "drop function touch() cascade; update jobs set updated_at = '2000-01-01'";
        office.cloud.batch_execute(again).await.unwrap();
    }
}
