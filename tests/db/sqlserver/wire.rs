//! Connections, against a server that answers by script.

mod connect;
mod server;
mod statement;

use secrecy::SecretString;
use tidegate::config::TlsSetting;
use tidegate::db::sqlserver::{Connection, Database, Purpose};
use tidegate::error::{End, Error, Kind, Result};

use server::{Answer, Encryption, Seen, Server};

/// What must never be in a message.
const USER: &str = "canary_user";
const PASSWORD: &str = "canary_password";

const UNREACHABLE: Kind = Kind::Unreachable(End::Desktop);

fn url(host: &str, port: u16) -> String {
    format!("sqlserver://{USER}:{PASSWORD}@{host}:{port}/office")
}

fn database(url: &str, tls: &TlsSetting) -> Result<Database> {
    Database::new(&SecretString::from(url), tls, End::Desktop, Purpose::Reader, 1)
}

/// A server on this machine without TLS, where a statement is answered by `answer`.
fn server(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> (Server, Database) {
    let server = Server::start(Encryption::None, move |seen| match seen {
        Seen::Login { .. } => Answer::Rows(0),
        Seen::Statement(sql) => answer(sql),
    });
    let database = database(&url("127.0.0.1", server.port), &TlsSetting::Unset).unwrap();
    (server, database)
}

/// Everything that an error shows.
fn shown(e: &Error) -> String {
    let source = std::error::Error::source(e).map(|source| format!("{source:?}"));
    let text = format!("{e} | {e:?} | {} | {source:?}", e.remedy());
    assert!(!text.contains("canary"), "{text}");
    text
}

fn says(e: &Error, kind: Kind, parts: &[&str]) {
    let text = shown(e);
    assert_eq!(e.kind(), kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

async fn numbers(connection: &mut Connection) -> Result<Vec<i32>> {
    let rows = connection.rows("counting", "select n from t where n < @P1", &[&9_i32]).await?;
    Ok(rows.iter().map(|row| row.get(0).unwrap()).collect())
}
