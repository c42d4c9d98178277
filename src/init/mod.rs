//! `init`: from both catalogues to a commented configuration, and a list of what only a person can
//! decide. Nothing is guessed that could cost a row: what is not certain is left open.
//!
//! Pairing, ownership, stamps and triggers are rules on what was read; the tables are then planned as
//! a run would plan them, and those that a run would refuse are not enabled.

mod capture;
mod columns;
mod decision;
mod ownership;
mod pairing;
mod read;
mod render;
mod stamps;
mod tables;
mod triggers;
mod write;

use std::path::Path;

use secrecy::SecretString;

use crate::config::{self, Config, DesktopKind, TlsSetting, quote};
use crate::db::{Connection, Purpose, Session, postgres, sqlserver};
use crate::error::{End, Error, Kind, Result};
use crate::model::TableName;
use crate::model::schema::TableSchema;
use crate::sql::Sql;

use decision::{Draft, Undecided, listed};
use ownership::Candidate;
use pairing::Pairing;
use stamps::Stamp;
use tables::Both;

pub use decision::{Proposal, Proposed};
pub use write::{Existing, refuse_existing, write};

/// More columns than this are not looked into for marks.
const CANDIDATES_MAX: usize = 4;

/// What a person has decided already.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The desktop's address as it is to be written, passwords by reference.
    pub desktop: String,
    /// The cloud's.
    pub cloud: String,
    /// How far a SQL Server desktop is believed to be itself.
    pub tls: TlsSetting,
    /// The zone of stamps that have none.
    pub assume_timezone: Option<String>,
}

/// Reads both catalogues and proposes a configuration; `path` is where it will stand.
///
/// # Errors
/// [`Kind::Config`] for an address that can't be used, or where there is nothing to sync; what keeps
/// a database from being reached.
pub async fn propose(wishes: &Wishes, path: &Path, sql: &Sql) -> Result<Proposal> {
    let (desktop, kind) = desktop(wishes).await?;
    let cloud = cloud(wishes).await?;
    let (desktop, in_the_cloud) = (desktop.session(), Session::from(&cloud));
    let (at_desktop, in_cloud) = read::ends(desktop, in_the_cloud, sql).await?;
    let mut pairing = pairing::pair(&at_desktop.tables, &in_cloud.tables);
    let unpaired = unpaired(&mut pairing);
    if pairing.pairs.is_empty() {
        return Err(nothing_to_sync(&unpaired));
    }
    let (sources, targets): (Vec<_>, Vec<_>) = pairing.pairs.iter().map(|(d, c)| (d, c)).unzip();
    let (sources, targets) = tokio::try_join!(
        read::schemas(desktop, sql, &sources),
        read::schemas(in_the_cloud, sql, &targets)
    )?;
    let candidates = candidates((desktop, &sources), (in_the_cloud, &targets), sql).await?;
    let functions = read::trigger_functions(&cloud, sql, &targets).await?;

    let both = sources.iter().zip(&targets).map(|(desktop, cloud)| Both { desktop, cloud });
    let both: Vec<_> = both.collect();
    let mut draft = draft((wishes, kind), &candidates, &both, pairing, unpaired);
    if !at_desktop.sees_others {
        draft.general.push(("sync", "lag", blind()));
    }
    // Planned is what the file says, so it is read as a run reads it.
    let file = parsed(&draft, path)?;
    let zoneless = tables::judge(&mut draft, &both, &file.tables, &functions, &in_cloud.tables);
    if !zoneless.is_empty() {
        let open = which_zone(&zoneless, &at_desktop);
        draft.general.push(("sync", "assume_timezone", open));
    }
    parsed(&draft, path)?;
    let text = render::text(&draft);
    Ok(draft.proposal(text))
}

fn address(address: &str, end: End) -> Result<SecretString> {
    config::address(address).map_err(|e| e.within(format_args!("--{end}")))
}

async fn desktop(wishes: &Wishes) -> Result<(Connection, DesktopKind)> {
    let (end, purpose) = (End::Desktop, Purpose::Reader);
    let url = address(&wishes.desktop, end)?;
    let kind = config::kind_of(&url);
    let connection = match kind {
        DesktopKind::Postgres => {
            let database = postgres::Database::new(&url, end, purpose, 1)?;
            Connection::Postgres(Box::new(database.connection().await?))
        }
        DesktopKind::SqlServer => {
            let database = sqlserver::Database::new(&url, &wishes.tls, end, purpose, 1)?;
            Connection::SqlServer(sqlserver::Session::new(database.connection().await?))
        }
    };
    Ok((connection, kind))
}

async fn cloud(wishes: &Wishes) -> Result<postgres::Connection> {
    let url = address(&wishes.cloud, End::Cloud)?;
    postgres::Database::new(&url, End::Cloud, Purpose::Reader, 1)?.connection().await
}

/// Takes out of the pairs what the file can't name.
fn unpaired(pairing: &mut Pairing) -> Vec<Undecided> {
    let can_be_named = |table: &TableName| config::can_name(table);
    let (pairs, unnameable): (Vec<_>, Vec<_>) = std::mem::take(&mut pairing.pairs)
        .into_iter()
        .partition(|(desktop, cloud)| can_be_named(desktop) && can_be_named(cloud));
    pairing.pairs = pairs;
    let ambiguous =
        pairing.ambiguous.iter().map(|(desktop, cloud)| {
            let named =
                cloud.iter().filter(|c| can_be_named(c)).flat_map(|cloud| {
                    let section = [render::header(cloud)].into_iter();
                    section.chain(desktop.iter().filter(|d| can_be_named(d)).map(|desktop| {
                        format!("desktop = {}", quote::string(&desktop.to_string()))
                    }))
                });
            Undecided::of_all(
                format!(
                    "which tables belong together: {} of the desktop, {} of the cloud",
                    listed(desktop),
                    listed(cloud)
                ),
                "Take the '#' off one section for each pair, with one line of the desktop.",
            )
            .suggesting(named.collect::<Vec<_>>().join("\n"))
        });
    let unnameable = unnameable.iter().map(|(_, cloud)| {
        Undecided::of_all(
            format!(
                "how to name {}: the configuration can't, for its name or its schema's",
                listed([cloud])
            ),
            "Rename it, at both ends: no control characters, and no dot in the schema.",
        )
    });
    ambiguous.chain(unnameable).collect()
}

fn nothing_to_sync(unpaired: &[Undecided]) -> Error {
    match unpaired.first() {
        Some(Undecided { question, .. }) => Error::config(
            format!("no table can be paired by its name; undecided: {question}"),
            "Copy config.example.toml, and name the tables in it.",
        ),
        None => Error::config(
            "no table of the desktop has one of its name in the cloud",
            "Check that both addresses name the right database. The cloud needs a table for each \
             that is to be synced, of the same name and with the same key.",
        ),
    }
}

/// What could be the ownership column, with the marks that are in it at either end.
async fn candidates(
    (desktop, sources): (Session<'_>, &[TableSchema]),
    (cloud, targets): (Session<'_>, &[TableSchema]),
    sql: &Sql,
) -> Result<Vec<Candidate>> {
    let mut candidates = ownership::candidates(targets);
    for candidate in candidates.iter_mut().take(CANDIDATES_MAX) {
        let (at_desktop, in_cloud) = tokio::try_join!(
            read::marks(desktop, sql, sources, &candidate.column),
            read::marks(cloud, sql, targets, &candidate.column)
        )?;
        candidate.marks = at_desktop;
        candidate.marks.extend(in_cloud);
    }
    Ok(candidates)
}

fn draft(
    (wishes, kind): (&Wishes, DesktopKind),
    candidates: &[Candidate],
    both: &[Both<'_>],
    pairing: Pairing,
    unpaired: Vec<Undecided>,
) -> Draft {
    let sources: Vec<TableSchema> = both.iter().map(|both| both.desktop.clone()).collect();
    let updated_at = Stamp::Updated.of_most(&sources);
    let created_at = Stamp::Created.of_most(&sources);
    let choice = ownership::choose(candidates, both.len());
    let column = choice.column.map(|open| ("ownership", "column", open));
    let marks = choice.marks.map(|open| ("ownership", "desktop", open));
    let capture = capture::of_most(&sources, kind);
    let lag = capture::needs_lag(capture, kind).then(|| ("sync", "lag", capture::unseen()));
    let of_table = |both: &Both<'_>| {
        let table = tables::table(*both, &updated_at, &created_at, kind);
        capture::of_table(table, both.desktop, capture, kind)
    };
    Draft {
        kind,
        tls: wishes.tls.clone(),
        capture,
        desktop: wishes.desktop.clone(),
        cloud: wishes.cloud.clone(),
        ownership: choice.ownership,
        assume_timezone: wishes.assume_timezone.clone(),
        general: column.into_iter().chain(marks).chain(lag).collect(),
        tables: both.iter().map(of_table).collect(),
        unpaired: tables::missing_rights(both).into_iter().chain(unpaired).collect(),
        only_desktop: pairing.only_desktop,
        only_cloud: pairing.only_cloud,
        updated_at,
        created_at,
    }
}

fn blind() -> Undecided {
    Undecided::of_all(
        "how long a transaction of the desktop takes: this role can't see other sessions",
        "Grant pg_read_all_stats to it, or take the '#' off lag and set it to more than the longest \
         takes. Until then runs refuse every table.",
    )
    .suggesting("lag = \"10m\"")
}

fn which_zone(zoneless: &[String], desktop: &read::End) -> Undecided {
    let open = Undecided::of_all(
        format!("in which zone the timestamps without one are: {}", zoneless.join(", ")),
        format!(
            "{}, but its programs may write the time of another zone: ask who knows them. Then run \
             init again with --assume-timezone, or set it here and take `enabled = false` out of \
             these tables.",
            desktop.clock
        ),
    );
    match &desktop.timezone {
        Some(zone) => open.suggesting(format!("assume_timezone = {}", quote::string(zone))),
        None => open,
    }
}

/// The draft as a run reads it.
fn parsed(draft: &Draft, path: &Path) -> Result<Config> {
    let file = Config::of(&render::text(draft), path)?;
    let written = draft.tables.iter().map(|t| (&t.cloud, &t.desktop));
    match written.eq(file.tables.iter().map(|t| (&t.cloud, &t.desktop))) {
        true => Ok(file),
        false => Err(Error::new(
            Kind::Other,
            "the proposed file does not name the tables that were found",
        )),
    }
}
