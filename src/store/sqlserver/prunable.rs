//! How much of the cloud's change log is needed still.

use std::collections::BTreeMap;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::Result;

use super::SqlServerStore;
use super::reading::text;

impl SqlServerStore<'_> {
    /// The tables called `labels` and the transactions below which their logs are not needed any
    /// more.
    pub async fn prunable(
        &self,
        connection: &mut Connection,
        labels: &[String],
    ) -> Result<Vec<(String, String)>> {
        let sql = self.render("sqlserver/prunable.sql");
        let doing = "looking what of the change log is needed";
        // Where nothing is known, all is needed.
        let mut lowest: BTreeMap<String, Option<u64>> = BTreeMap::new();
        for row in connection.rows(doing, &sql, &[]).await? {
            let needed = match text(&row, "since")? {
                Some(since) => watermark(&since),
                None => text(&row, "watermark")?,
            };
            let needed = needed.and_then(|xid| xid.parse().ok());
            let label: &str = get(&row, "table_name")?;
            let known = lowest.entry(label.to_owned()).or_insert(needed);
            *known = known.zip(needed).map(|(a, b)| a.min(b));
        }
        let of = |label: &String| Some((label.clone(), lowest.get(label)?.as_ref()?.to_string()));
        Ok(labels.iter().filter_map(of).collect())
    }
}

/// The watermark of a position that is kept as JSON.
fn watermark(since: &str) -> Option<String> {
    let since: serde_json::Value = serde_json::from_str(since).ok()?;
    since["watermark"].as_str().map(str::to_owned)
}
