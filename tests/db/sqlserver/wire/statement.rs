//! Statements, and what becomes of their connections.

use std::time::Duration;

use tiberius::{ColumnData, SqlBulkCopyOption, TokenRow};
use tidegate::error::Kind;
use tokio::time::timeout;

use super::server::{Answer, Seen};
use super::{numbers, says, server};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_question_was_dropped_is_not_used_again() {
    let (server, database) = server(|sql| match sql.contains("select n") {
        true => Answer::Silence,
        false => Answer::Rows(1),
    });
    let mut connection = database.connection().await.unwrap();
    let asked = async { while !matches!(server.next().await, Seen::Statement(_)) {} };
    tokio::select! {
        _ = numbers(&mut connection) => panic!("a silent server has answered"),
        () = asked => {}
    }
    assert!(connection.is_lost());
    let e = connection.batch("going on", "select 1").await.unwrap_err();
    says(&e, Kind::Transient, &["going on: ", "given up before"]);
    // No rows would be worse than an error.
    let mut rows = connection.stream("reading", "select 1", vec![]);
    says(&rows.next().await.unwrap_err(), Kind::Transient, &["reading: ", "was lost"]);
    drop(rows);
    let mut next = database.connection().await.unwrap();
    next.batch("going on", "select 1").await.unwrap();
    assert_eq!(server.logins(), 1, "one more after the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_order_is_used_again() {
    let (server, database) = server(|_| Answer::Rows(1));
    for _ in 0..3 {
        let mut connection = database.connection().await.unwrap();
        connection.begin_with("beginning", "begin transaction").await.unwrap();
        connection.end_with("ending", "commit transaction").await.unwrap();
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_in_a_transaction_is_closed() {
    let (server, database) = server(|sql| match sql.contains("commit") {
        true => Answer::Error(3902, 16, "no transaction".into(), String::new()),
        false => Answer::Rows(1),
    });
    for _ in 0..2 {
        let mut connection = database.connection().await.unwrap();
        connection.begin_with("beginning", "begin transaction").await.unwrap();
    }
    assert_eq!(server.logins(), 2);
    // One that did not end well, either.
    let mut connection = database.connection().await.unwrap();
    connection.begin_with("beginning", "begin transaction").await.unwrap();
    connection.end_with("ending", "commit transaction").await.unwrap_err();
    drop(connection);
    drop(database.connection().await.unwrap());
    assert_eq!(server.logins(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_statements_become_kinds_and_leave_the_connection() {
    let (server, database) = server(|sql| match sql {
        sql if sql.contains("deadlock") => {
            let words = "Transaction (Process ID 52) was deadlocked.".to_owned();
            Answer::Error(1205, 13, words, String::new())
        }
        sql if sql.contains("duplicate") => {
            let words = "Violation of PRIMARY KEY constraint 'PK_jobs'. Cannot insert duplicate key \
                         in object 'dbo.jobs'. The duplicate key value is (canary).";
            Answer::Error(2627, 14, words.into(), String::new())
        }
        sql if sql.contains("trigger") => {
            Answer::Error(50000, 16, "no canary today".into(), "t_jobs".into())
        }
        sql if sql.contains("shutdown") => Answer::Error(6005, 21, "down".into(), String::new()),
        sql if sql.contains("vanish") => Answer::HangUp,
        _ => Answer::Rows(1),
    });
    let mut connection = database.connection().await.unwrap();
    for (word, kind, parts) in [
        ("deadlock", Kind::Transient, &["doing: the desktop answered 1205"][..]),
        ("duplicate", Kind::Taken, &["table dbo.jobs, constraint PK_jobs"]),
        ("trigger", Kind::BadValue, &["answered 50000, raised by t_jobs"]),
    ] {
        says(&connection.run("doing", word, &[]).await.unwrap_err(), kind, parts);
        says(&connection.batch("doing", word).await.unwrap_err(), kind, parts);
        assert!(!connection.is_lost(), "{word}");
        assert_eq!(numbers(&mut connection).await.unwrap(), [0], "{word}");
    }
    drop(connection);
    for word in ["shutdown", "vanish"] {
        let mut connection = database.connection().await.unwrap();
        let e = connection.run("doing", word, &[]).await.unwrap_err();
        says(&e, Kind::Transient, &["doing: "]);
        assert!(connection.is_lost(), "{word}");
    }
    assert_eq!(server.logins(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_one_by_one_and_give_the_connection_back() {
    let (server, database) = server(|sql| match sql.contains("bad") {
        true => Answer::Error(208, 16, "Invalid object name 'dbo.bad'.".into(), String::new()),
        false => Answer::Rows(10_000),
    });
    let connection = database.connection().await.unwrap();
    let mut rows = connection.stream("reading", "select n from t", vec![]);
    for expected in 0..10_000 {
        let row = rows.next().await.unwrap().unwrap();
        assert_eq!(row.get::<i32, _>(0), Some(expected));
    }
    assert!(rows.next().await.unwrap().is_none());
    assert!(rows.next().await.unwrap().is_none());
    let connection = rows.finish().await.unwrap();
    let mut rows = connection.stream("reading", "bad", vec![]);
    says(&rows.next().await.unwrap_err(), Kind::Config, &["reading: ", "dbo.bad"]);
    assert_eq!(server.logins(), 1);
    drop(rows);

    let connection = database.connection().await.unwrap();
    let mut rest = connection.stream("reading", "select n from t", vec![]);
    rest.next().await.unwrap().unwrap();
    let connection = rest.finish().await.unwrap();
    let mut unfinished = connection.stream("reading", "select n from t", vec![]);
    unfinished.next().await.unwrap().unwrap();
    drop(unfinished);
    drop(database.connection().await.unwrap());
    assert_eq!(server.logins(), 1, "one more after the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_load_says_its_options_and_counts_its_rows() {
    let (server, database) = server(|sql| match sql {
        "a load" => Answer::Rows(2),
        _ => Answer::Rows(0),
    });
    let mut connection = database.connection().await.unwrap();
    let options = SqlBulkCopyOption::FireTriggers | SqlBulkCopyOption::CheckConstraints;
    let rows = [1, 2].map(|number| {
        let mut row = TokenRow::new();
        row.push(ColumnData::I32(Some(number)));
        row
    });
    let count = connection.bulk("loading", "[dbo].[t]", &["[n]"], options, rows).await.unwrap();
    assert_eq!(count, 2);
    let mut said = Vec::new();
    while said.last().is_none_or(|last| last != "a load") {
        if let Seen::Statement(sql) = server.next().await {
            said.push(sql);
        }
    }
    assert_eq!(said[0], "SELECT TOP 0 [n] FROM [dbo].[t]");
    assert!(said[1].contains("INSERT BULK [dbo].[t]"), "{}", said[1]);
    assert!(said[1].contains("FIRE_TRIGGERS") && said[1].contains("CHECK_CONSTRAINTS"));
    assert!(!connection.is_lost());
}

/// Connections are for tasks: their futures are sent between threads.
#[tokio::test(flavor = "multi_thread")]
async fn statements_run_in_tasks() {
    let (_server, database) = server(|_| Answer::Rows(2));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut connection = database.connection().await?;
        numbers(&mut connection).await?;
        let mut rows = connection.stream("reading", "select 1", vec![]);
        rows.next().await?;
        rows.finish().await.map(drop)
    });
    let joined = timeout(Duration::from_secs(60), tasks.join_next()).await.unwrap();
    joined.unwrap().unwrap().unwrap();
}
