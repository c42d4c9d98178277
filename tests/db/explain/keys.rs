//! Keys however people write them, of whatever type, and under whatever name.

use serde_json::{Value, json};

use super::{OLD, answer, explain, on};
use crate::support::{JOBS, Office};

/// A table with this key, one row of the desktop's in it that is new, and ways to write its key.
async fn found(columns: &str, primary_key: &str, values: &str, key: &Value, written: &[&str]) {
    let schema = format!(
        "create table jobs ({columns}, name text, source char(1), created_at timestamptz, \
         updated_at timestamptz, \
         primary key ({primary_key}))"
    );
    let office = Office::open(&schema, &["jobs"]).await;
    on(&office.desktop, &format!("insert into jobs values ({values}, 'new', 'D', {OLD})")).await;
    for written in written {
        let explained = explain(&office, "jobs", written, 0);
        assert_eq!(explained["key"], *key, "{written}: {explained:#}");
        assert_eq!(answer(&explained["forward"]), "insert", "{written}: {explained:#}");
    }
    // The run brings it under the very same key.
    office.forward().await;
    let explained = explain(&office, "jobs", written[0], 0);
    let unread = "unread, with --full unchanged";
    assert_eq!(answer(&explained["forward"]), unread, "{explained:#}");
    assert_eq!(explained["differs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_column() {
    let written = ["10", "id=10", "{\"id\": 10}", " 10", "+10"];
    found("id integer", "id", "10", &json!({"id": "10"}), &written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_two_columns_one_of_them_quoted() {
    let key = json!({"office": "Köln, West", "No \"1\"": "7"});
    let written = [
        "office=Köln, West,No \"1\"=7",
        "No \"1\"=7,office=Köln, West",
        "{\"office\": \"Köln, West\", \"No \\\"1\\\"\": 7}",
    ];
    let columns = "office text, \"No \"\"1\"\"\" bigint";
    found(columns, "office, \"No \"\"1\"\"\"", "'Köln, West', 7", &key, &written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uuid() {
    let uuid = "0199a0b0-0000-7000-8000-00000000000a";
    let upper = uuid.to_uppercase();
    let written = [uuid, &upper];
    found("id uuid", "id", &format!("'{uuid}'"), &json!({"id": uuid}), &written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_everything_in_it() {
    let text = "it's = a, \"b\" \\ c";
    let quoted = json!({"id": text}).to_string();
    let written = [text, "id=it's = a, \"b\" \\ c", &quoted];
    let value = "'it''s = a, \"b\" \\ c'";
    found("id text", "id", value, &json!({"id": text}), &written).await;
}

/// Columns go by the cloud's names, at both ends.
#[tokio::test(flavor = "multi_thread")]
async fn renamed_columns_go_by_the_clouds_names() {
    let mut office = Office::open(JOBS, &["jobs"]).await;
    on(
        &office.desktop,
        "alter table jobs rename id to nummer; alter table jobs rename name to titel; \
         insert into jobs values (7, 'new', 'D', now(), now())",
    )
    .await;
    office.configure_tables("[tables.jobs]\nrename = { nummer = \"id\", titel = \"name\" }\n");
    let explained = explain(&office, "jobs", "id=7", 0);
    assert_eq!(answer(&explained["forward"]), "insert", "{explained:#}");
    assert_eq!(explained["desktop"]["values"]["name"], json!("new"));
    office.sync().await;
    on(&office.cloud, "update jobs set name = 'mobile', updated_at = now() where id = 7").await;
    let explained = explain(&office, "jobs", "7", 0);
    assert_eq!(answer(&explained["reverse"]), "update", "{explained:#}");
    let change = json!({"from": "new", "to": "mobile"});
    assert_eq!(explained["reverse"]["changes"]["name"], change);
}
