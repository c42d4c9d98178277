//! What is particular to a desktop that is a SQL Server, and what of it can't be guaranteed.

use std::collections::BTreeMap;

use super::horizon::seen;
use crate::check::facts::Table;
use crate::check::facts::sqlserver::Server;
use crate::check::finding::Finding;
use crate::db::sqlserver::Transport;
use crate::db::sqlserver::types::Zone;
use crate::error::{End, Error};
use crate::model::plan::Passage;
use crate::model::{Capture, TablePlan, TableSettings};
use crate::source::sqlserver::{suffices, unix_seconds};
use crate::sql::{list, tsql};

/// Every release by its major version, and when its fixes end, in seconds since 1970.
const RELEASES: [(u32, &str, f64); 6] = [
    (12, "2014", 1_720_483_200.0),
    (13, "2016", 1_783_987_200.0),
    (14, "2017", 1_823_299_200.0),
    (15, "2019", 1_894_060_800.0),
    (16, "2022", 1_989_014_400.0),
    (17, "2025", 2_083_363_200.0),
];
/// What the statements need.
const OLDEST_MAJOR: u32 = 13;
/// Editions of Azure count from here; their version says nothing.
const AZURE: i32 = 5;
const TICKS_OF_MINUTE: i64 = 600_000_000;

/// What is to be said of the server, and of the way to it.
pub(in crate::check) fn findings(server: &Server, transport: Transport) -> Vec<Finding> {
    let found = [version(server), tls(transport), isolation(server)];
    found.into_iter().chain(read_only(server)).map(|finding| finding.at(End::Desktop)).collect()
}

fn version(server: &Server) -> Finding {
    let Server { version, edition, database, .. } = server;
    let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    if server.engine >= AZURE {
        return Finding::ok("version", format!("{edition}, database {database}"));
    }
    let release = RELEASES.iter().find(|(known, ..)| *known == major);
    let name = release.map_or("", |(_, name, _)| name);
    let called = format!("SQL Server {name} ({version}), {edition}");
    let ends = release.map(|(.., ends)| *ends);
    match ends {
        _ if major < OLDEST_MAJOR => Finding::warning(
            "version",
            format!("{called} is too old: tidegate is not tried with it"),
            "Upgrade it to SQL Server 2016 or later.",
        ),
        Some(ends) if unix_seconds(server.now) > ends => Finding::warning(
            "version",
            format!("{called} is no longer maintained: its faults stay"),
            "Upgrade the server to a version that still gets fixes.",
        ),
        _ => Finding::ok("version", format!("{called}, database {database}")),
    }
}

fn tls(transport: Transport) -> Finding {
    const REMEDY: &str = "Take tls out of [desktop], so that the server is verified; where its own \
                          authority issued its certificate, tls = { ca = \"/path/to/ca.pem\" }.";
    match transport {
        Transport::Local => Finding::ok("tls", "on this machine, without TLS"),
        Transport::Verified => Finding::ok("tls", "encrypted and verified"),
        Transport::Unverified => Finding::warning(
            "tls",
            "the server is not verified (tls = \"trust-server\"): whoever answers in its place gets \
             the password and every row",
            REMEDY,
        ),
        Transport::Plain => Finding::warning(
            "tls",
            "the password and every row cross the network readable and unverified (tls = \"off\")",
            REMEDY,
        ),
    }
}

fn read_only(server: &Server) -> Option<Finding> {
    // A copy is refused altogether.
    (server.is_read_only && server.no_original.is_none()).then(|| {
        Finding::warning(
            "read_only",
            "the database is read-only: forward runs read it, but nothing can come home",
            format!("alter database {} set read_write;", tsql::ident(&server.database)),
        )
    })
}

/// Where the database allows no snapshots, a run sees no moment of it.
fn isolation(server: &Server) -> Finding {
    match server.has_snapshots {
        true => Finding::ok("isolation", "all tables of a run are read at one moment"),
        false => Finding::warning(
            "isolation",
            "the database allows no snapshots (ALLOW_SNAPSHOT_ISOLATION is off), so runs read what is \
             committed: each table at a moment of its own; a row that moves meanwhile is read again by \
             the next run; and unless READ_COMMITTED_SNAPSHOT is on, a run waits for writers, and \
             writers for it",
            format!(
                "alter database {} set allow_snapshot_isolation on; it can be done while people work.",
                tsql::ident(&server.database)
            ),
        ),
    }
}

/// Whether nothing is lost that is committed late: by versions, or by stamps and a lag.
pub(in crate::check) fn horizon(server: &Server, settings: &[TableSettings]) -> Vec<Finding> {
    let reads_versions = |t: &&TableSettings| t.capture.positions() == Capture::Rowversion;
    let by_version = settings.iter().filter(reads_versions).count();
    let said = match settings.len() - by_version {
        0 => "the server tells the lowest row version that may still be committed",
        _ if by_version == 0 => {
            "the lag was set on purpose; a transaction that stays open longer is missed"
        }
        _ => {
            "by row versions, or by stamps with a lag: a transaction that stays open longer is missed"
        }
    };
    let refused =
        |t: &TableSettings| match (&server.no_original, t.capture.positions(), &server.no_versions)
        {
            (Some(e), ..) | (None, Capture::Rowversion, Some(e)) => {
                Err(Error::new(e.kind(), e.to_string()).remedied(e.remedy()))
            }
            (None, Capture::Rowversion, None) => Ok(()),
            _ => suffices(t.lag),
        };
    let found = seen(settings, said, refused);
    found.into_iter().map(|finding| finding.at(End::Desktop)).collect()
}

/// Whether the clock that stamps were taken by is the server's, as far as can be told.
pub(in crate::check) fn zones(server: &Server, plans: &[TablePlan]) -> Vec<Finding> {
    let mut named = BTreeMap::<&str, Vec<String>>::new();
    for plan in plans.iter().filter(|plan| needs_zone(plan)) {
        if let Some(zone) = &plan.settings.assume_timezone {
            named.entry(zone).or_default().push(plan.label());
        }
    }
    let found = named.into_iter().filter_map(|(name, tables)| match Zone::named(name) {
        Ok(zone) => zoned(server, name, &zone, &tables),
        Err(e) => Some(Finding::failure("zone", &e)),
    });
    found.map(|finding| finding.at(End::Desktop)).collect()
}

fn needs_zone(plan: &TablePlan) -> bool {
    plan.stamps.source.iter().any(|stamp| stamp.zoneless)
        || plan.columns.iter().any(|c| c.passage == Passage::Zoned)
}

fn zoned(server: &Server, name: &str, zone: &Zone, tables: &[String]) -> Option<Finding> {
    let here = (zone.to_local(server.now) - server.now) / TICKS_OF_MINUTE;
    let there = i64::from(server.ahead_of_utc);
    (here != there).then(|| {
        Finding::warning(
            "zone",
            format!(
                "assume_timezone = \"{name}\" is {} now, and the server's clock {}: stamps that the \
                 server gives by getdate() or sysdatetime() would be taken for another moment ({})",
                offset(here),
                offset(there),
                list(tables.iter().cloned(), ", ")
            ),
            "Ask who knows the desktop's programs: if they stamp by the server's clock, set \
             assume_timezone to its zone; if in UTC (getutcdate()), to \"UTC\".",
        )
    })
}

fn offset(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// A table that is none of the ordinary kind.
pub(in crate::check) fn kind(plan: &TablePlan, table: &Table) -> Option<Finding> {
    table.is_history.then(|| {
        let finding = Finding::warning(
            "kind",
            "it is the history of another table: SQL Server alone writes it",
            "Sync the table that it is the history of; leave this one out.",
        );
        finding.of(&plan.settings.cloud).at(End::Desktop)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::testing::{plan, settings, table};
    use super::*;
    use crate::check::finding::Level;
    use crate::model::Lag;

    fn server() -> Server {
        Server {
            version: "15.0.2000.5".into(),
            edition: "Express Edition (64-bit)".into(),
            engine: 4,
            // 2026-07-01 12:00 UTC
            now: (719_162 + 20_635) * 864_000_000_000 + 432_000_000_000,
            ahead_of_utc: 60,
            database: "office".into(),
            role: "tidegate".into(),
            login: "tidegate".into(),
            is_sysadmin: false,
            is_owner: false,
            has_snapshots: true,
            is_read_only: false,
            identity: "guid/office".into(),
            no_original: None,
            no_versions: None,
        }
    }

    fn level(finding: &Finding) -> Level {
        finding.level
    }

    #[test]
    fn versions_are_known_by_their_numbers() {
        for (version, engine, expected, said) in [
            ("15.0.2000.5", 4, Level::Ok, "SQL Server 2019 (15.0.2000.5), Express"),
            ("13.0.6435.1", 3, Level::Ok, "2016"),
            ("99.0.1.1", 3, Level::Ok, "SQL Server "),
            ("12.0.6024.0", 2, Level::Warning, "too old"),
            ("12.0.2000.8", 5, Level::Ok, "database office"),
        ] {
            let found = super::version(&Server { version: version.into(), engine, ..server() });
            assert_eq!(level(&found), expected, "{found:?}");
            assert!(found.message.contains(said), "{found:?}");
        }
        // A century of ticks later.
        let late = Server { now: server().now + 36_525 * 864_000_000_000, ..server() };
        assert!(super::version(&late).message.contains("no longer maintained"));
    }

    #[test]
    fn what_is_given_up_on_the_way_is_loud() {
        for (transport, expected) in [
            (Transport::Local, Level::Ok),
            (Transport::Verified, Level::Ok),
            (Transport::Unverified, Level::Warning),
            (Transport::Plain, Level::Warning),
        ] {
            assert_eq!(level(&tls(transport)), expected);
        }
    }

    #[test]
    fn without_snapshots_it_is_said_what_reading_means() {
        assert_eq!(level(&isolation(&server())), Level::Ok);
        let found = isolation(&Server { has_snapshots: false, ..server() });
        assert!(found.message.contains("each table at a moment of its own"), "{found:?}");
        let remedy = found.remedy.unwrap();
        assert!(remedy.starts_with("alter database [office] set allow_snapshot_isolation on"));
    }

    #[test]
    fn stamps_need_a_lag_and_versions_a_server_that_tells_them() {
        let by = |capture, lag| TableSettings { capture, lag, ..settings("jobs") };
        let long = Lag::Set(Duration::from_secs(600));
        let unset = by(Capture::Timestamp, Lag::Unset);
        let lagging = by(Capture::Timestamp, long);
        let versions = by(Capture::Rowversion, Lag::Unset);
        let told = server();
        let silent = Arc::new(Error::config("no versions", "use stamps"));
        let untold = Server { no_versions: Some(silent), ..server() };
        for (server, tables, expected) in [
            (&told, vec![unset.clone()], vec![(Level::Failure, None)]),
            (&told, vec![lagging.clone()], vec![(Level::Ok, None)]),
            (&told, vec![versions.clone()], vec![(Level::Ok, None)]),
            (&untold, vec![versions.clone()], vec![(Level::Failure, None)]),
            (&untold, vec![lagging, versions.clone()], vec![(Level::Failure, Some("jobs"))]),
            (
                &untold,
                vec![unset, versions],
                vec![(Level::Failure, Some("jobs")), (Level::Failure, Some("jobs"))],
            ),
        ] {
            let found = horizon(server, &tables);
            let found: Vec<_> = found.iter().map(|f| (f.level, f.table.as_deref())).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_zone_that_is_not_the_servers_is_said() {
        let of = |zone: &str, zoneless: bool| {
            let mut plan = plan(23, &settings("jobs"));
            plan.settings.assume_timezone = Some(zone.into());
            plan.stamps.source.iter_mut().for_each(|stamp| stamp.zoneless = zoneless);
            zones(&server(), &[plan])
        };
        assert!(of("Europe/London", true).is_empty());
        assert!(of("UTC", false).is_empty());
        let other = of("UTC", true);
        assert!(other[0].message.contains("is +00:00 now, and the server's clock +01:00"));
        assert_eq!(level(&of("Europe/Nowhere", true)[0]), Level::Failure);
    }

    #[test]
    fn only_tables_out_of_the_ordinary_are_spoken_of() {
        let plan = plan(23, &settings("jobs"));
        assert!(kind(&plan, &table()).is_none());
        assert!(kind(&plan, &Table { is_history: true, ..table() }).is_some());
    }
}
