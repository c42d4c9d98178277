//! How little a run asks that has nothing to do.

use tokio::task::block_in_place;

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS};
use crate::proxy::{Fault, Proxy};

/// Round trips to the desktop and to the cloud.
async fn asked_of(kind: Kind, tables: usize) -> [u64; 2] {
    let names: Vec<String> = (1..=tables).map(|i| format!("t{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let schema: Vec<String> =
        names.iter().map(|name| JOBS.replace("jobs (", &format!("{name} ("))).collect();
    let office = DeskOffice::open(kind, &schema.join(";"), &names).await;
    for name in names {
        let row = format!("insert into {name} values (1, 'a', 'D', {{old}}, {{old}})");
        office.desk(&row).await;
        let row = format!("insert into {name} values (2, 'b', 'M', {{old}}, {{old}})");
        office.mobile(&row).await;
    }
    for _ in 0..2 {
        office.sync().await;
    }
    let (desk, url) = office.proxy(kind).await;
    let cloud = Proxy::before(office.cluster.port()).await;
    office.write_config(&url, &cloud.url("cloud"), office.end().sync());
    let mut least = [u64::MAX; 2];
    // On a busy machine what is sent together may go out in two parts.
    for _ in 0..3 {
        desk.set(Fault::None, 0);
        cloud.set(Fault::None, 0);
        let run = block_in_place(|| office.tidegate(&["sync", "--output", "json"]));
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert!(report["tables"].as_array().unwrap().iter().all(|table| table["read"] == 0));
        let asked = [desk.tally().round_trips, cloud.tally().round_trips];
        least = [least[0].min(asked[0]), least[1].min(asked[1])];
    }
    least
}

/// A SQL Server is asked one thing after the other, and told of tables in lists whose lengths are powers of
/// two.
pub async fn an_idle_sync_asks_as_little_of_16_tables_as_of_4(kind: Kind) {
    let asked = asked_of(kind, 4).await;
    assert_eq!(asked_of(kind, 16).await, asked);
    let at_desk = if matches!(kind, Kind::Postgres) { 3 } else { 9 };
    assert_eq!(asked, [at_desk, 3]);
}
