//! The statements of a sync with a SQL Server, as they are rendered.

use tidegate::run::{Request, Way};
use tidegate::sql::{Recorder, Rendered, Sql};

use super::desk::Kind;
use super::office::{DeskOffice, JOBS};

#[tokio::test]
async fn every_statement_of_a_sync_with_a_sql_server_is_as_it_was() {
    let versioned = JOBS.replace("source char", "rv rowversion, source char");
    let office = DeskOffice::apart(Kind::TestServer, &versioned, JOBS, &["jobs"]).await;
    office.configure("capture = \"rowversion\"");
    office.migrate();
    office.desk("insert into jobs (id, name, source) values (1, 'desktop', 'D')").await;
    office.mobile("insert into jobs (id, name, source) values (2, 'mobile', 'M')").await;
    let recorder = Recorder::default();
    let sql = Sql::default().recorded(&recorder);
    office.run_way(Way::Both, &Request::default(), &sql).await.unwrap();
    let is_its = |r: &Rendered| {
        r.name.starts_with("sqlserver/") || r.name == "postgres/move_position_rowversion.sql"
    };
    let mut rendered: Vec<Rendered> = recorder.take().into_iter().filter(is_its).collect();
    rendered.sort_by_key(|r| r.name);
    rendered.dedup();
    let shown = rendered.iter().map(|r| format!("-- {}\n{}\n----\n", r.name, r.text.trim_end()));
    insta::assert_snapshot!("sqlserver", shown.collect::<String>());
}
