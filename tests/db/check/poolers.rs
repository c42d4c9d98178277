//! `check` through a pooler in transaction mode.

use super::check;
use crate::pgbouncer::{Mode, PgBouncer};
use crate::support::{JOBS, Office};

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_is_recognised_and_is_fine() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let poolers = |found: &super::Checked| -> Vec<String> {
        let poolers = found.findings().iter().filter(|f| f["check"] == "pooler");
        poolers.map(|f| format!("{} {}", f["level"], f["end"])).collect()
    };
    assert_eq!(poolers(&check(&office, &[])), [""; 0]);
    for (mode, expected) in
        [(Mode::Transaction, &[r#""ok" "desktop""#, r#""ok" "cloud""#][..]), (Mode::Session, &[])]
    {
        let pooler = PgBouncer::before(&office.cluster, mode, 10).await;
        office.write_config(&pooler.url("desktop"), &pooler.url("cloud"), "");
        let found = check(&office, &[]);
        assert_eq!((found.code, found.unusual()), (0, vec![]), "{mode:?}: {}", found.document);
        assert_eq!(poolers(&found), expected, "{mode:?}: {}", found.document);
    }
}
