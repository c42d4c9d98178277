//! The servers and the ways to them.

use std::time::SystemTime;

use crate::check::facts::Clock;
use crate::check::facts::postgres::{Server, Way};
use crate::check::finding::Finding;
use crate::db::postgres::Transport;
use crate::error::End;

/// Before it, what the engine relies on is missing.
const OLDEST_MAJOR: u32 = 13;
/// Two people who edit one row this far apart would be ordered wrongly.
const SECONDS_APART_MAX: f64 = 2.0;

/// What is to be said of one end.
pub(in crate::check) fn findings(end: End, server: &Server, way: &Way) -> Vec<Finding> {
    let mut found = vec![version(server)];
    found.extend(encoding(end, server));
    found.push(transport(end, server, way));
    found.extend(way.expires.map(certificate));
    found.extend(pooler(way));
    found.extend(counts(end, server));
    found.extend(standby(end, server));
    found.into_iter().map(|finding| finding.at(end)).collect()
}

fn version(server: &Server) -> Finding {
    let Server { version, major, .. } = server;
    if *major < OLDEST_MAJOR {
        return Finding::misfit(
            "version",
            format!("PostgreSQL {version} is too old"),
            format!("Upgrade it; tidegate needs PostgreSQL {OLDEST_MAJOR} or later."),
        );
    }
    match server.maintained {
        true => {
            Finding::ok("version", format!("PostgreSQL {version}, database {}", server.database))
        }
        false => Finding::warning(
            "version",
            format!("PostgreSQL {version} is no longer maintained: its faults stay"),
            "Upgrade the server to a version that still gets fixes.",
        ),
    }
}

fn encoding(end: End, server: &Server) -> Option<Finding> {
    let Server { encoding, .. } = server;
    match (end, encoding.as_str()) {
        (_, "UTF8") => None,
        (End::Desktop, "SQL_ASCII") => Some(Finding::warning(
            "encoding",
            "the database's encoding is SQL_ASCII: its texts may be in any encoding",
            "Move it to a database in UTF8; until then rows whose texts are not UTF-8 are refused.",
        )),
        // Every character of another encoding exists in Unicode.
        (End::Desktop, _) => None,
        (End::Cloud, _) => Some(Finding::warning(
            "encoding",
            format!("the database's encoding is {encoding}, which lacks characters"),
            "Move it to a database in UTF8; until then rows with other characters are refused.",
        )),
    }
}

fn transport(end: End, server: &Server, way: &Way) -> Finding {
    let beyond = if way.shares_sessions { ", to the pooler" } else { "" };
    match (way.transport, &server.tls) {
        (Transport::Plain, _) => Finding::warning(
            "tls",
            "the password and every row cross the network readable and unverified",
            format!("Take sslmode=disable out of [{end}] url: a server is then verified."),
        ),
        (Transport::Local, _) => {
            Finding::ok("tls", format!("on this machine{beyond}, without TLS"))
        }
        // What the server says is about its leg, which ends at the pooler.
        (Transport::Verified, Some(tls)) if !way.shares_sessions => {
            Finding::ok("tls", format!("encrypted and verified, {tls}"))
        }
        (Transport::Verified, _) => Finding::ok("tls", format!("encrypted and verified{beyond}")),
    }
}

fn certificate(end: SystemTime) -> Finding {
    let day = humantime::format_rfc3339_seconds(end).to_string();
    let day = day.split('T').next().unwrap_or_default().to_owned();
    Finding::warning(
        "certificate",
        format!("the server's certificate, or one above it, expires on {day}"),
        "Renew it before: without it no run gets through.",
    )
}

fn pooler(way: &Way) -> Option<Finding> {
    let said = "a pooler in transaction mode stands before the server, which is fine";
    way.shares_sessions.then(|| Finding::ok("pooler", said))
}

fn counts(end: End, server: &Server) -> Option<Finding> {
    (end == End::Cloud && !server.track_counts).then(|| {
        Finding::misfit(
            "track_counts",
            "track_counts is off, so nothing shows what a transaction wrote",
            "Set track_counts = on (its default) for the server or the role.",
        )
    })
}

/// Of the desktop the horizon says it.
fn standby(end: End, server: &Server) -> Option<Finding> {
    (end == End::Cloud && server.sight.standby).then(|| {
        Finding::misfit(
            "standby",
            "the server is a standby, which can't be written",
            "Name the primary in [cloud] url.",
        )
    })
}

/// Whether the two ends are one.
pub(in crate::check) fn same(desktop: &Server, cloud: &Server) -> Option<Finding> {
    let is_same = desktop.identity == cloud.identity && desktop.started == cloud.started;
    is_same.then(|| {
        Finding::misfit(
            "same_database",
            format!("both ends are the same database, {}", desktop.database),
            "Correct [desktop] url or [cloud] url: tidegate would sync the tables with themselves.",
        )
    })
}

/// The stamps of both ends are compared, so their clocks must agree; ours is told beside them.
pub(in crate::check) fn clock((desktop, cloud): (Clock, Clock)) -> Finding {
    let apart = (cloud.ahead - desktop.ahead).abs();
    let tolerance = desktop.tolerance + cloud.tolerance;
    let far = |clock: Clock| clock.ahead.abs() - clock.tolerance > SECONDS_APART_MAX;
    if apart - tolerance > SECONDS_APART_MAX {
        let ahead = if cloud.ahead > desktop.ahead { End::Cloud } else { End::Desktop };
        return Finding::warning(
            "clock",
            format!("the {ahead}'s clock is {apart:.1} seconds ahead of the other end's"),
            "Set both servers' clocks by NTP: of two edits of one row the later one counts.",
        );
    }
    match far(desktop) || far(cloud) {
        true => Finding::warning(
            "clock",
            format!(
                "this machine's clock is {:.1} seconds off those of both servers",
                desktop.ahead.abs()
            ),
            "Set this machine's clock by NTP: certificates are verified and logs stamped by it.",
        ),
        false => Finding::ok("clock", "the clocks of both servers and of this machine agree"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::check::finding::Level;
    use crate::source::postgres::Sight;

    /// A server with nothing wrong.
    pub(in crate::check::rules) fn server() -> Server {
        Server {
            version: "17.2".into(),
            major: 17,
            maintained: true,
            clock: 0.0,
            database: "office".into(),
            encoding: "UTF8".into(),
            role: "tidegate".into(),
            superuser: false,
            identity: "1/office".into(),
            started: "then".into(),
            sight: Sight { sees_others: true, tracks: true, standby: false },
            track_counts: true,
            prepared: 0,
            tls: None,
        }
    }

    const LOCAL: Way = Way { transport: Transport::Local, expires: None, shares_sessions: false };

    /// What is not ok, by level and check.
    fn wrong(findings: &[Finding]) -> Vec<(Level, &'static str)> {
        findings.iter().filter(|f| f.level > Level::Ok).map(|f| (f.level, f.check)).collect()
    }

    #[test]
    fn versions_and_encodings_are_judged() {
        let good = server();
        let old = Server { major: 12, maintained: false, ..good.clone() };
        let aged = Server { maintained: false, ..good.clone() };
        let latin = Server { encoding: "LATIN1".into(), ..good.clone() };
        let ascii = Server { encoding: "SQL_ASCII".into(), ..good.clone() };
        let standby = Sight { standby: true, ..good.sight };
        let standby = Server { sight: standby, ..good.clone() };
        let blind = Server { track_counts: false, ..good.clone() };
        for (end, server, expected) in [
            (End::Cloud, &good, &[][..]),
            (End::Desktop, &old, &[(Level::Failure, "version")]),
            (End::Desktop, &aged, &[(Level::Warning, "version")]),
            (End::Desktop, &latin, &[]),
            (End::Cloud, &latin, &[(Level::Warning, "encoding")]),
            (End::Desktop, &ascii, &[(Level::Warning, "encoding")]),
            (End::Cloud, &blind, &[(Level::Failure, "track_counts")]),
            (End::Desktop, &blind, &[]),
            (End::Cloud, &standby, &[(Level::Failure, "standby")]),
            (End::Desktop, &standby, &[]),
        ] {
            assert_eq!(wrong(&findings(end, server, &LOCAL)), expected, "{end} {server:?}");
        }
    }

    #[test]
    fn what_the_server_says_of_tls_is_not_told_of_a_pooler() {
        let server = Server { tls: Some("TLSv1.3, A".into()), ..server() };
        let way = Way { transport: Transport::Verified, ..LOCAL };
        let said = |way: Way| transport(End::Cloud, &server, &way).message;
        assert_eq!(said(way), "encrypted and verified, TLSv1.3, A");
        assert_eq!(
            said(Way { shares_sessions: true, ..way }),
            "encrypted and verified, to the pooler"
        );
        let plain = findings(End::Cloud, &server, &Way { transport: Transport::Plain, ..LOCAL });
        assert_eq!(wrong(&plain), [(Level::Warning, "tls")]);
    }

    #[test]
    fn clocks_may_differ_by_two_seconds_and_the_time_of_the_question() {
        let clock = |ahead, tolerance| Clock { ahead, tolerance };
        for (desktop, cloud, expected) in [
            (clock(0.0, 0.01), clock(1.9, 0.01), None),
            (clock(0.0, 0.0), clock(2.1, 0.0), Some("the cloud's clock is 2.1 seconds ahead")),
            (clock(2.0, 0.0), clock(-2.0, 0.0), Some("the desktop's clock is 4.0 seconds ahead")),
            (clock(0.0, 0.1), clock(2.1, 0.1), None),
            (clock(60.0, 0.0), clock(60.5, 0.0), Some("this machine's clock is 60.0 seconds off")),
        ] {
            let found = super::clock((desktop, cloud));
            let warned = (found.level == Level::Warning).then_some(&found.message);
            assert_eq!(warned.is_some(), expected.is_some(), "{found:?}");
            assert!(warned.is_none_or(|said| said.contains(expected.unwrap_or_default())));
        }
    }

    #[test]
    fn a_copy_of_a_database_on_another_server_is_not_the_same() {
        let copy = Server { started: "later".into(), ..server() };
        assert!(same(&server(), &copy).is_none());
        assert_eq!(same(&server(), &server()).unwrap().level, Level::Failure);
    }
}
