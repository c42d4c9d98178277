//! From the driver's errors to ours: what follows from them, and what may be said of them.
//!
//! SQL Server repeats row values in the message of some numbers, in the server's language. What is
//! said is the number, our words for it and, where a message holds names of objects alone, that.

use std::fmt;
use std::io;

use tiberius::error::TokenError;

use super::address::Address;
use crate::error::{End, Error, Kind};

/// From this severity on, the server ends the session.
const FATAL: u8 = 20;
/// Numbers from here on are what triggers and procedures raise.
const RAISED: u32 = 50_000;
/// What Babelfish answers where SQL Server has a number that it doesn't know: no row is to blame.
const UNNUMBERED: u32 = 33_557_097;

const TRUST: &str = "As a last resort, and only in a network where nobody else can answer in the \
    server's place, tls = \"trust-server\" takes any certificate.";

/// What went wrong while `doing` (as in "reading jobshead") on an open connection to `end`.
pub fn failed(doing: &str, end: End, e: &tiberius::error::Error) -> Error {
    use tiberius::error::Error as E;
    match e {
        E::Server(refusal) => {
            let refusal = Refusal::from(refusal);
            let error =
                Error::new(kind_of(refusal.number), format!("{doing}: {}", said(end, &refusal)));
            match remedy(&refusal) {
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
                "the {end} database at {at}: database \"{database}\" is not there, or closed to the \
                 login ({number})"
            ),
        )
        .remedied(format!(
            "Correct the database's name in [{end}] url, or make a user for the login there: create \
             user … for login …."
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

/// What follows from a server's number.
fn kind_of(number: u32) -> Kind {
    match number {
        // Lock request time out
        1222 => Kind::Busy,
        // Deadlock victim; update conflicts of snapshot isolation
        1205 | 3960 | 3961 => Kind::Transient,
        // Lost on the way, or the server ends or is full of sessions
        64 | 121 | 233 | 596 | 6005 | 10053 | 10054 | 10060 | 17830 => Kind::Transient,
        // Azure: moved, throttled, out of workers
        10928 | 10929 | 40143 | 40197 | 40501 | 40540 | 40613 | 49918..=49920 => Kind::Transient,
        // Logins
        916 | 4060 | 18450..=18488 => Kind::Unauthorised,
        // Rights
        229 | 230 | 262 | 297 | 300 => Kind::Unauthorised,
        2601 | 2627 => Kind::Taken,
        // Null, constraint
        515 | 547 | 550 => Kind::BadValue,
        // Conversion, range, length
        220 | 232 | 241 | 242 | 244 | 245 | 248 | 295 | 296 | 2628 | 6522 | 8114 | 8115 | 8152
        | 8169 => Kind::BadValue,
        UNNUMBERED => Kind::Other,
        // A trigger rolled back or raised
        3609 | 3616 | RAISED.. => Kind::BadValue,
        // Column, object, schema; snapshot isolation is off
        207 | 208 | 2760 | 3952 => Kind::Config,
        _ => Kind::Other,
    }
}

/// What to do about an error of the server itself, which comes again until somebody does it.
fn remedy(refusal: &Refusal<'_>) -> Option<&'static str> {
    Some(match refusal.number {
        // Whoever is asked for something has logged in.
        229 | 230 | 262 | 297 | 300 if refusal.procedure.is_empty() => {
            "`tidegate check` names the rights that the login lacks, with the statements."
        }
        1105 => "The database's file group is full: make room there, then run again.",
        9002 => "The database's log is full: back it up or let it grow, then run again.",
        701 | 802 => "The server is out of memory: give it more, or set a smaller batch_rows.",
        3906 | 3908 => "The database takes no writes at this moment: is it a replica?",
        3952 => "As the database's owner: alter database … set allow_snapshot_isolation on.",
        1222 => "Look for a transaction there that stays open; the next run tries again.",
        _ => return None,
    })
}

/// The parts of a server's error that can be said.
struct Refusal<'a> {
    number: u32,
    message: &'a str,
    /// The trigger or procedure that it happened in, which may have made a statement, and the name
    /// that it did not find, out of a value.
    procedure: &'a str,
}

impl<'a> From<&'a TokenError> for Refusal<'a> {
    fn from(e: &'a TokenError) -> Self {
        Self { number: e.code(), message: e.message(), procedure: e.procedure() }
    }
}

fn said(end: End, refusal: &Refusal<'_>) -> String {
    let mut text = format!("the {end} answered {}", refusal.number);
    let within = refusal.procedure;
    if refusal.number >= RAISED && refusal.number != UNNUMBERED {
        return match within.is_empty() {
            true => format!("{text}, raised by a trigger or procedure"),
            false => format!("{text}, raised by {within}"),
        };
    }
    if speaks_of_objects(refusal.number) && within.is_empty() {
        text = format!("{text}, {}", refusal.message.trim_end_matches('.'));
    } else if let Some(name) = name_of(refusal.number) {
        text = format!("{text}, {name}");
        if let Some((constraint, table)) = key_of(refusal) {
            text = format!("{text}, table {table}, constraint {constraint}");
        }
    }
    match within.is_empty() {
        true => text,
        false => format!("{text}, within {within}"),
    }
}

/// Whether the server's own message under this number never holds a value.
fn speaks_of_objects(number: u32) -> bool {
    matches!(
        number,
        207 | 208
            | 229
            | 230
            | 262
            | 297
            | 300
            | 515
            | 547
            | 916
            | 1105
            | 1205
            | 1222
            | 2760
            | 3906
            | 3908
            | 3952
            | 3960
            | 3961
            | 4060
            | 9002
    )
}

/// Words in place of a message that may hold values.
fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        220 | 232 | 8115 => "number out of range",
        241 => "not a date or time",
        242 => "date or time out of range",
        207 => "a column is missing",
        208 | 2760 => "a table or schema is missing",
        229 | 230 | 262 | 297 | 300 => "a right is missing",
        244 | 245 | 248 | 295 | 296 | 8114 | 8169 => "value not of the column's type",
        515 => "null in a column that has to be set",
        547 => "foreign key or check constraint violated",
        550 => "a view's check option violated",
        1205 => "deadlock",
        1222 => "a lock is held by somebody else",
        2601 | 2627 => "unique constraint violated",
        2628 | 8152 => "value too long",
        3609 => "a trigger ended the transaction",
        3960 | 3961 => "another transaction changed the row",
        _ => return None,
    })
}

/// Constraint or index, and table, of a violated key. After them the message holds the key.
fn key_of<'a>(refusal: &Refusal<'a>) -> Option<(&'a str, &'a str)> {
    let quoted = |after: &str| {
        let (_, rest) = refusal.message.split_once(after)?;
        rest.split_once('\'').map(|(name, _)| name)
    };
    match refusal.number {
        2627 => Some((
            quoted(" KEY constraint '")?,
            quoted("'. Cannot insert duplicate key in object '")?,
        )),
        2601 => Some((
            quoted("' with unique index '")?,
            quoted("Cannot insert duplicate key row in object '")?,
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u32, message: &str) -> Refusal<'_> {
        Refusal { number, message, procedure: "" }
    }

    #[test]
    fn numbers_become_kinds() {
        let check = |kind, numbers: &[u32]| {
            for number in numbers {
                assert_eq!(kind_of(*number), kind, "{number}");
            }
        };
        check(Kind::Transient, &[1205, 3960, 3961, 40613, 40197, 40501, 49918, 10928, 10929]);
        check(Kind::Transient, &[233, 10053, 10054, 10060, 64, 121]);
        check(Kind::Busy, &[1222]);
        check(Kind::Taken, &[2627, 2601]);
        check(Kind::Unauthorised, &[18456, 18452, 18470, 4060, 916, 229, 230, 262, 297, 300]);
        check(Kind::BadValue, &[547, 515, 2628, 8152, 8115, 8114, 220, 232, 241, 242, 245]);
        check(Kind::BadValue, &[3609, 50_000, 50_001, 99_999]);
        check(Kind::Config, &[207, 208, 3952]);
        check(Kind::Other, &[0, 102, 1105, 3902, 9002]);
    }

    #[test]
    fn values_of_rows_are_never_said() {
        for number in [
            220, 232, 241, 242, 245, 2601, 2627, 2628, 3609, 3902, 8114, 8115, 8152, 50_000,
            50_001, 102,
        ] {
            let text = said(End::Desktop, &refusal(number, "canary 'canary' (canary)"));
            assert!(text.contains(&number.to_string()) && !text.contains("canary"), "{text}");
        }
        for number in [207, 208, 229, 515, 547, 1205] {
            let within = Refusal { procedure: "t_jobs", ..refusal(number, "canary") };
            let text = said(End::Desktop, &within);
            assert!(text.ends_with(", within t_jobs") && !text.contains("canary"), "{text}");
        }
        let raised = Refusal { procedure: "t_jobs", ..refusal(50_000, "canary") };
        assert_eq!(said(End::Desktop, &raised), "the desktop answered 50000, raised by t_jobs");
    }

    #[test]
    fn objects_are_named() {
        let primary = "Violation of PRIMARY KEY constraint 'PK_jobs'. Cannot insert duplicate key in \
                       object 'dbo.jobs'. The duplicate key value is (canary).";
        assert_eq!(
            said(End::Desktop, &refusal(2627, primary)),
            "the desktop answered 2627, unique constraint violated, table dbo.jobs, constraint PK_jobs"
        );
        let index = "Cannot insert duplicate key row in object 'dbo.jobs' with unique index 'IX_no'. The \
                     duplicate key value is (canary).";
        assert_eq!(
            said(End::Desktop, &refusal(2601, index)),
            "the desktop answered 2601, unique constraint violated, table dbo.jobs, constraint IX_no"
        );
        assert_eq!(
            said(End::Desktop, &refusal(208, "Invalid object name 'dbo.jobs'.")),
            "the desktop answered 208, Invalid object name 'dbo.jobs'"
        );
    }

    #[test]
    fn a_message_in_another_language_names_nothing() {
        let german = "Verletzung der PRIMARY KEY-Einschränkung \"PK_jobs\". Der doppelte Schlüsselwert ist \
                      ('canary').";
        assert_eq!(
            said(End::Desktop, &refusal(2627, german)),
            "the desktop answered 2627, unique constraint violated"
        );
    }

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
