//! Settings and plans for the rules' tests.

use std::collections::BTreeMap;

use crate::check::facts::Table;
use crate::model::plan::Given;
use crate::model::schema::TableSchema;
use crate::model::{
    Capture, Direction, Lag, Ownership, TableName, TablePlan, TableSettings, planning,
};

/// What a configuration that says nothing says of a table.
pub(super) fn settings(table: &str) -> TableSettings {
    TableSettings {
        cloud: TableName::new("public", table),
        desktop: TableName::new("public", table),
        enabled: true,
        exclude: Vec::new(),
        rename: BTreeMap::new(),
        also_writes: Vec::new(),
        capture: Capture::Timestamp,
        updated_at: "updated_at".into(),
        created_at: "created_at".into(),
        lag: Lag::Unset,
        assume_timezone: None,
        batch_rows: 1,
        batch_bytes: 1,
        max_withheld: 1,
    }
}

/// `jobs`: a key of the type with this identifier, an owner and a stamp; the same on both ends.
pub(super) fn schema(key_type: u32) -> TableSchema {
    let column = |name: &str, type_oid: u32| {
        serde_json::json!({
            "name": name, "type_oid": type_oid, "typmod": -1, "type_name": type_oid.to_string(),
            "bare_type": type_oid.to_string(), "portable": true, "not_null": false,
            "has_default": false, "generated": false, "identity_always": false,
        })
    };
    let json = serde_json::json!({
        "schema": "public", "name": "jobs", "kind": "r", "row_security": false, "readable": true,
        "writable": true,
        "columns": [column("id", key_type), column("source", 25), column("updated_at", 1184)],
        "primary_key": { "columns": ["id"], "deferrable": false },
        "uniques": [], "foreign_keys": [], "before_triggers": false,
    });
    serde_json::from_value(json).unwrap()
}

/// The plan of [`schema`].
pub(super) fn plan(key_type: u32, settings: &TableSettings) -> TablePlan {
    let (source, target) = (schema(key_type), schema(key_type));
    let ownership = Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() };
    let synced = [settings.cloud.clone()];
    let given = Given {
        settings,
        ownership: &ownership,
        cloud_capture: Capture::Log,
        desktop: Some(&source),
        cloud: Some(&target),
        synced: &synced,
        desktop_remembers: false,
    };
    planning::plan(Direction::Forward, given).unwrap()
}

/// The facts of a table with nothing wrong.
pub(super) fn table() -> Table {
    Table {
        table: TableName::new("public", "jobs"),
        row_security: false,
        owned: false,
        deletes: false,
        truncates: false,
        rows: 0,
        indexed: Vec::new(),
        defaults: BTreeMap::new(),
        collations: Vec::new(),
        sequences: Vec::new(),
        is_history: false,
    }
}
