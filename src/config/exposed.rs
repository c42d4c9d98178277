//! Whether a password that stands in the file itself can be read by others.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::ado;

/// Read for the group, read for all.
const OTHERS_MAY_READ: u32 = 0o044;

/// Whether the file at `path` holds a password, and not only a reference to one, and others than its
/// owner may read it.
pub(super) fn is_exposed(path: &Path) -> bool {
    let readable = std::fs::metadata(path).is_ok_and(|file| file.mode() & OTHERS_MAY_READ != 0);
    readable && std::fs::read_to_string(path).is_ok_and(|text| holds_password(&text))
}

fn holds_password(text: &str) -> bool {
    let Ok(toml) = DeTable::parse(text) else { return false };
    let url = |end: &str| match toml.get_ref().get(end)?.get_ref() {
        DeValue::Table(section) => section.get("url")?.get_ref().as_str(),
        _ => None,
    };
    ["desktop", "cloud"].into_iter().filter_map(url).any(has_password)
}

/// `postgres://user:password@…`, `…?password=…` or `…;Password=…`, unless the whole password is a
/// reference.
fn has_password(url: &str) -> bool {
    let is_reference = |text: &str| text.starts_with("${") && text.ends_with('}');
    if ado::is_ado(url) {
        let is_password = |pair: &ado::Pair| ["password", "pwd"].contains(&pair.name.as_str());
        // What can't be cut may hold anything.
        return ado::pairs(url).map_or(true, |pairs| {
            let mut passwords = pairs.iter().filter(|pair| is_password(pair)).map(|p| &*p.value);
            passwords.any(|password| !password.is_empty() && !is_reference(password))
        });
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let login = rest.split_once('@').map_or("", |(login, _)| login);
    // Not the colon of a reference: ${env:USER}.
    let login = login.split_once('}').filter(|_| login.starts_with("${")).map_or(login, |l| l.1);
    let in_login = login.split_once(':').map(|(_, password)| password);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let names = ["password=", "pwd="];
    let in_query =
        query.split('&').find_map(|p| names.iter().find_map(|name| p.strip_prefix(name)));
    in_login.into_iter().chain(in_query).any(|text| !text.is_empty() && !is_reference(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_from_a_reference() {
        for (url, expected) in [
            ("postgres://user:secret@host/db", true),
            ("postgres://${env:USER}:secret@host/db", true),
            ("postgres://host/db?user=u&password=secret", true),
            ("postgres://user@host:5432/db", false),
            ("postgres://host:5432/db", false),
            ("postgres://user:@host/db", false),
            ("postgres://user:${cred:password}@host/db", false),
            ("postgres://${env:USER}@host:5432/db", false),
            ("postgres://${env:USER}:${env:PASSWORD}@host/db", false),
            ("postgres://host/db?password=${env:PASSWORD}", false),
            ("${env:CLOUD_URL}", false),
            ("sqlserver://user:secret@host/db", true),
            ("sqlserver://host/db?user=u&pwd=secret", true),
            ("Server=host;User Id=u;Password=secret", true),
            ("Server=host;User Id=u;PWD='${env:PASSWORD};secret'", true),
            ("Server=host;User Id=u;PWD='secret", true),
            ("Server=host;User Id=u;PWD='${env:PASSWORD}'", false),
            ("Server=host;User Id=u;Password=${env:PASSWORD};", false),
        ] {
            let text = format!("[desktop]\nurl = \"postgres://h/d\"\n[cloud]\nurl = \"{url}\"\n");
            assert_eq!(holds_password(&text), expected, "{url}");
        }
    }
}
