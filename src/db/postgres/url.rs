//! A connection URL, as providers hand it out, becomes the driver's configuration and a decision
//! about TLS.
//!
//! tokio-postgres knows neither `verify-full` nor `sslrootcert` and falls back to plain text by
//! default, so what concerns TLS is taken out and decided here, stricter than in libpq:
//!
//! | `sslmode` | loopback, Unix socket | any other host |
//! |---|---|---|
//! | none | no TLS (verified TLS if there is an `sslrootcert` or `sslcert`) | verified TLS |
//! | `disable` | no TLS | no TLS, with a warning |
//! | `allow`, `prefer` | no TLS | refused: they fall back to plain text in silence |
//! | `require`, `verify-ca`, `verify-full` | verified TLS | verified TLS |
//!
//! libpq's `require` doesn't look at the certificate unless there is an `sslrootcert`, and then at
//! the chain alone; here it means `verify-full`, with the operating system's authorities where none
//! is named.
//!
//! Several hosts are local only if each of them is. No message repeats the URL, the user or the
//! password.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::conninfo::{Conninfo, named};
use super::identity::Identity;
use super::tls::{Roots, Tls, Trust};
use crate::error::{End, Error, Result};

/// What concerns TLS, and so never reaches tokio-postgres.
const OURS: [&str; 5] = ["ssl", "sslcert", "sslkey", "sslmode", "sslrootcert"];

/// What providers write into their URLs for other drivers, about pools and prepared statements of
/// their own; it means nothing here.
const OTHERS: [&str; 5] = ["connection_limit", "pgbouncer", "pool_timeout", "supa", "workaround"];

/// What tokio-postgres knows.
const DRIVERS: [&str; 18] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Reads the URL of `end`, and warns if it gives up TLS on a network.
pub(super) fn read(url: &SecretString, end: End) -> Result<(Config, Tls)> {
    let (config, tls) =
        interpret(url.expose_secret().trim()).map_err(|e| e.within(format_args!("[{end}] url")))?;
    if tls == Tls::Off && !is_local(&config) {
        tracing::warn!(
            "[{end}] url has sslmode=disable: the password and every row cross the network \
             readable and unverified"
        );
    }
    Ok((config, tls))
}

fn interpret(text: &str) -> Result<(Config, Tls)> {
    let written = Conninfo::cut(text)?;
    refuse_unknown(&written)?;
    let mut config = written.config_without(&[&OURS[..], &OTHERS].concat())?;
    if config.get_hosts().is_empty() {
        // The name to verify is then the address, as in libpq.
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    if config.get_hosts().is_empty() || config.get_hosts().contains(&Host::Tcp(String::new())) {
        return Err(Error::config(
            "it names no host",
            "Add the host; for a Unix socket, write its directory as host=/var/run/postgresql.",
        ));
    }
    let tls = decide(&written, &config)?;
    config.ssl_mode(if tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
    Ok((config, tls))
}

fn refuse_unknown(written: &Conninfo<'_>) -> Result<()> {
    let mut before = "";
    for name in written.parameters().iter().map(|p| p.name) {
        if name == "sslpassword" {
            return Err(Error::config(
                "the parameter sslpassword: tidegate reads no encrypted keys",
                "Decrypt the key (openssl pkey -in encrypted.pem -out key.pem), let nobody else \
                 read it, and leave the parameter out.",
            ));
        }
        if ![&OURS[..], &OTHERS, &DRIVERS].concat().contains(&name) {
            // After a password that nobody quoted, the "name" may be the rest of it.
            let named = if before == "password" { "a parameter".into() } else { named(name) };
            return Err(Error::config(
                format!("{named} is unknown to tidegate"),
                "Leave it out: parameters of other drivers mean nothing here. If it is part of a \
                 value, quote the value.",
            ));
        }
        before = name;
    }
    Ok(())
}

fn decide(written: &Conninfo<'_>, config: &Config) -> Result<Tls> {
    let roots = match written.value("sslrootcert")?.as_deref() {
        None => None,
        Some("system") => Some(Roots::System),
        Some(path) => Some(Roots::File(path.into())),
    };
    let identity = identity(written)?;
    let asks_for_tls = roots.is_some() || identity.is_some();
    let mode = match (written.value("sslmode")?, written.value("ssl")?.as_deref()) {
        (Some(mode), _) => Some(mode),
        (None, Some("true")) => Some("require".to_owned()),
        (None, Some(_)) => return Err(unknown_mode("ssl", "true")),
        (None, None) => None,
    };
    let local = is_local(config);
    match mode.as_deref() {
        None if local && !asks_for_tls => Ok(Tls::Off),
        Some("allow" | "prefer") if local => Ok(Tls::Off),
        Some("allow" | "prefer") => Err(Error::config(
            "sslmode allow and prefer fall back to plain text in silence",
            "Leave sslmode out, which verifies the server; or write sslmode=disable if the \
             network is safe.",
        )),
        Some("disable") => Ok(Tls::Off),
        None | Some("require" | "verify-ca" | "verify-full") => {
            if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
                return Err(Error::config(
                    "it asks for TLS, which a Unix socket doesn't have",
                    "Leave sslmode, sslrootcert and sslcert out.",
                ));
            }
            Ok(Tls::Verified(Trust { roots: roots.unwrap_or(Roots::System), identity }))
        }
        Some(_) => Err(unknown_mode("sslmode", "verify-full or disable")),
    }
}

/// The client certificate, if one is named.
fn identity(written: &Conninfo<'_>) -> Result<Option<Identity>> {
    match (written.value("sslcert")?, written.value("sslkey")?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(Identity { certificate: certificate.into(), key: key.into() }))
        }
        (one, _) => {
            let (one, other) =
                if one.is_some() { ("sslcert", "sslkey") } else { ("sslkey", "sslcert") };
            Err(Error::config(
                format!("it has {one} without {other}"),
                "A client certificate needs both: sslcert=/path/to/certificate and \
                 sslkey=/path/to/its/key.",
            ))
        }
    }
}

fn unknown_mode(name: &str, known: &str) -> Error {
    Error::config(
        format!("the parameter {name} has an unknown value"),
        format!("Leave it out, which verifies the server, or write {known}."),
    )
}

/// Whether no connection leaves this machine.
pub(super) fn is_local(config: &Config) -> bool {
    let local_host = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(local_host)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    const REMOTE: Tls = Tls::Verified(Trust { roots: Roots::System, identity: None });

    fn file(path: &str) -> Tls {
        Tls::Verified(Trust { roots: Roots::File(PathBuf::from(path)), identity: None })
    }

    fn check(text: &str, tls: &Tls) -> Config {
        let (config, decided) = interpret(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(&decided, tls, "{text}");
        let mode = if *tls == Tls::Off { SslMode::Disable } else { SslMode::Require };
        assert_eq!(config.get_ssl_mode(), mode, "{text}");
        config
    }

    /// Every message and remedy, to look for what must not be in them.
    fn refused(text: &str) -> String {
        match read(&SecretString::from(text), End::Cloud) {
            Ok(_) => panic!("{text}: accepted"),
            Err(e) => {
                assert_eq!(e.kind(), crate::error::Kind::Config, "{text}");
                format!("{e} | {e:?} | {}", e.remedy())
            }
        }
    }

    fn refused_with(text: &str, part: &str) {
        let said = refused(text);
        assert!(said.contains(part), "{text}: {said}");
        for secret in ["canary", "hunter"] {
            assert!(!said.contains(secret), "{text}: {said}");
        }
    }

    #[test]
    fn a_remote_host_is_verified_by_default() {
        check("postgres://u:p@db.example.com/d", &REMOTE);
        check("postgresql://u:p@10.0.0.1:6543/d", &REMOTE);
        check("host=db.example.com user=u", &REMOTE);
        check("postgres://u:p@[2001:db8::1]:5432/d", &REMOTE);
        check("postgres://u@localhost.example.com/d", &REMOTE);
    }

    #[test]
    fn loopback_and_sockets_have_no_tls_by_default() {
        for text in [
            "postgres://u:p@localhost/d",
            "postgres://u:p@LOCALHOST:5433/d",
            "postgres://u:p@127.0.0.1/d",
            "postgres://u:p@127.8.8.8/d",
            "postgres://u:p@[::1]:5432/d",
            "postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d",
            "postgres:///d?host=/var/run/postgresql&user=u",
            "host=/var/run/postgresql user=u dbname=d",
            "hostaddr=127.0.0.1 user=u",
            "postgres://u:p@localhost/d?sslmode=prefer",
            "postgres://u:p@localhost/d?sslmode=allow",
            "postgres://u:p@localhost/d?sslmode=disable&sslrootcert=/ca.pem",
        ] {
            check(text, &Tls::Off);
        }
    }

    #[test]
    fn loopback_has_tls_where_it_is_asked_for() {
        check("postgres://u:p@localhost/d?sslmode=require", &REMOTE);
        check("postgres://u:p@localhost/d?ssl=true", &REMOTE);
        check("postgres://u:p@localhost/d?sslrootcert=/ca.pem", &file("/ca.pem"));
        refused_with("postgres:///d?host=/tmp&sslmode=verify-full", "Unix socket");
    }

    #[test]
    fn every_mode_with_tls_verifies_fully() {
        for mode in ["require", "verify-ca", "verify-full"] {
            check(&format!("postgres://u:p@h.example/d?sslmode={mode}"), &REMOTE);
            check(
                &format!("postgres://u:p@h.example/d?sslmode={mode}&sslrootcert=%2Fa%20b.pem"),
                &file("/a b.pem"),
            );
        }
        check("postgres://u:p@h.example/d?sslrootcert=system", &REMOTE);
    }

    #[test]
    fn plain_text_on_a_network_needs_the_word_disable() {
        check("postgres://u:p@h.example/d?sslmode=disable", &Tls::Off);
        refused_with("postgres://u:canary@h.example/d?sslmode=prefer", "fall back");
        refused_with("host=h.example password=canary sslmode=allow", "fall back");
        refused_with("postgres://u:canary@h.example/d?sslmode=hunter", "sslmode");
        refused_with("postgres://u:canary@h.example/d?sslmode=Disable", "sslmode");
        refused_with("postgres://u:canary@h.example/d?ssl=hunter", "parameter ssl");
    }

    #[test]
    fn several_hosts_are_local_only_if_all_are() {
        check("postgres://u@localhost,127.0.0.1:5433/d", &Tls::Off);
        check("postgres://u@localhost,h.example/d", &REMOTE);
        check("host=/tmp,h.example user=u", &REMOTE);
        check("host=localhost hostaddr=10.0.0.1", &REMOTE);
        // A tunnel with the name to verify.
        check("host=h.example hostaddr=127.0.0.1", &REMOTE);
    }

    #[test]
    fn our_parameters_are_taken_out_wherever_they_stand() {
        for query in [
            "sslmode=verify-full&application_name=a&connect_timeout=7",
            "application_name=a&sslmode=verify-full&connect_timeout=7",
            "application_name=a&connect_timeout=7&sslmode=verify-full",
            "application_name=a&&connect_timeout=7&sslmode=disable&sslmode=verify-full&",
        ] {
            let config = check(&format!("postgres://u:p@h.example:6543/d?{query}"), &REMOTE);
            assert_eq!(config.get_application_name(), Some("a"));
            assert_eq!(config.get_connect_timeout().unwrap().as_secs(), 7);
            assert_eq!(config.get_dbname(), Some("d"));
            assert_eq!(config.get_ports(), [6543]);
        }
        let config = check("postgres://u:p@h.example/d?sslmode=require", &REMOTE);
        assert_eq!(config.get_dbname(), Some("d"));
        let config = check("postgres://u:p@h.example?sslmode=require", &REMOTE);
        assert_eq!(config.get_dbname(), None);
    }

    #[test]
    fn logins_are_decoded_by_the_driver() {
        let config = check("postgres://u%40x:p%40%3A%2F%3F%26=%23%25@h.example/d%20e", &REMOTE);
        assert_eq!(config.get_user(), Some("u@x"));
        assert_eq!(config.get_password(), Some(&b"p@:/?&=#%"[..]));
        assert_eq!(config.get_dbname(), Some("d e"));
        let config = check("postgres://postgres.ref:p%ss:w#&=@h.example/d?ssl=true", &REMOTE);
        assert_eq!(config.get_user(), Some("postgres.ref"));
        assert_eq!(config.get_password(), Some(&b"p%ss:w#&="[..]));
    }

    #[test]
    fn pairs_may_be_quoted() {
        let config = check(
            concat!(
                r"  host = h.example password='a b\'c\\d sslmode=disable' user=a\ b port=5433",
                r" sslrootcert = '/my \'ca\'.pem'  "
            ),
            &file("/my 'ca'.pem"),
        );
        assert_eq!(config.get_password(), Some(&br"a b'c\d sslmode=disable"[..]));
        assert_eq!(config.get_user(), Some("a b"));
        assert_eq!(config.get_ports(), [5433]);
        assert_eq!(check("sslmode=disable host=h.example", &Tls::Off).get_hosts().len(), 1);
        check("host='h.example'sslmode='verify-full'user=ü", &REMOTE);
        check("host=localhost password=''", &Tls::Off);
    }

    #[test]
    fn urls_of_providers_pass() {
        let neon = "postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/d?sslmode=require";
        let pooler = "postgresql://postgres.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres";
        let pairs = "user=postgres.ref password=p host=x.supabase.com port=6543 dbname=postgres";
        let direct = "postgresql://postgres:p@db.ref.supabase.co:5432/postgres";
        let rds = "host=x.eu.rds.amazonaws.com port=5432 dbname=d user=u password=p";
        for (text, more, user, port) in [
            (neon, "&channel_binding=require", "u", 5432),
            (neon, "&options=endpoint%3Dep-x", "u", 5432),
            (pooler, "\n", "postgres.ref", 6543),
            (pooler, "?pgbouncer=true&connection_limit=1", "postgres.ref", 6543),
            (pooler, "?sslmode=require&supa=base-pooler.x", "postgres.ref", 6543),
            (pairs, "", "postgres.ref", 6543),
            (pairs, " pgbouncer=true sslmode=require", "postgres.ref", 6543),
            (direct, "?connect_timeout=15&sslrootcert=system", "postgres", 5432),
            (rds, " sslmode=verify-full sslrootcert=system", "u", 5432),
        ] {
            let text = format!("{text}{more}");
            let config = check(text.trim(), &REMOTE);
            assert_eq!(config.get_user(), Some(user), "{text}");
            assert_eq!(config.get_ports(), [port], "{text}");
        }
        let options = "postgres://u:p@h.example/d?options=-c%20work_mem%3D1MB%20endpoint%3Dep-x";
        let options = check(options, &REMOTE);
        assert_eq!(options.get_options(), Some("-c work_mem=1MB endpoint=ep-x"));
        let bundle = "postgres://u:p@x.rds.amazonaws.com/d?sslmode=verify-full&sslrootcert=/b.pem";
        check(bundle, &file("/b.pem"));
    }

    #[test]
    fn a_client_certificate_is_two_files() {
        let files = Identity { certificate: "/c.pem".into(), key: "/my key".into() };
        let both = Trust { roots: Roots::System, identity: Some(files) };
        let both = Tls::Verified(both);
        check("postgres://u@h.example/d?sslcert=/c.pem&sslkey=/my%20key", &both);
        check("host=h.example sslkey='/my key' sslcert=/c.pem", &both);
        // It asks for TLS, as sslrootcert does.
        check("postgres://u@localhost/d?sslcert=/c.pem&sslkey=/my%20key", &both);
        check("postgres://u@h.example/d?sslmode=disable&sslcert=/c.pem&sslkey=/k", &Tls::Off);
        refused_with("postgres://u:canary@h.example/d?sslcert=/x", "sslcert without sslkey");
        refused_with("host=h.example sslkey=/x password=canary", "sslkey without sslcert");
        refused_with("host=h.example sslkey=/x sslcert=/y sslpassword=canary", "encrypted keys");
        refused_with("host=/tmp sslkey=/x sslcert=/y", "Unix socket");
    }

    #[test]
    fn unknown_parameters_are_named() {
        refused_with("postgres://u:canary@h.example/d?schema=x", "parameter schema");
        refused_with("host=h.example password=canary user=u sslcrl=/x", "parameter sslcrl");
        refused_with("postgres://u:canary@h.example/d?port=x", "parameter port");
        refused_with("host=h.example port=hunter password=canary", "parameter port");
        refused_with("postgres://u:canary@h.example:hunter/d", "host or port");
    }

    #[test]
    fn no_message_repeats_a_torn_password() {
        for text in [
            "postgres://u:canary@hunter2@h.example/d",
            "postgres://u:canary@hunter2/x@h.example/d",
            "postgres://u:can@hunter2?hunter=1@h.example/d",
            "postgres://u:canary/hunter@h.example/d",
            "postgres://u:canary?hunter=2@h.example/d",
            "postgres://h.example/d?password=canary&hunter=2",
            "postgres://h.example/d?user=u&canary hunter=2",
            "postgres://h.example/d?user=u&canary",
            "postgres://canary:hunter2",
            "postgres://canary:hunter2@/d",
            "postgres://canary:hunter2@:5432/d",
            "mysql://canary:hunter2@h.example/d?x=1",
            "canary",
            "",
            "host=h.example password=canary hunter=2",
            "host=h.example password=canary hunter user=u",
            "host=h.example password='canary hunter",
            "host=h.example password=canary hunter='",
            "host=h.example user=u password=",
            "canary@hunter host=h.example",
            "postgres://h.example/d?%68unter=canary",
            "postgres://h.example/d?sslrootcert=%ffcanary",
        ] {
            refused_with(text, "[cloud] url: ");
        }
    }

    #[test]
    fn plain_text_on_a_network_is_warned_of_without_the_url() {
        let logged = |url: &str| {
            let log = tempfile::NamedTempFile::new().unwrap();
            let writer = Arc::new(File::create(log.path()).unwrap());
            let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
            let url = SecretString::from(url);
            tracing::subscriber::with_default(subscriber, || read(&url, End::Cloud)).unwrap();
            std::fs::read_to_string(log.path()).unwrap()
        };
        let warning = logged("postgres://hunter:canary@h.example/d?sslmode=disable");
        assert!(warning.contains("WARN") && warning.contains("[cloud] url has sslmode=disable"));
        assert!(!warning.contains("canary") && !warning.contains("hunter"), "{warning}");
        assert_eq!(logged("postgres://u:p@localhost/d?sslmode=disable"), "");
        assert_eq!(logged("postgres://u:p@h.example/d"), "");
    }
}
