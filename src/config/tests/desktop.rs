//! What only one kind of desktop has.

use secrecy::ExposeSecret;

use super::super::{DesktopKind, TlsSetting};
use super::{BASE, parse, refused, table};
use crate::model::Capture;

/// `BASE` with a SQL Server at `url`, and `more` in its section.
fn sql_server(url: &str, more: &str) -> String {
    let url = format!("url = \"{url}\"\n{more}");
    BASE.replace("\"postgres\"", "\"sqlserver\"").replace("url = \"postgres://d\"", &url)
}

#[test]
fn a_sql_server_may_be_the_desktop() {
    for url in ["sqlserver://u:p@h/d", "mssql://h", "Server=h;Database=d", " data source = h"] {
        let config = parse(&sql_server(url, "")).unwrap();
        assert_eq!(config.desktop_kind, DesktopKind::SqlServer);
        assert_eq!(config.desktop_url.expose_secret(), url);
        assert_eq!(config.desktop_tls, TlsSetting::Unset);
        assert_eq!(config.tables[0].capture, Capture::Timestamp);
    }
    for url in ["postgres://u@h/d", "sqlserver://h;user=u;password=p", "host=h", ""] {
        refused(&sql_server(url, ""), ":3: `url` in [desktop] must be an address", "sqlserver://");
    }
    assert_eq!(parse(BASE).unwrap().desktop_kind, DesktopKind::Postgres);
    let cloud = BASE.replace("${env:CLOUD_URL}", "sqlserver://h");
    refused(&cloud, "`url` in [cloud] must be an address that begins with postgres://", "");
}

#[test]
fn tls_is_a_key_of_sql_servers_only() {
    let tls = |written: &str| parse(&sql_server("mssql://h", written)).unwrap().desktop_tls;
    assert_eq!(tls("tls = 'verify-full'"), TlsSetting::VerifyFull);
    assert_eq!(tls("tls = { ca = '/ca.pem' }"), TlsSetting::Ca("/ca.pem".into()));
    assert_eq!(tls("tls.ca = '/ca.pem'"), TlsSetting::Ca("/ca.pem".into()));
    assert_eq!(tls("tls = 'trust-server'"), TlsSetting::TrustServer);
    assert_eq!(tls("tls = 'off'"), TlsSetting::Off);
    for (written, message, remedy) in [
        ("tls = 'on'", ":4: `tls` in [desktop] must be \"verify-full\"", "tls = \"verify-full\""),
        ("tls = true", "`tls` in [desktop] must be a string", ""),
        ("tls = { ca = 'ca.pem' }", "`ca` in [desktop.tls] must be the absolute path", "ca = "),
        ("tls = {}", "`ca` is missing in [desktop.tls]", "Add ca ="),
        ("tls = { file = '/x' }", "unknown key `file` in [desktop.tls]", "`ca`"),
    ] {
        refused(&sql_server("mssql://h", written), message, remedy);
    }
    let postgres = BASE.replace("[cloud]", "tls = 'off'\n[cloud]");
    refused(&postgres, ":4: `tls` in [desktop] is for kind = \"sqlserver\" only", "sslmode");
}

#[test]
fn rowversion_and_log_are_for_sql_servers_only() {
    let text = sql_server("mssql://h", "") + "[sync]\ncapture = 'rowversion'\n";
    let by_stamps = text.replace("[tables.jobtasks]", "[tables.jobtasks]\ncapture = 'timestamp'");
    let capture = |text: &str, name| table(&parse(text).unwrap(), name).capture;
    assert_eq!(capture(&text, "jobtasks"), Capture::Rowversion);
    assert_eq!(capture(&by_stamps, "jobshead"), Capture::Rowversion);
    assert_eq!(capture(&by_stamps, "jobtasks"), Capture::Timestamp);
    let logged = text.replace("'rowversion'", "'log'");
    assert_eq!(capture(&logged, "jobtasks"), Capture::DesktopLog);
    refused(&format!("{BASE}[sync]\ncapture = 'log'"), "`capture`", "Set capture = \"timestamp\"");
    for section in ["sync", "tables.a"] {
        let text = format!("{BASE}[{section}]\ncapture = 'rowversion'");
        let message = format!(":9: `capture` in [{section}] asks for what a PostgreSQL");
        refused(&text, &message, "Set capture = \"timestamp\"");
    }
}
