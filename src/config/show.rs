//! Every key with its value and where that comes from, for people. What a reference stands for is
//! never shown, nor the password of a URL.

use std::path::PathBuf;

use serde::Serialize;
use toml::Value;

use super::expand::references;
use super::file::{File, Section};
use super::keys::{self, Keys};
use super::table::Shared;
use super::{ado, check, quote};
use crate::error::Result;
use crate::model::Lag;

/// A configuration as it holds.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The file that it was read from.
    pub path: PathBuf,
    /// The sections for all tables with every key of theirs, then those of single tables with what
    /// they set themselves.
    pub sections: Vec<ShownSection>,
}

/// One section.
#[derive(Debug, Serialize)]
pub struct ShownSection {
    /// Its name as in its header, `tables."audit.log"`.
    pub section: String,
    /// Its keys.
    pub settings: Vec<Setting>,
}

/// One key.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// Its value; `None` where nothing is set and there is no default.
    pub value: Option<Value>,
    /// Where the value comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// Nothing is set, and there is no default.
    Unset,
    /// Nothing is set.
    Default,
    /// The file.
    File {
        /// The line of the key.
        line: usize,
    },
}

/// What `file`, which was checked before, says and leaves to the defaults.
pub(super) fn shown(file: File<'_>) -> Result<Shown> {
    let toml = file.toml()?;
    let top = Section::top(file, &toml);
    let mut sections = Vec::new();
    for (name, keys) in [
        ("desktop", keys::DESKTOP),
        ("cloud", keys::CLOUD),
        ("ownership", keys::OWNERSHIP),
        ("sync", keys::SYNC),
        ("deletes", keys::DELETES),
    ] {
        sections.push(whole(name, &top.section(name)?, keys));
    }
    for table in top.section("tables")?.entries() {
        let section = table.section()?;
        let deletes = section.get("deletes");
        sections.push(own(&section, |key| key != "deletes"));
        if let Some(deletes) = deletes {
            sections.push(own(&deletes.section()?, |_| true));
        }
    }
    Ok(Shown { path: file.path.to_owned(), sections })
}

/// A section with all keys that it may hold.
fn whole(word: &str, section: &Section<'_>, keys: Keys) -> ShownSection {
    let setting = |key: &&'static str| match section.get(key) {
        Some(entry) => Setting {
            key: (*key).to_owned(),
            value: Some(redacted(key, entry.plain())),
            origin: Origin::File { line: entry.line() },
        },
        None => {
            let value = default(word, key);
            let origin = if value.is_some() { Origin::Default } else { Origin::Unset };
            Setting { key: (*key).to_owned(), value, origin }
        }
    };
    let settings = keys.iter().copied().flatten().map(setting).collect();
    ShownSection { section: name(section), settings }
}

/// A section with the keys that it sets.
fn own(section: &Section<'_>, is_shown: impl Fn(&str) -> bool) -> ShownSection {
    let entries = section.entries().into_iter().filter(|entry| is_shown(&entry.key));
    let setting = |entry: super::file::Entry<'_>| Setting {
        value: Some(redacted(&entry.key, entry.plain())),
        origin: Origin::File { line: entry.line() },
        key: entry.key,
    };
    ShownSection { section: name(section), settings: entries.map(setting).collect() }
}

fn name(section: &Section<'_>) -> String {
    section.to_string().trim_matches(['[', ']']).to_owned()
}

/// What holds for all tables where the file says nothing.
fn default(section: &str, key: &str) -> Option<Value> {
    let shared = Shared::default();
    let whole = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    Some(match (section, key) {
        ("desktop" | "cloud", "schema") => check::SCHEMA.into(),
        ("cloud", "capture") => check::CLOUD_CAPTURE.into(),
        ("ownership", "column") => check::OWNER_COLUMN.into(),
        ("ownership", "desktop") => check::DESKTOP_MARK.into(),
        ("ownership", "mobile") => check::MOBILE_MARK.into(),
        ("sync", "workers") => whole(check::WORKERS),
        ("sync", "updated_at") => shared.updated_at.into(),
        ("sync", "created_at") => shared.created_at.into(),
        ("sync", "lag") => humantime::format_duration(Lag::DEFAULT).to_string().into(),
        ("sync", "batch_rows") => whole(shared.batch_rows),
        ("sync", "batch_bytes") => bytes(shared.batch_bytes).into(),
        ("sync", "max_withheld") => whole(shared.max_withheld),
        ("sync", "capture") => check::CAPTURE.now.into(),
        ("sync", "conflicts") => check::CONFLICTS.now.into(),
        ("sync", "edits") => check::EDITS.now.into(),
        ("deletes", "forward") => check::DELETES_FORWARD.now.into(),
        ("deletes", "reverse") => check::DELETES_REVERSE.now.into(),
        _ => return None,
    })
}

fn bytes(size: u64) -> String {
    bytesize::ByteSize(size).to_string().replace(' ', "").replace(".0", "")
}

/// The value without what must not be seen.
fn redacted(key: &str, value: Value) -> Value {
    match value {
        Value::String(text) if key == "url" => Value::String(url(&text)),
        Value::String(text) => Value::String(without_references(&text)),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| redacted(key, item)).collect())
        }
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(k, v)| (k, redacted(key, v))).collect())
        }
        value => value,
    }
}

/// The text as it is, or the names of what it refers to.
fn without_references(text: &str) -> String {
    match references(text).as_slice() {
        [] => text.to_owned(),
        references => format!("<redacted: {}>", references.join(" ")),
    }
}

/// What a URL's query may say of itself; anything else may be a secret.
const PLAIN: [&str; 11] = [
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "instance",
    "packet_size",
];
/// What ADO.NET's pairs may say of themselves.
const PLAIN_PAIRS: [&str; 12] = [
    "server",
    "datasource",
    "address",
    "addr",
    "networkaddress",
    "database",
    "initialcatalog",
    "encrypt",
    "trustservercertificate",
    "connecttimeout",
    "connectiontimeout",
    "packetsize",
];
const REDACTED: &str = "<redacted>";

/// An address without its password. References in it stand as they are written.
fn url(text: &str) -> String {
    if ado::is_ado(text) {
        return pairs(text);
    }
    let Some((scheme, rest)) = text.split_once("://") else { return without_references(text) };
    // A password may hold any character, also those that should have been escaped.
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (Some(login), rest),
        None => (None, rest),
    };
    let login = login.map(|login| match login.split_once(':') {
        // A reference, which has a colon of its own.
        Some((user, _)) if user.starts_with("${") => format!("{REDACTED}@"),
        Some((user, _)) => format!("{user}:{REDACTED}@"),
        None => format!("{login}@"),
    });
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) => (address, format!("?{}", parameters(query))),
        None => (rest, String::new()),
    };
    format!("{scheme}://{}{address}{query}", login.unwrap_or_default())
}

/// A user name as it is; nothing at all where a quote does not close.
fn pairs(text: &str) -> String {
    let Ok(pairs) = ado::pairs(text) else { return REDACTED.to_owned() };
    let users = ["userid", "uid", "user"];
    let shown = |ado::Pair { name, value }: &ado::Pair| {
        let is_plain = PLAIN_PAIRS.contains(&name.as_str()) || users.contains(&name.as_str());
        // A reference that nobody quoted may stand for more than one value.
        let value = if is_plain && !value.contains([';', '\'', '"']) { value } else { REDACTED };
        format!("{name}={value}")
    };
    pairs.iter().map(shown).collect::<Vec<_>>().join(";")
}

fn parameters(query: &str) -> String {
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if !PLAIN.contains(&name) => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    };
    query.split('&').map(parameter).collect::<Vec<_>>().join("&")
}

/// As TOML, with the origins as comments.
impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(f, "# {}", self.path.display())?;
        for ShownSection { section, settings } in &self.sections {
            writeln!(f, "\n[{section}]")?;
            if settings.is_empty() {
                writeln!(f, "# nothing of its own")?;
            }
            for Setting { key, value, origin } in settings {
                let key = quote::key(key);
                let line = value.as_ref().map(|value| format!("{key} = {value}"));
                match (line, origin) {
                    (Some(line), Origin::File { line: n }) => {
                        writeln!(f, "{line:<44}  # {file}:{n}")?
                    }
                    (Some(line), _) => writeln!(f, "{line:<44}  # default")?,
                    (None, _) => writeln!(f, "# {key} is not set")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn env(name: &str) -> Option<String> {
        match name {
            "URL" => Some("postgres://u:hunter2@h/db".into()),
            "SQL" => Some("Server=h;PWD=hunter2".into()),
            "PW" | "WORD" => Some("hunter2".into()),
            "CREDENTIALS_DIRECTORY" => Some("/tmp".into()),
            _ => None,
        }
    }

    fn shown(text: &str) -> Shown {
        Shown::parse(text, Path::new("/etc/tidegate.toml"), &env).unwrap()
    }

    const TEXT: &str = "\
[desktop]
kind = 'postgres'
url = \"${env:URL}\"
[cloud]
url = 'postgres://office:${env:PW}@cloud:5432/db?sslmode=require'
[ownership]
column = 'x${env:WORD}'
[sync]
batch_rows = 0x10
assume_timezone = 'Europe/London'
[tables.'audit.log']
rename = { JobNo = \"job_id\" }
exclude = [\"scratch\", \"${env:WORD}\"]
deletes.every = '2h'
[tables.jobs]
";

    #[test]
    fn every_key_is_shown_with_its_value_and_origin() {
        insta::assert_snapshot!(shown(TEXT).to_string(), @r##"
        # /etc/tidegate.toml

        [desktop]
        kind = "postgres"                             # tidegate.toml:2
        url = "<redacted: ${env:URL}>"                # tidegate.toml:3
        schema = "tidegate"                           # default
        # tls is not set

        [cloud]
        url = "postgres://office:<redacted>@cloud:5432/db?sslmode=require"  # tidegate.toml:5
        schema = "tidegate"                           # default
        capture = "log"                               # default

        [ownership]
        column = "<redacted: ${env:WORD}>"            # tidegate.toml:7
        desktop = "D"                                 # default
        mobile = "M"                                  # default

        [sync]
        capture = "timestamp"                         # default
        updated_at = "updated_at"                     # default
        created_at = "created_at"                     # default
        lag = "2s"                                    # default
        assume_timezone = "Europe/London"             # tidegate.toml:10
        batch_rows = 16                               # tidegate.toml:9
        batch_bytes = "4MiB"                          # default
        max_withheld = 1000                           # default
        conflicts = "latest"                          # default
        edits = "owner"                               # default
        workers = 4                                   # default

        [deletes]
        forward = "off"                               # default
        reverse = "off"                               # default
        # every is not set
        # confirm_after is not set
        # max_percent is not set
        # retention is not set

        [tables."audit.log"]
        rename = { JobNo = "job_id" }                 # tidegate.toml:12
        exclude = ["scratch", "<redacted: ${env:WORD}>"]  # tidegate.toml:13

        [tables."audit.log".deletes]
        every = "2h"                                  # tidegate.toml:14

        [tables.jobs]
        # nothing of its own
        "##);
    }

    #[test]
    fn what_is_shown_is_toml_and_its_defaults_hold() {
        let text = "[desktop]\nkind = 'postgres'\nurl = 'postgres://d'\n\
                    [cloud]\nurl = 'postgres://c'\n[tables.jobs]\n";
        let printed = shown(text).to_string();
        let config = |text: &str| Config::parse(text, Path::new("t.toml"), &env).unwrap();
        let (written, defaults) = (config(&printed), config(text));
        assert_eq!(written.ownership, defaults.ownership, "{printed}");
        assert_eq!(written.workers, defaults.workers, "{printed}");
        assert_eq!(written.cloud_schema, defaults.cloud_schema, "{printed}");
        let mut table = written.tables[0].clone();
        assert_eq!(table.lag, Lag::Set(Lag::DEFAULT));
        table.lag = Lag::Unset;
        assert_eq!(table, defaults.tables[0], "{printed}");
        toml::from_str::<toml::Table>(&shown(TEXT).to_string()).unwrap();
    }

    #[test]
    fn no_secret_of_a_sql_server_is_shown() {
        for (url, expected) in [
            ("sqlserver://u:hunter2@h:5/db", "sqlserver://u:<redacted>@h:5/db"),
            (
                "mssql://u:hunter2@h/db?instance=X&pwd=hunter2&packet_size=512",
                "mssql://u:<redacted>@h/db?instance=X&pwd=<redacted>&packet_size=512",
            ),
            (
                "Server=tcp:h,1433;Database=d;User Id=u;Password=hunter2",
                "server=tcp:h,1433;database=d;userid=u;password=<redacted>",
            ),
            ("PWD='a;Server=hunter2';Server=h", "pwd=<redacted>;server=h"),
            ("Server=h;PWD=a;hunter2", "<redacted>"),
            ("Server=h;PWD='hunter2", "<redacted>"),
            ("Server=h;PWD=${env:PW};x=hunter2", "server=h;pwd=<redacted>;x=<redacted>"),
            ("${env:SQL}", "<redacted: ${env:SQL}>"),
        ] {
            let text = format!(
                "[desktop]\nkind = 'sqlserver'\nurl = \"{url}\"\n[cloud]\nurl = 'postgres://c'\n\
                 [tables.jobs]\n"
            );
            let shown = shown(&text);
            let settings = &shown.sections[0].settings;
            let url = settings.iter().find(|setting| setting.key == "url").unwrap();
            assert_eq!(url.value, Some(expected.into()));
            let seen = format!("{shown} {shown:?} {}", serde_json::to_string(&shown).unwrap());
            assert!(!seen.contains("hunter2"), "{seen}");
        }
    }

    #[test]
    fn the_tls_of_a_sql_server_is_shown_as_it_is_written() {
        let tls = |written: &str| {
            let text = format!(
                "[desktop]\nkind = 'sqlserver'\nurl = 'sqlserver://h'\n{written}\n[cloud]\n\
                 url = 'postgres://c'\n[tables.jobs]\n"
            );
            shown(&text).to_string().lines().find(|line| line.contains("tls")).unwrap().to_owned()
        };
        assert_eq!(tls(""), "# tls is not set");
        assert!(tls("tls = 'off'").starts_with("tls = \"off\""));
        assert!(tls("tls = { ca = '/ca.pem' }").starts_with("tls = { ca = \"/ca.pem\" }"));
    }

    /// Every way in which a secret can stand in the file, or be referred to.
    #[test]
    fn no_secret_is_shown() {
        for (url, expected) in [
            ("postgres://u:hunter2@h:5/db", "postgres://u:<redacted>@h:5/db"),
            ("postgres://u:hun:t@er/2?@h/db", "postgres://u:<redacted>@h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://h,h2:5/db?sslmode=require", "postgres://h,h2:5/db?sslmode=require"),
            (
                "postgres://h/db?user=u&password=hunter2",
                "postgres://h/db?user=<redacted>&password=<redacted>",
            ),
            ("postgres://h?sslpassword=hunter2", "postgres://h?sslpassword=<redacted>"),
            ("postgres://u:${env:PW}@h/db", "postgres://u:<redacted>@h/db"),
            ("postgres://${env:PW}:x@h/db", "postgres://<redacted>@h/db"),
            ("postgres://u@${env:PW}/db", "postgres://u@${env:PW}/db"),
            ("${env:URL}", "<redacted: ${env:URL}>"),
            ("${env:URL}?x=${env:PW}", "<redacted: ${env:URL} ${env:PW}>"),
        ] {
            let text = format!(
                "[desktop]\nkind = 'postgres'\nurl = '{url}'\n[cloud]\nurl = '{url}'\n[tables.jobs]\n"
            );
            let shown = shown(&text);
            for section in &shown.sections[..2] {
                let url = section.settings.iter().find(|setting| setting.key == "url").unwrap();
                assert_eq!(url.value, Some(expected.into()));
            }
            let seen = format!("{shown} {shown:?} {}", serde_json::to_string(&shown).unwrap());
            assert!(!seen.contains("hunter2"), "{seen}");
        }
    }
}
