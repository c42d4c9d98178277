//! From the driver's errors to ours: what follows from them, and what may be said of them.
//!
//! PostgreSQL repeats row values in DETAIL and CONTEXT, and in the message of some classes. Those
//! are never kept, not as a cause either: an [`Error`] prints its cause.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::{DbError, SqlState};

use super::connect::Address;
use super::tls;
use crate::error::{End, Error, Kind};

const CLIENT_CERTIFICATE: &str = "Name a certificate that is valid, that the server's ssl_ca_file \
    has issued, and that carries the user as its common name, with sslcert=/path/to/it and \
    sslkey=/path/to/its/key in the URL.";

/// What went wrong while `doing` (as in "reading jobshead") on an open connection to `end`.
pub fn failed(doing: &str, end: End, e: tokio_postgres::Error) -> Error {
    if let Some(refusal) = e.as_db_error() {
        let words = Refusal::from(refusal);
        let kind = match words.raised {
            true => kind_raised(refusal.code()),
            false => kind_of(refusal.code()),
        };
        let error = Error::new(kind, format!("{doing}: {}", said(end, &words)));
        return match remedy(&words) {
            Some(remedy) => error.remedied(remedy),
            None => error,
        };
    }
    if let Some(why) = lost(&e) {
        return Error::new(
            Kind::Transient,
            format!("{doing}: the connection to the {end} was lost ({why})"),
        );
    }
    // The driver's own words name columns and numbers; its causes may hold values.
    Error::new(Kind::Other, format!("{doing}: {end}: {e}"))
}

/// Why there is no connection to `address`.
pub(super) fn not_connected(address: &Address, e: &tokio_postgres::Error) -> Error {
    if let Some(refusal) = e.as_db_error() {
        return login_refused(address, refusal);
    }
    let Some(cause) = e.source() else {
        return address.unreachable(e);
    };
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        let tls = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(alert) = tls.filter(|e| tls::is_refusal(e)) {
            return certificate_refused(address, alert);
        }
        let error = address.unreachable(io);
        return match tls.and_then(tls::remedy) {
            Some(remedy) => error.remedied(remedy),
            None => error,
        };
    }
    // The driver has no other mark for these.
    if cause.to_string() == "server does not support TLS" {
        return address.unreachable(cause).remedied(
            "Turn ssl on at the server; or, if the network is safe, write sslmode=disable in the \
             URL.",
        );
    }
    if cause.to_string() == "password missing" {
        let Address { end, at, .. } = address;
        return Error::new(
            Kind::Unauthorised,
            format!("the {end} database at {at} asks for a password, and [{end}] url has none"),
        );
    }
    address.unreachable(cause)
}

fn certificate_refused(address: &Address, alert: &rustls::Error) -> Error {
    let Address { end, at, .. } = address;
    Error::new(
        Kind::Unauthorised,
        format!("the {end} database at {at} refused tidegate's certificate: {alert}"),
    )
    .remedied(CLIENT_CERTIFICATE)
}

fn login_refused(address: &Address, refusal: &DbError) -> Error {
    let Address { end, at, database, .. } = address;
    let code = refusal.code().code();
    match code {
        "28P01" => Error::new(
            Kind::Unauthorised,
            format!("the {end} database at {at} refused user or password ({code})"),
        ),
        // pgbouncer has the code of a broken protocol for all that it refuses.
        "08P01" if refusal.message().contains("authentication failed") => Error::new(
            Kind::Unauthorised,
            format!("the pooler of the {end} database at {at} refused user or password ({code})"),
        ),
        // The code says no more than pg_hba.conf's other refusals do.
        _ if code.starts_with("28") && refusal.message().contains("certificate") => Error::new(
            Kind::Unauthorised,
            format!(
                "the {end} database at {at} asks for a client certificate of the user ({code})"
            ),
        )
        .remedied(CLIENT_CERTIFICATE),
        _ if code.starts_with("28") => Error::new(
            Kind::Unauthorised,
            format!("the {end} database at {at} refused the login ({code})"),
        )
        .remedied(
            "Check that the role exists and may log in, and that pg_hba.conf admits it to this \
             database from this machine, with or without TLS as the URL has it.",
        ),
        "3D000" => Error::config(
            format!(
                "the {end} database at {at}: database \"{}\" does not exist",
                database.as_deref().unwrap_or("…")
            ),
            format!("Correct the database's name in [{end}] url, or create it."),
        ),
        // No rows were read yet, so the server's words hold none.
        _ => {
            let words = format!("{} ({code})", address.without_user(refusal.message()));
            match kind_of(refusal.code()) {
                // Poolers use class 08 for users and databases they don't know.
                Kind::Transient if code.starts_with("08") => {
                    address.unreachable(words).remedied(format!(
                        "A pooler answered: check user, database and sslmode in [{end}] url, and \
                         that the server behind it runs."
                    ))
                }
                kind => {
                    let error =
                        Error::new(kind, format!("the {end} database at {at} refused: {words}"));
                    match code {
                        "42501" => error
                            .remedied("As the database's owner: grant connect on it to the role."),
                        _ => error,
                    }
                }
            }
        }
    }
}

/// What follows from a SQLSTATE.
fn kind_of(state: &SqlState) -> Kind {
    match state.code() {
        // lock_not_available
        "55P03" => Kind::Busy,
        // query_canceled, as by statement_timeout
        "57014" => Kind::Slow,
        // deadlock_detected, serialization_failure
        "40P01" | "40001" => Kind::Transient,
        // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
        "57P01" | "57P02" | "57P03" | "53300" => Kind::Transient,
        // The server closed the session: idle too long, or a transaction idle or open too long.
        "57P05" | "25P03" | "25P04" => Kind::Transient,
        // A pooled session has another program's statement under the name that the driver gives
        // to a COPY, duplicate_prepared_statement; the next try has another name.
        "42P05" => Kind::Transient,
        "42501" => Kind::Unauthorised,
        "23505" => Kind::Taken,
        code => match class(code) {
            "08" => Kind::Transient,
            // P0001 and 45000 are what functions and triggers raise by themselves.
            "22" | "23" | "44" | "45" | "P0" => Kind::BadValue,
            "28" => Kind::Unauthorised,
            _ => Kind::Other,
        },
    }
}

/// What follows from a SQLSTATE that a function or trigger raised: it is about the row, whatever
/// the code, and what passes is tried again by a later run.
fn kind_raised(state: &SqlState) -> Kind {
    match kind_of(state) {
        // Of a disk or a memory that is full nobody speaks because of one row.
        Kind::Other if class(state.code()) == "53" => Kind::Other,
        Kind::Transient => Kind::Busy,
        Kind::Other | Kind::Unauthorised => Kind::BadValue,
        kind => kind,
    }
}

/// What to do about an error of the server itself, which comes again until somebody does it.
fn remedy(refusal: &Refusal<'_>) -> Option<&'static str> {
    Some(match refusal.code {
        // Whoever is asked for something has logged in.
        "42501" if !refusal.raised && !refusal.within_function => {
            "`tidegate check` names the rights that the role lacks, with the statements."
        }
        "53100" => "The server's disk is full: make room there, then run again.",
        "53200" => "The server is out of memory: give it more, or set a smaller batch_rows.",
        "58030" => "The server can't read or write its files: look into its log.",
        "25006" => "The server takes no writes at this moment: is it a standby?",
        _ => return None,
    })
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or("")
}

/// The parts of a server's error that can be said.
struct Refusal<'a> {
    code: &'a str,
    message: &'a str,
    schema: Option<&'a str>,
    table: Option<&'a str>,
    column: Option<&'a str>,
    constraint: Option<&'a str>,
    /// By RAISE of a function or trigger, which may put a value under any SQLSTATE, and any text
    /// into the names of objects.
    raised: bool,
    /// Within a function or trigger, which may have made a statement, and the name that it did not
    /// find, out of a value.
    within_function: bool,
}

impl<'a> From<&'a DbError> for Refusal<'a> {
    fn from(e: &'a DbError) -> Self {
        Self {
            code: e.code().code(),
            message: e.message(),
            schema: e.schema(),
            table: e.table(),
            column: e.column(),
            constraint: e.constraint(),
            raised: e.routine() == Some("exec_stmt_raise"),
            within_function: e.where_().is_some_and(|context| context.contains("function ")),
        }
    }
}

fn said(end: End, refusal: &Refusal<'_>) -> String {
    let mut text = format!("the {end} answered {}", refusal.code);
    if refusal.raised {
        return format!("{text}, raised by a function or trigger");
    } else if speaks_of_objects(refusal.code) && !refusal.within_function {
        text = format!("{text}, {}", refusal.message);
    } else if let Some(name) = name_of(refusal.code) {
        text = format!("{text}, {name}");
    }
    if refusal.within_function {
        text.push_str(", within a function or trigger");
    }
    if let Some(table) = refusal.table {
        let schema = refusal.schema.map(|schema| format!("{schema}.")).unwrap_or_default();
        text = format!("{text}, table {schema}{table}");
    }
    for (what, name) in [("column", refusal.column), ("constraint", refusal.constraint)] {
        if let Some(name) = name {
            text = format!("{text}, {what} {name}");
        }
    }
    text
}

/// Whether the server's own message under this SQLSTATE never holds a value.
fn speaks_of_objects(code: &str) -> bool {
    matches!(class(code), "08" | "25" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57")
}

/// Words in place of a message that may hold values.
fn name_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "22001" => "value too long",
        "22003" => "number out of range",
        "22007" => "not a date or time",
        "22008" => "date or time out of range",
        "22021" => "character not in the encoding",
        "22P02" => "value not of the column's type",
        "22P03" => "binary value not of the column's type",
        "22P05" => "character unknown to the encoding",
        "23502" => "null in a column that has to be set",
        "23503" => "foreign key violated",
        "23505" => "unique constraint violated",
        "23514" => "check constraint violated",
        "23P01" => "exclusion constraint violated",
        _ => match class(code) {
            "22" => "value refused",
            "23" => "constraint violated",
            "28" => "login refused",
            "54" => "a limit of the server exceeded",
            "XX" => "internal error of the server",
            _ => return None,
        },
    })
}

/// Why the connection is gone, if that is what the error says.
fn lost(e: &tokio_postgres::Error) -> Option<String> {
    if e.is_closed() {
        return Some("closed".to_owned());
    }
    let io = e.source()?.downcast_ref::<io::Error>()?;
    // These two are what the driver calls a message that it can't write or read.
    let lost = !matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    lost.then(|| io.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<'a>(code: &'a str, message: &'a str) -> Refusal<'a> {
        Refusal {
            code,
            message,
            schema: None,
            table: None,
            column: None,
            constraint: None,
            raised: false,
            within_function: false,
        }
    }

    #[test]
    fn sqlstates_become_kinds() {
        let check = |kind, codes: &[&str]| {
            for code in codes {
                assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
            }
        };
        check(Kind::Transient, &["40P01", "40001", "57P01", "57P02", "57P03"]);
        check(Kind::Busy, &["55P03"]);
        check(Kind::Slow, &["57014"]);
        check(Kind::Taken, &["23505"]);
        check(Kind::Transient, &["08000", "08006", "08P01", "53300", "25P03", "57P05", "42P05"]);
        check(Kind::Unauthorised, &["42501", "28P01", "28000"]);
        check(Kind::BadValue, &["22001", "22P02", "22999", "23502", "23503", "23P01", "P0001"]);
        check(Kind::Other, &["53100", "42P01", "3D000", "XX000", "25006", "55000", ""]);
    }

    #[test]
    fn what_a_function_raises_is_about_a_row() {
        let check =
            |kind, code| assert_eq!(kind_raised(&SqlState::from_code(code)), kind, "{code}");
        for code in ["P0001", "PT402", "42501", "XX000", "22023"] {
            check(Kind::BadValue, code);
        }
        check(Kind::Other, "53100");
        check(Kind::Busy, "40001");
        check(Kind::Busy, "55P03");
        check(Kind::Taken, "23505");
        check(Kind::Slow, "57014");
    }

    #[test]
    fn values_of_rows_are_never_said() {
        for code in ["22P02", "22001", "23505", "P0001", "44000", "XX000", "0A000", "99999"] {
            let text = said(End::Cloud, &refusal(code, "canary"));
            assert!(text.contains(code) && !text.contains("canary"), "{text}");
        }
        let raised =
            Refusal { raised: true, constraint: Some("canary"), ..refusal("42501", "canary") };
        assert_eq!(
            said(End::Cloud, &raised),
            "the cloud answered 42501, raised by a function or trigger"
        );
        let within = Refusal { within_function: true, ..refusal("42P01", "canary") };
        assert_eq!(
            said(End::Cloud, &within),
            "the cloud answered 42P01, within a function or trigger"
        );
    }

    #[test]
    fn objects_are_named() {
        let unique = Refusal {
            schema: Some("public"),
            table: Some("jobshead"),
            column: Some("jobno"),
            constraint: Some("jobshead_pkey"),
            ..refusal("23505", "canary")
        };
        assert_eq!(
            said(End::Cloud, &unique),
            "the cloud answered 23505, unique constraint violated, table public.jobshead, \
             column jobno, constraint jobshead_pkey"
        );
        assert_eq!(
            said(End::Desktop, &refusal("42501", "permission denied for table jobshead")),
            "the desktop answered 42501, permission denied for table jobshead"
        );
    }
}
