//! Connections to a server: over TLS, refused in every way, silent, and what becomes of them.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use rcgen::SanType;
use tidegate::config::TlsSetting;
use tidegate::db::sqlserver::Transport;
use tidegate::error::Kind;

use super::server::{Answer, Encryption, Seen, Server};
use super::{PASSWORD, UNREACHABLE, USER, database, numbers, says, server, url};
use crate::authority::{Authority, authority};

async fn refused(url: &str, tls: &TlsSetting, kind: Kind, parts: &[&str]) {
    let e = match database(url, tls) {
        Ok(database) => database.connection().await.err().unwrap(),
        Err(e) => e,
    };
    says(&e, kind, parts);
}

/// A server whose logins are refused with this number.
fn refusing(number: u32, message: &str) -> String {
    let message = message.to_owned();
    let server = Server::start(Encryption::None, move |_| {
        Answer::Error(number, 14, message.clone(), String::new())
    });
    url("localhost", server.port)
}

/// With a certificate of `authority` for these names.
fn over_tls(authority: &Authority, names: &[&str], until: i32) -> Server {
    let (certificate, key) = authority.issue_with(|params| {
        let name = |name: &&str| SanType::DnsName((*name).try_into().unwrap());
        params.subject_alt_names = names.iter().map(name).collect();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
    });
    Server::start(Encryption::Tls(certificate, key), |seen| match seen {
        Seen::Login { .. } => Answer::Rows(0),
        Seen::Statement(_) => Answer::Rows(1),
    })
}

fn ca(authority: &Authority) -> TlsSetting {
    TlsSetting::Ca(authority.file().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_says_who_and_what_for() {
    let (server, database) = server(|_| Answer::Rows(3));
    assert_eq!(database.transport(), Transport::Local);
    let mut connection = database.connection().await.unwrap();
    assert_eq!(numbers(&mut connection).await.unwrap(), [0, 1, 2]);
    let value: i32 = connection.value("looking", "select @P1", &[&"x"]).await.unwrap();
    assert_eq!(value, 0);
    assert_eq!(connection.run("doing", "update t set n = 1", &[]).await.unwrap(), 3);
    connection.batch("doing", "set lock_timeout 5").await.unwrap();
    assert_eq!(
        server.next().await,
        Seen::Login {
            user: USER.into(),
            password: PASSWORD.into(),
            application: "tidegate reader".into(),
            database: "office".into(),
            packet: 16 * 1024,
        }
    );
    let shown = format!("{database:?} {connection:?}");
    let expected = format!("Database(desktop at 127.0.0.1:{}) Connection(desktop)", server.port);
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_unauthorised_and_says_why() {
    let unset = TlsSetting::Unset;
    let kind = Kind::Unauthorised;
    let login = refusing(18456, "Login failed for user 'canary_user'.");
    refused(&login, &unset, kind, &["at localhost:", "refused user or password (18456)"]).await;
    let database = refusing(4060, "Cannot open database \"office\" requested by the login.");
    refused(&database, &unset, kind, &["database \"office\" is not there", "create user"]).await;
    let windows = refusing(18452, "Login failed.");
    refused(&windows, &unset, kind, &["Windows logins only", "mixed mode"]).await;
    let disabled = refusing(18470, "Login failed for user 'canary_user'. Reason: disabled.");
    refused(&disabled, &unset, kind, &["disabled", "alter login"]).await;
    let elsewhere = refusing(40613, "Database is not available.");
    refused(
        &elsewhere,
        &unset,
        UNREACHABLE,
        &["can't reach", "Database is not available. (40613)"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_the_desktop_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let parts = ["can't reach the desktop database at 127.0.0.1:", "refused", "[desktop] url"];
    refused(&url("127.0.0.1", port), &TlsSetting::Unset, UNREACHABLE, &parts).await;
    let name = ["can't reach the desktop database at nowhere.invalid:1433"];
    refused(&url("nowhere.invalid", 1433), &TlsSetting::Off, UNREACHABLE, &name).await;
    let instance = format!("sqlserver://{USER}:{PASSWORD}@127.0.0.1/d?instance=SQLEXPRESS");
    let parts = ["at 127.0.0.1\\SQLEXPRESS", "SQL Server Browser"];
    refused(&instance, &TlsSetting::Unset, UNREACHABLE, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_authority_and_name_pass() {
    let authority = authority();
    let server = over_tls(&authority, &["localhost"], 4000);
    let database = database(&url("localhost", server.port), &ca(&authority)).unwrap();
    assert_eq!(database.transport(), Transport::Verified);
    let mut connection = database.connection().await.unwrap();
    assert_eq!(numbers(&mut connection).await.unwrap(), [0]);
}

/// As the remedy of an unknown issuer says.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_issued_itself_may_be_named_as_its_own_authority() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), own.cert.pem()).unwrap();
    let encryption = Encryption::Tls(own.cert.pem(), own.signing_key.serialize_pem());
    let server = Server::start(encryption, |_| Answer::Rows(0));
    let tls = TlsSetting::Ca(file.path().into());
    let database = database(&url("localhost", server.port), &tls).unwrap();
    drop(database.connection().await.unwrap());
    let other = TlsSetting::VerifyFull;
    refused(&url("localhost", server.port), &other, UNREACHABLE, &["UnknownIssuer"]).await;
    assert_eq!(server.logins(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_or_name_fails() {
    let (authority, stranger) = (authority(), authority());
    let server = over_tls(&authority, &["localhost"], 4000);
    let at = url("localhost", server.port);
    for tls in [TlsSetting::VerifyFull, ca(&stranger)] {
        refused(&at, &tls, UNREACHABLE, &["certificate is refused", "tls = { ca"]).await;
    }
    let parts = ["UnknownIssuer", "trust-server"];
    refused(&at, &TlsSetting::VerifyFull, UNREACHABLE, &parts).await;
    let other = over_tls(&authority, &["db.tidegate.test"], 4000);
    let parts = ["not valid for name", "subjectAltName"];
    refused(&url("localhost", other.port), &ca(&authority), UNREACHABLE, &parts).await;
    let expired = over_tls(&authority, &["localhost"], 2001);
    let parts = ["xpired", "Renew"];
    refused(&url("localhost", expired.port), &ca(&authority), UNREACHABLE, &parts).await;
    assert_eq!(server.logins() + other.logins() + expired.logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_server_may_have_any_certificate() {
    let server = over_tls(&authority(), &["db.tidegate.test"], 2001);
    let database = database(&url("localhost", server.port), &TlsSetting::TrustServer).unwrap();
    assert_eq!(database.transport(), Transport::Unverified);
    let mut connection = database.connection().await.unwrap();
    assert_eq!(numbers(&mut connection).await.unwrap(), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_is_sent_in_plain_where_tls_is_due() {
    let plain = Server::start(Encryption::None, |_| Answer::Rows(0));
    for tls in [TlsSetting::VerifyFull, TlsSetting::TrustServer] {
        let parts = ["the server takes no TLS", "tls = \"off\""];
        refused(&url("localhost", plain.port), &tls, UNREACHABLE, &parts).await;
    }
    assert_eq!(plain.logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_fails_names_old_servers() {
    let old = Server::start(Encryption::HangUp, |_| Answer::Rows(0));
    let parts = ["handshake", "TLS 1.2 with ECDHE"];
    refused(&url("localhost", old.port), &TlsSetting::VerifyFull, UNREACHABLE, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_given_up() {
    fail::cfg("patience", "return(200)").unwrap();
    let mute = Server::start(Encryption::Silence, |_| Answer::Silence);
    let unset = TlsSetting::Unset;
    refused(&url("localhost", mute.port), &unset, UNREACHABLE, &["no answer in time"]).await;

    let (server, database) = server(|_| Answer::Silence);
    let mut connection = database.connection().await.unwrap();
    let e = numbers(&mut connection).await.unwrap_err();
    says(&e, Kind::Transient, &["counting: the desktop has not answered for 0.2 s"]);
    assert!(connection.is_lost());
    let e = numbers(&mut connection).await.unwrap_err();
    says(&e, Kind::Transient, &["given up before"]);
    drop(connection);
    let mut rows = database.connection().await.unwrap().stream("reading", "select 1", vec![]);
    says(&rows.next().await.unwrap_err(), Kind::Transient, &["reading: ", "not answered"]);
    says(&rows.next().await.unwrap_err(), Kind::Transient, &["given up before"]);
    drop(rows);
    drop(database.connection().await.unwrap());
    assert_eq!(server.logins(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_sent_on_but_not_for_ever() {
    let (target, _) = server(|_| Answer::Rows(1));
    let port = target.port;
    let gateway =
        Server::start(Encryption::None, move |_| Answer::Routing("127.0.0.1\\office".into(), port));
    let at = url("localhost", gateway.port);
    let mut connection = database(&at, &TlsSetting::Unset).unwrap().connection().await.unwrap();
    assert_eq!(numbers(&mut connection).await.unwrap(), [0]);
    assert_eq!((gateway.logins(), target.logins()), (1, 1));

    let own = Arc::new(AtomicU16::new(0));
    let port = Arc::clone(&own);
    let circle = Server::start(Encryption::None, move |_| {
        Answer::Routing("127.0.0.1".into(), port.load(Ordering::Relaxed))
    });
    own.store(circle.port, Ordering::Relaxed);
    let parts = ["sends the login on and on"];
    refused(&url("localhost", circle.port), &TlsSetting::Unset, UNREACHABLE, &parts).await;
    assert_eq!(circle.logins(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_tls_does_not_leave_the_machine_by_being_sent_on() {
    let gateway = Server::start(Encryption::None, |_| Answer::Routing("h.example".into(), 1433));
    let parts = ["sends the login to another host"];
    refused(&url("localhost", gateway.port), &TlsSetting::Unset, UNREACHABLE, &parts).await;
}
