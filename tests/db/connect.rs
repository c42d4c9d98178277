//! Connections to a real PostgreSQL: over TLS, refused in every way, and what its errors become.

mod client;

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use rcgen::KeyPair;
use secrecy::SecretString;
use tempfile::TempDir;
use tidegate::db::postgres::{Database, Purpose, failed};
use tidegate::demo::Cluster;
use tidegate::error::{End, Error, Kind, Result};

use crate::authority::{Authority, NAME, authority, give};
use crate::support::{ask_for_passwords, connect};

/// What must never be in a message.
const USER: &str = "canary_user";
const PASSWORD: &str = "canary_password";

/// A server with the superuser [`USER`], passwords by SCRAM, and TLS if there are a certificate and
/// a key.
async fn cluster(tls: Option<&(String, String)>) -> Cluster {
    let cluster = Cluster::start("connect", &[]).unwrap();
    let admin = connect(&cluster.url("postgres")).await;
    let role = format!("create role {USER} superuser login password '{PASSWORD}'");
    admin.batch_execute(&role).await.unwrap();
    if let Some((certificate, key)) = tls {
        give(&cluster, "server.crt", certificate);
        give(&cluster, "server.key", key);
        admin.batch_execute("alter system set ssl = on").await.unwrap();
    }
    ask_for_passwords(&cluster).await;
    cluster
}

fn database(url: &str) -> Result<Database> {
    Database::new(&SecretString::from(url), End::Cloud, Purpose::Reader, 1)
}

/// A URL for a host that counts as remote, but is this machine.
fn remote(host: &str, port: u16, more: &str) -> String {
    format!("postgres://{USER}:{PASSWORD}@{host}:{port}/postgres?hostaddr=127.0.0.1{more}")
}

/// A URL without TLS.
fn local(cluster: &Cluster) -> String {
    format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", cluster.port())
}

async fn one(url: &str, sql: &str) -> String {
    let connection = database(url).unwrap().connection().await.unwrap();
    connection.query_one(sql, &[]).await.unwrap().get(0)
}

/// Everything that an error shows.
fn shown(e: &Error) -> String {
    let source = std::error::Error::source(e).map(|source| format!("{source:?}"));
    let text = format!("{e} | {e:?} | {} | {source:?}", e.remedy());
    assert!(!text.contains("canary"), "{text}");
    text
}

async fn refused(url: &str, kind: Kind, parts: &[&str]) {
    let e = match database(url) {
        Ok(database) => database.connection().await.err().unwrap(),
        Err(e) => e,
    };
    let text = shown(&e);
    assert_eq!(e.kind(), kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

const UNREACHABLE: Kind = Kind::Unreachable(End::Cloud);

#[tokio::test(flavor = "multi_thread")]
async fn the_right_authority_and_name_pass() {
    let authority = authority();
    let cluster = cluster(Some(&authority.issue(4000))).await;
    let sql = "select version || ' ' || ssl from pg_stat_ssl where pid = pg_backend_pid()";
    for mode in ["", "&sslmode=require", "&sslmode=verify-full", "&channel_binding=require"] {
        let url = remote(NAME, cluster.port(), &format!("&sslrootcert={}{mode}", authority.file()));
        assert_eq!(one(&url, sql).await, "TLSv1.3 true", "{mode}");
    }
    let sql = "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()";
    assert_eq!(one(&remote(NAME, cluster.port(), "&sslmode=disable"), sql).await, "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_or_name_fails() {
    let (authority, stranger) = (authority(), authority());
    let cluster = cluster(Some(&authority.issue(4000))).await;
    let at = format!("at {NAME}:{}: ", cluster.port());
    for mode in ["", "&sslmode=require", "&sslmode=verify-ca"] {
        let other = format!("&sslrootcert={}{mode}", stranger.file());
        let parts = ["invalid peer certificate", &at];
        refused(&remote(NAME, cluster.port(), &other), UNREACHABLE, &parts).await;
        // The operating system's authorities don't know ours either.
        let parts = ["UnknownIssuer", "add sslrootcert="];
        refused(&remote(NAME, cluster.port(), mode), UNREACHABLE, &parts).await;
        let ours = format!("&sslrootcert={}{mode}", authority.file());
        let parts = ["not valid for name", "subjectAltName"];
        refused(&remote("other.tidegate.test", cluster.port(), &ours), UNREACHABLE, &parts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_fails() {
    let authority = authority();
    let cluster = cluster(Some(&authority.issue(2001))).await;
    let url = remote(NAME, cluster.port(), &format!("&sslrootcert={}", authority.file()));
    refused(&url, UNREACHABLE, &["expired", "Renew"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_fails_where_tls_is_due() {
    let cluster = cluster(None).await;
    for mode in ["", "&sslmode=require", "&sslmode=verify-full"] {
        let parts = ["server does not support TLS", "Turn ssl on"];
        refused(&remote(NAME, cluster.port(), mode), UNREACHABLE, &parts).await;
    }
    let asked = format!("{}?sslmode=require", local(&cluster));
    refused(&asked, UNREACHABLE, &["server does not support TLS"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_file_has_to_hold_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem").display().to_string();
    let url = remote(NAME, 1, &format!("&sslrootcert={path}"));
    refused(&url, Kind::Config, &["[cloud] url: sslrootcert", &path, "No such file"]).await;
    std::fs::write(&path, "no certificate").unwrap();
    refused(&url, Kind::Config, &["no certificate in it"]).await;
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    refused(&url, Kind::Config, &[&path]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_fail_say_why_but_not_who() {
    let cluster = cluster(None).await;
    let port = cluster.port();
    let url = |login: &str, name: &str| format!("postgres://{login}@localhost:{port}/{name}");
    let right = format!("{USER}:{PASSWORD}");
    refused(&url(&format!("{USER}:canary"), "postgres"), Kind::Unauthorised, &["28P01"]).await;
    refused(&url("canary:canary", "postgres"), Kind::Unauthorised, &["28P01"]).await;
    refused(&url(USER, "postgres"), Kind::Unauthorised, &["asks for a password"]).await;
    refused(&url(&right, "nowhere"), Kind::Config, &["database \"nowhere\" does not exist"]).await;

    let admin = database(&local(&cluster)).unwrap().connection().await.unwrap();
    let roles = format!(
        "create role canary_b nologin password '{PASSWORD}'; \
         create role canary_c login connection limit 0 password '{PASSWORD}'"
    );
    admin.batch_execute(&roles).await.unwrap();
    let login = |user: &str| url(&format!("{user}:{PASSWORD}"), "postgres");
    refused(&login("canary_b"), Kind::Unauthorised, &["28000", "pg_hba.conf"]).await;
    refused(&login("canary_c"), Kind::Transient, &["53300", "too many connections for role"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/d");
    let parts = [&format!("at 127.0.0.1:{port}: "), "Connection refused"];
    refused(&url, UNREACHABLE, &parts).await;
    let url = format!("postgres://{USER}:{PASSWORD}@no.such.host.invalid/d?sslmode=disable");
    refused(&url, UNREACHABLE, &["no.such.host.invalid:5432", "lookup"]).await;
    let url = format!("postgres://{USER}:{PASSWORD}@%2Fno%2Fsuch/d");
    refused(&url, UNREACHABLE, &["/no/such:5432", "No such file"]).await;
    // Hangs up instead of answering.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let hang_up = std::thread::spawn(move || drop(mute.accept()));
    let url = format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/d");
    refused(&url, UNREACHABLE, &[&format!("127.0.0.1:{port}")]).await;
    hang_up.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_carry_their_purpose_and_nothing_else() {
    let cluster = cluster(None).await;
    let name = "select current_setting('application_name')";
    let url = format!("{}?application_name=other", local(&cluster));
    assert_eq!(one(&url, name).await, "tidegate reader");
    let set = "select coalesce(string_agg(name, ' ' order by name), '') from pg_settings \
               where source in ('client', 'session')";
    assert_eq!(one(&url, set).await, "application_name client_encoding");
    let socket = format!(
        "host='{}' port={} user={USER} password={PASSWORD} dbname=postgres",
        cluster.directory().display(),
        cluster.port()
    );
    assert_eq!(one(&socket, name).await, "tidegate reader");
    let said = format!("{:?}", database(&url).unwrap());
    assert_eq!(said, format!("Database(cloud at 127.0.0.1:{})", cluster.port()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_connection_does_not_come_back() {
    let cluster = cluster(None).await;
    let database = database(&local(&cluster)).unwrap();
    let mut pids = Vec::new();
    for discard in [false, true, false] {
        let connection = database.connection().await.unwrap();
        let row = connection.query_one("select pg_backend_pid()", &[]).await.unwrap();
        pids.push(row.get::<_, i32>(0));
        match discard {
            true => connection.discard(),
            false => drop(connection),
        }
    }
    assert_eq!(pids[0], pids[1]);
    assert_ne!(pids[1], pids[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_tell_objects_but_no_values() {
    let cluster = cluster(None).await;
    let connection = database(&local(&cluster)).unwrap().connection().await.unwrap();
    let setup = "create table jobshead (jobno text primary key, hours int, note varchar(3));
        insert into jobshead values ('canary');
        create role reader;
        create function refuse() returns void language plpgsql
            as $$ begin raise 'canary' using errcode = '42501'; end $$";
    connection.batch_execute(setup).await.unwrap();
    for (sql, kind, part) in [
        ("insert into jobshead values ('canary')", Kind::Taken, "constraint jobshead_pkey"),
        (
            "insert into jobshead values (null, 1)",
            Kind::BadValue,
            "table public.jobshead, column jobno",
        ),
        ("insert into jobshead values ('b', ('canary' || '')::int)", Kind::BadValue, "22P02"),
        ("insert into jobshead values ('b', 1, 'canary')", Kind::BadValue, "22001, value too long"),
        ("select * from nowhere", Kind::Other, "relation \"nowhere\" does not exist"),
        ("select refuse()", Kind::BadValue, "42501, raised by a function or trigger"),
        (
            "set role reader; select * from jobshead",
            Kind::Unauthorised,
            "42501, permission denied for table jobshead",
        ),
        ("reset role; set statement_timeout = 10; select pg_sleep(9)", Kind::Slow, "57014"),
        ("select pg_terminate_backend(pg_backend_pid())", Kind::Transient, "57P01"),
        ("select 1", Kind::Transient, "the connection to the cloud was lost"),
    ] {
        let e = connection.batch_execute(sql).await.unwrap_err();
        let e = failed("reading jobshead", End::Cloud, e);
        let text = shown(&e);
        assert_eq!(e.kind(), kind, "{sql}: {text}");
        assert!(text.contains("reading jobshead: ") && text.contains(part), "{sql}: {text}");
    }
}
