//! The change log: whether it sees everything.

use super::{Fault, check, each_is_found};
use crate::support::{JOBS, Office};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_see_everything_is_a_warning() {
    let fault = |plant, parts| Fault {
        plant: ["", plant],
        finding: "warning change_log cloud parted",
        parts,
        ..Fault::NONE
    };
    let schema = "create table parted (id integer primary key, source char(1), created_at timestamptz, \
                  updated_at timestamptz) partition by range (id); \
                  create index on parted (updated_at); create index on parted (created_at);";
    let office = Office::open(schema, &["parted"]).await;
    let faults = [
        Fault {
            mend: ["", "alter table parted enable always trigger _sync_log_change"],
            ..fault(
                "alter table parted disable trigger _sync_log_change",
                &["is disabled", "tidegate migrate"],
            )
        },
        Fault {
            mend: ["", "drop table part"],
            ..fault(
                "create table part partition of parted for values from (0) to (9)",
                &["that part is emptied"],
            )
        },
    ];
    each_is_found(&office, &faults).await;
    for (plant, part) in [
        (
            "alter table parted rename source to s; alter table parted rename s to source; \
          drop trigger _sync_log_change on parted",
            "there are no triggers",
        ),
        (
            "drop trigger _sync_log_change on parted; create trigger _sync_log_change after insert on parted \
          for each row execute function tidegate._sync_log_change('x')",
            "for another key or name",
        ),
    ] {
        office.cloud.batch_execute(plant).await.unwrap();
        let found = check(&office, &[]);
        assert_eq!(found.unusual(), ["warning change_log cloud parted"], "{}", found.document);
        assert!(found.said("warning", "change_log").contains(part), "{}", found.document);
        assert!(office.tidegate(&["migrate"]).status.success());
        assert_eq!(check(&office, &[]).unusual(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_prunes_is_a_warning() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let entries = "insert into tidegate._sync_changes (table_name, operation, key) \
                   select 'jobs', 'insert', jsonb_build_object('id', g) from generate_series(1, 1000001) g";
    office.cloud.batch_execute(entries).await.unwrap();
    assert_eq!(check(&office, &[]).unusual(), ["warning change_log_size cloud jobs"]);
    // Deletions that are never pruned are below, and don't count.
    office
        .cloud
        .batch_execute("update tidegate._sync_logged set pruned_below = pg_current_xact_id()")
        .await
        .unwrap();
    assert_eq!(check(&office, &[]).unusual(), [""; 0]);
}
