//! An address, a URL or ADO.NET's `Name=value` pairs, becomes checked settings.
//!
//! | what | in a URL | in pairs |
//! |---|---|---|
//! | host, port | `//host:port`, 1433 if there is none | `Server=tcp:host,port` |
//! | named instance | `?instance=NAME` | `Server=host\NAME` |
//! | database | `/database` | `Database` |
//! | login | `user:password@` | `User Id`, `Password` |
//!
//! A port wins over an instance, as in Microsoft's drivers; without one, SQL Browser at the host says
//! where the instance listens. What concerns TLS stands in `[desktop] tls` and nowhere else. No
//! message repeats the address, the user or the password.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{End, Error, Kind, Result};

use super::draft::{Asks, Draft, EXAMPLE};
use super::tls::Transport;

/// For TCP alone, and for each address of a host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A bulk load was 42 % faster with it than with the driver's 4 KiB.
const PACKET_SIZE: u32 = 16 * 1024;

/// Where a database is, and who asks there.
pub(super) struct Address {
    pub(super) end: End,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) instance: Option<String>,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: SecretString,
    pub(super) connect_timeout: Duration,
    pub(super) packet_size: u32,
    asks: Asks,
}

impl Address {
    /// Reads `text` of `end`.
    pub(super) fn read(text: &SecretString, end: End) -> Result<Self> {
        Draft::of(text.expose_secret().trim())
            .and_then(|draft| checked(draft, end))
            .map_err(|e| e.within(format_args!("[{end}] url")))
    }

    /// Refuses an address that says something else about TLS than `[desktop] tls`.
    pub(super) fn agrees_with(&self, transport: Transport) -> Result<()> {
        let encrypted = matches!(transport, Transport::Unverified | Transport::Verified);
        let said = match self.asks {
            Asks { encrypt: Some(asked), .. } if asked != encrypted => "Encrypt",
            Asks { trust: Some(true), .. } if transport == Transport::Verified => {
                "TrustServerCertificate"
            }
            Asks { trust: Some(false), .. } if transport == Transport::Unverified => {
                "TrustServerCertificate"
            }
            _ => return Ok(()),
        };
        let end = self.end;
        Err(Error::config(
            format!("[{end}] url: {said} says something else than tls under [{end}]"),
            format!(
                "Leave {said} out of it, and write tls = \"verify-full\", {{ ca = \"/path/to/ca.pem\" \
                 }}, \"trust-server\" or \"off\" under [{end}]."
            ),
        ))
    }

    /// Host and port for messages, or host and instance.
    pub(super) fn at(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match (&self.instance, self.port) {
            (Some(instance), None) => format!("{host}\\{instance}"),
            (_, port) => format!("{host}:{}", port.unwrap_or(1433)),
        }
    }

    /// The error that the database can't be reached, and why.
    pub(super) fn unreachable(&self, why: impl fmt::Display) -> Error {
        let end = self.end;
        Error::new(
            Kind::Unreachable(end),
            format!("can't reach the {end} database at {}: {why}", self.at()),
        )
    }

    /// A server's words without the user, whom servers like to repeat.
    pub(super) fn without_user(&self, words: &str) -> String {
        match self.user.is_empty() {
            true => words.to_owned(),
            false => words.replace(&self.user, "…"),
        }
    }
}

/// The settings, if they are whole.
fn checked(draft: Draft, end: End) -> Result<Address> {
    let plain = |c: char| c.is_alphanumeric() || "-._:$#".contains(c);
    if draft.host.is_empty() || !draft.host.chars().all(plain) {
        return Err(Error::config("it names no host", format!("Write it as {EXAMPLE}.")));
    }
    let instance = draft.instance.filter(|name| !name.is_empty());
    if !instance.iter().all(|name| name.chars().all(plain)) {
        return Err(Error::config(
            "its instance is no name",
            "Write the instance as ?instance=SQLEXPRESS, or as Server=host\\SQLEXPRESS.",
        ));
    }
    if draft.database.is_empty() || draft.database.contains('/') {
        return Err(Error::config(
            "it names no database",
            format!("Add the database, as in {EXAMPLE}, or Database=…."),
        ));
    }
    if draft.user.is_empty() {
        return Err(Error::config(
            "it names no user",
            format!("Add a login of SQL Server, as in {EXAMPLE}, or User Id=…;Password=…."),
        ));
    }
    Ok(Address {
        end,
        host: draft.host,
        // A port needs no SQL Browser.
        instance: instance.filter(|_| draft.port.is_none()),
        port: draft.port,
        database: draft.database,
        user: draft.user,
        password: draft.password,
        connect_timeout: draft.connect_timeout.map_or(CONNECT_TIMEOUT, Duration::from_secs),
        packet_size: draft.packet_size.map_or(PACKET_SIZE, |size| size as u32),
        asks: draft.asks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        Address::read(&SecretString::from(text), End::Desktop)
            .unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// Every message and remedy, to look for what must not be in them.
    fn refused(text: &str) -> String {
        match Address::read(&SecretString::from(text), End::Desktop) {
            Ok(_) => panic!("{text}: accepted"),
            Err(e) => {
                assert_eq!(e.kind(), Kind::Config, "{text}");
                assert!(e.to_string().starts_with("[desktop] url: "), "{e}");
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

    /// Host, port, instance, database, user, password.
    fn parts(text: &str) -> (String, Option<u16>, Option<String>, String, String, String) {
        let a = read(text);
        let password = a.password.expose_secret().to_owned();
        (a.host, a.port, a.instance, a.database, a.user, password)
    }

    fn expected(
        host: &str,
        port: Option<u16>,
        instance: Option<&str>,
    ) -> (String, Option<u16>, Option<String>, String, String, String) {
        (host.into(), port, instance.map(Into::into), "d".into(), "u".into(), "p".into())
    }

    #[test]
    fn urls_and_pairs_say_the_same() {
        for (text, place) in [
            ("sqlserver://u:p@h.example/d", ("h.example", None, None)),
            ("mssql://u:p@h.example:1434/d", ("h.example", Some(1434), None)),
            ("sqlserver://u:p@[2001:db8::1]:1433/d", ("2001:db8::1", Some(1433), None)),
            ("sqlserver://u:p@h/d?instance=SQLEXPRESS", ("h", None, Some("SQLEXPRESS"))),
            ("sqlserver://u:p@h%5CSQLEXPRESS/d", ("h", None, Some("SQLEXPRESS"))),
            ("sqlserver://u:p@h?database=d", ("h", None, None)),
            ("sqlserver://h/d?user=u&password=p", ("h", None, None)),
            ("Server=h;Database=d;User Id=u;Password=p", ("h", None, None)),
            (
                "Server=tcp:h\\SQLEXPRESS,1433;Initial Catalog=d;UID=u;PWD=p",
                ("h", Some(1433), None),
            ),
            ("Data Source=h\\EXPRESS; database=d; user=u; pwd='p';", ("h", None, Some("EXPRESS"))),
            ("Server=.;Database=d;User Id=u;Password=p", ("localhost", None, None)),
            (
                "Server=(local)\\X;Database=d;User Id=u;Password=p;Persist Security Info=False;\
                 MultipleActiveResultSets=False;Application Name=x;Trusted_Connection=no",
                ("localhost", None, Some("X")),
            ),
        ] {
            assert_eq!(parts(text), expected(place.0, place.1, place.2), "{text}");
        }
    }

    #[test]
    fn logins_are_decoded() {
        let (_, _, _, database, user, password) =
            parts("sqlserver://u%40x:p%40%3A%2F%3F%26=%23%25%3B@h/d%20e");
        assert_eq!((database.as_str(), user.as_str()), ("d e", "u@x"));
        assert_eq!(password, "p@:/?&=#%;");
        let (.., user, password) = parts("Server=h;Database=d;User Id=a\\b;Password='x;y''z'");
        assert_eq!((user.as_str(), password.as_str()), ("a\\b", "x;y'z"));
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let plain = read("sqlserver://u:p@h/d");
        assert_eq!((plain.packet_size, plain.connect_timeout.as_secs()), (16 * 1024, 10));
        assert_eq!(plain.at(), "h:1433");
        let set = read("sqlserver://u:p@h/d?packet_size=8192&connect_timeout=3&instance=X");
        assert_eq!((set.packet_size, set.connect_timeout.as_secs()), (8192, 3));
        assert_eq!(set.at(), "h\\X");
        let pairs = read("Server=::1,5;Database=d;UID=u;PWD=p;Connect Timeout=4;Packet Size=4096");
        assert_eq!((pairs.packet_size, pairs.connect_timeout.as_secs()), (4096, 4));
        assert_eq!(pairs.at(), "[::1]:5");
    }

    #[test]
    fn what_can_not_be_read_is_refused_without_being_repeated() {
        for (text, part) in [
            ("", "no SQL Server address"),
            ("postgres://u:canary@h/d", "no SQL Server address"),
            ("canary", "no SQL Server address"),
            ("sqlserver://u:can@ary@h/d", "more than one @"),
            ("sqlserver://u:can/ary@h/d", "more than one @"),
            ("sqlserver://h:1433;user=u;password=canary", "JDBC"),
            ("sqlserver://u:canary%@h/d", "%25"),
            ("sqlserver://u:canary%zz@h/d", "%25"),
            ("sqlserver://u:canary@/d", "names no host"),
            ("sqlserver://u:canary@h:x/d", "host or port"),
            ("sqlserver://u:canary@h:70000/d", "host or port"),
            ("sqlserver://u:canary@h", "names no database"),
            ("sqlserver://canary/d", "names no user"),
            ("sqlserver://u:canary@h/SQLEXPRESS?database=d", "two databases"),
            ("sqlserver://u:canary@h/d?canary", "no value"),
            ("sqlserver://u:canary@h/d?packet_size=canary", "packet size"),
            ("sqlserver://u:canary@h/d?packet_size=65536", "packet size"),
            ("sqlserver://u:canary@h/d?connect_timeout=0", "connect timeout"),
            ("sqlserver://u:canary@h/d?application_intent=readonly", "read-only replica"),
            ("Server=h;Failover Partner=x;User Id=u;Password=canary", "setting failoverpartner"),
            ("Server=h;Database=d;User Id=u;Password=a;canary=x", "a setting is unknown"),
            ("Server=h;Database=d;User Id=u;Password=a;canary", "no value"),
            ("Server=h;Database=d;Integrated Security=SSPI", "Windows or Entra"),
            ("Server=h;Database=d;Trusted_Connection=True", "Windows or Entra"),
            ("Server=h;Database=d;Authentication=Active Directory Default", "Windows or Entra"),
            ("Server=np:h;Database=d;User Id=u;Password=canary", "another protocol"),
            ("Server=(localdb)\\x;Database=d;User Id=u;Password=canary", "LocalDB"),
            ("Server=h;Database=d;User Id=u;Password=canary;Encrypt=Strict", "Strict"),
            ("Server=h;Database=d;User Id=u;Password=canary;Encrypt=canary", "encrypt"),
            ("Driver={ODBC Driver 18 for SQL Server};Server=h;PWD=canary", "setting driver"),
        ] {
            refused_with(text, part);
        }
    }

    #[test]
    fn the_address_says_nothing_else_of_tls_than_the_configuration() {
        let agrees = |more: &str, transport| {
            let text = format!("Server=h;Database=d;User Id=u;Password=canary{more}");
            read(&text).agrees_with(transport).map_err(|e| {
                let said = format!("{e} {}", e.remedy());
                assert!(said.contains("tls") && !said.contains("canary"), "{said}");
            })
        };
        use Transport::{Local, Plain, Unverified, Verified};
        for transport in [Local, Plain, Unverified, Verified] {
            assert_eq!(agrees("", transport), Ok(()));
        }
        for (more, good) in [
            (";Encrypt=True", &[Unverified, Verified][..]),
            (";Encrypt=Mandatory;TrustServerCertificate=False", &[Verified]),
            (";Encrypt=yes;TrustServerCertificate=yes", &[Unverified]),
            (";Encrypt=False", &[Local, Plain]),
            (";Encrypt=Optional;TrustServerCertificate=True", &[Local, Plain]),
        ] {
            for transport in [Local, Plain, Unverified, Verified] {
                assert_eq!(agrees(more, transport).is_ok(), good.contains(&transport), "{more}");
            }
        }
    }
}
