//! From the driver's errors to ours: what follows from them, and what may be said of them.
//!
//! SQL Server repeats row values in the message of some numbers, in the server's language. What is
//! said is the number, our words for it and, where a message holds names of objects alone, that.

mod numbers;
mod refusal;

use std::fmt;
use std::io;

use tiberius::error::TokenError;

use super::address::Address;
use crate::error::{End, Error, Kind};

use numbers::kind_of;
use refusal::Refusal;

/// From this severity on, the server ends the session.
const FATAL: u8 = 20;

const TRUST: &str = "As a last resort, and only in a network where nobody else can answer in the \
    server's place, tls = \"trust-server\" takes any certificate.";

/// What went wrong while `doing` (as in "reading jobshead") on an open connection to `end`.
pub fn failed(doing: &str, end: End, e: &tiberius::error::Error) -> Error {
    use tiberius::error::Error as E;
    match e {
        E::Server(refusal) => {
            let refusal = Refusal::from(refusal);
            let error = Error::new(refusal.kind(), format!("{doing}: {}", refusal.said(end)));
            match refusal.remedy() {
                Some(remedy) => error.remedied(remedy),
                None => error,
            }
        }
        E::Io { message, .. } => lost(doing, end, message),
        e if is_unreadable(e) => {
            let message = format!("{doing}: the {end} sent a text that is no Unicode");
            Error::new(Kind::Transient, message).because(StrangeText)
        }
        E::Protocol(_) | E::Tls(_) => lost(doing, end, "it no longer speaks the protocol"),
        E::ParseInt(_) => Error::new(Kind::Other, format!("{doing}: {end}: a number is none")),
        // The driver's own words may hold what could not be converted.
        E::Conversion(_) => {
            Error::new(Kind::Other, format!("{doing}: {end}: a value is not of the type asked for"))
        }
        E::BulkInput(_) => {
            Error::new(Kind::Other, format!("{doing}: {end}: a row is not of the table's columns"))
        }
        _ => Error::new(Kind::Other, format!("{doing}: {end}: the driver failed")),
    }
}

/// A text that the driver can't read, as one with half of a surrogate pair: asked for in another way, it can be
/// looked at.
#[derive(Debug)]
struct StrangeText;

impl fmt::Display for StrangeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the driver reads valid texts only")
    }
}

impl std::error::Error for StrangeText {}

/// Whether the driver could not read a text, and the same may be asked for as bytes.
pub(crate) fn is_strange_text(e: &Error) -> bool {
    use std::error::Error as _;
    e.source().is_some_and(|cause| cause.is::<StrangeText>())
}

fn is_unreadable(e: &tiberius::error::Error) -> bool {
    use tiberius::error::Error as E;
    match e {
        E::Encoding(_) | E::Utf8 | E::Utf16 => true,
        // Of nvarchar the driver says it in no other way.
        E::Protocol(words) => words.contains("UTF-16"),
        _ => false,
    }
}

/// The error that nothing can be asked any more.
pub(super) fn gone(doing: &dyn fmt::Display, end: End) -> Error {
    lost(&doing.to_string(), end, "given up before")
}

/// Whether no connection survives this.
pub(super) fn is_fatal(e: &tiberius::error::Error) -> bool {
    match e {
        tiberius::error::Error::Server(refusal) => refusal.class() >= FATAL,
        _ => true,
    }
}

fn lost(doing: &str, end: End, why: &str) -> Error {
    Error::new(Kind::Transient, format!("{doing}: the connection to the {end} was lost ({why})"))
}

/// Why there is no connection to `address`.
pub(super) fn not_connected(address: &Address, e: &tiberius::error::Error) -> Error {
    match e {
        tiberius::error::Error::Server(refusal) => login_refused(address, refusal),
        tiberius::error::Error::Tls(words) => certificate_refused(address, words),
        tiberius::error::Error::Io { kind, message } => {
            let error = address.unreachable(message);
            let hung_up = matches!(
                kind,
                io::ErrorKind::InvalidData
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
            );
            match hung_up {
                true => error.remedied(format!(
                    "Check that the port is a SQL Server's, and that it speaks TLS 1.2 with ECDHE: \
                     SQL Server 2016 on Windows 2016 does, or an older one with its updates. If the \
                     network is safe, tls = \"off\" under [{}] asks for none: password and rows are \
                     then readable there.",
                    address.end
                )),
                false => error,
            }
        }
        tiberius::error::Error::Protocol(words) if words.contains("encryption level") => {
            address.unreachable("the server takes no TLS").remedied(format!(
                "Give the server a certificate; or, if the network is safe, write tls = \"off\" \
                 under [{}].",
                address.end
            ))
        }
        // These words are about the protocol, before any row was read.
        e => address.unreachable(e),
    }
}

fn certificate_refused(address: &Address, words: &str) -> Error {
    let what = words.split_once("handshake: ").map_or(words, |(_, what)| what);
    // What follows is advice for who programs with the driver.
    let end = [". To connect", ". The SQL Server"].iter().filter_map(|cut| what.find(cut)).min();
    let what = &what[..end.unwrap_or(what.len())];
    let error = address.unreachable(format!("the server's certificate is refused: {what}"));
    error.remedied(match what {
        _ if what.contains("UnknownIssuer") => format!(
            "Export the certificate of the CA that issued the server's, or the server's own if it \
             issued that itself, as PEM, and write tls = {{ ca = \"/path/to/it\" }} under [{}]. \
             {TRUST}",
            address.end
        ),
        _ if what.contains("BadSignature") => {
            "The CA of tls = { ca = … } has the issuer's name but another key, as when it was made \
             anew: get its certificate again."
                .to_owned()
        }
        _ if what.contains("not valid for") || what.contains("NotValidForName") => format!(
            "Connect by a name that the certificate carries as subjectAltName, or have it issued \
             for this one. {TRUST}"
        ),
        _ if what.contains("xpired") => format!(
            "Renew the server's certificate; if it is new, check the clock of this machine. {TRUST}"
        ),
        _ if what.contains("not valid yet") || what.contains("NotValidYet") => {
            "Check the clock of this machine.".to_owned()
        }
        _ if what.contains("UnsupportedCertVersion") => format!(
            "The server made that certificate itself, of version 1: give it one of its own, issued \
             by a CA (SQL Server Configuration Manager, Protocols, Certificate). {TRUST}"
        ),
        _ => format!(
            "The server needs a certificate of its own, issued by a CA; a CA certificate itself \
             can't serve. {TRUST}"
        ),
    })
}

fn login_refused(address: &Address, refusal: &TokenError) -> Error {
    let Address { end, database, .. } = address;
    let (at, number) = (address.at(), refusal.code());
    let refused = |why: &str| {
        Error::new(
            Kind::Unauthorised,
            format!("the {end} database at {at} refused {why} ({number})"),
        )
    };
    match number {
        18456 => refused("user or password"),
        18452 => refused("a login by password").remedied(
            "The server takes Windows logins only: switch it to mixed mode (Server Properties, \
             Security), restart it, and make a login of SQL Server.",
        ),
        18470 => refused("the login, which is disabled")
            .remedied("As an administrator: alter login … enable."),
        18486..=18488 => refused("the login, which is locked or whose password has expired")
            .remedied("As an administrator: set a new password, and unlock the login."),
        4060 | 916 | 4064 => Error::new(
            Kind::Unauthorised,
            format!(
                "the {end} database at {at}: database \"{database}\" is not there, closed to the \
                 login, or about to be restored or recovered ({number})"
            ),
        )
        .remedied(format!(
            "Look whether it is online; correct the database's name in [{end}] url, or make a user \
             for the login there: create user … for login …."
        )),
        40615 => refused("this machine's address")
            .remedied("Let the address through in the firewall of the Azure server."),
        // No rows were read yet, so the server's words hold none.
        _ => {
            let words = format!("{} ({number})", address.without_user(refusal.message()));
            match kind_of(number) {
                Kind::Transient | Kind::Busy => address.unreachable(words),
                kind => Error::new(kind, format!("the {end} database at {at} refused: {words}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_own_words_are_not_repeated() {
        use tiberius::error::Error as E;
        for (e, kind) in [
            (E::Conversion("canary".into()), Kind::Other),
            (E::BulkInput("canary".into()), Kind::Other),
            (E::Encoding("canary".into()), Kind::Transient),
            (E::Utf16, Kind::Transient),
            (E::Protocol("canary".into()), Kind::Transient),
        ] {
            let e = failed("reading jobs", End::Desktop, &e);
            assert_eq!(e.kind(), kind);
            assert!(
                !format!("{e:?}").contains("canary") && e.to_string().starts_with("reading jobs: ")
            );
        }
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_remedy() {
        let url = "sqlserver://u:p@h.example/d".into();
        let address = Address::read(&url, End::Desktop).unwrap();
        for (fault, remedy) in [
            ("UnknownIssuer", "tls = { ca = \"/path/to/it\" } under [desktop]"),
            ("BadSignature", "get its certificate again"),
            ("certificate not valid for name \"h.example\"", "subjectAltName"),
            ("certificate expired: verification time 2 (UNIX)", "Renew"),
            ("certificate not valid yet: verification time 1 (UNIX)", "the clock"),
            ("Other(OtherError(UnsupportedCertVersion))", "of version 1"),
            ("Other(OtherError(CaUsedAsEndEntity))", "a CA certificate itself can't serve"),
        ] {
            let words = format!(
                "the server's certificate was rejected during the TLS handshake: {fault}. To connect \
                 anyway you can: (1) canary"
            );
            let e = not_connected(&address, &tiberius::error::Error::Tls(words));
            assert_eq!(e.kind(), Kind::Unreachable(End::Desktop));
            assert!(e.to_string().ends_with(&format!("certificate is refused: {fault}")), "{e}");
            assert!(e.remedy().contains(remedy), "{fault}: {}", e.remedy());
        }
    }

    #[test]
    fn only_the_servers_own_word_leaves_a_connection_usable() {
        assert!(is_fatal(&tiberius::error::Error::Utf16));
        assert!(is_fatal(&tiberius::error::Error::Protocol("".into())));
    }
}
