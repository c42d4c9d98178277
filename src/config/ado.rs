//! Connection strings as ADO.NET writes them: `Server=tcp:host,1433;Database=…;User Id=…`.
//!
//! The rules are those of `DbConnectionStringBuilder`: `;` separates, names know no case, a value in
//! '…' or "…" may hold all but its own quote, which is doubled there. No error repeats what was
//! written, because a stray character can make a part of the password look like anything else.

use crate::error::{Error, Result};

/// Names by which such a string may begin, as [`Pair::name`] has them.
const NAMES: [&str; 30] = [
    "addr",
    "address",
    "app",
    "applicationintent",
    "applicationname",
    "connectiontimeout",
    "connecttimeout",
    "database",
    "datasource",
    "driver",
    "encrypt",
    "initialcatalog",
    "integratedsecurity",
    "multipleactiveresultsets",
    "multisubnetfailover",
    "networkaddress",
    "packetsize",
    "password",
    "persistsecurityinfo",
    "pooling",
    "pwd",
    "server",
    "timeout",
    "trustedconnection",
    "trustservercertificate",
    "uid",
    "user",
    "userid",
    "workstationid",
    "wsid",
];

/// One setting.
pub struct Pair {
    /// In lower case, without blanks and underscores: `userid` for `User Id`.
    pub name: String,
    /// Without its quotes.
    pub value: String,
}

/// Whether `text` is meant as such a string.
pub fn is_ado(text: &str) -> bool {
    let first = text.trim_start().split_once('=').map(|(name, _)| plain_name(name));
    first.is_some_and(|name| NAMES.contains(&name.as_str()))
}

/// The settings of `text`, in its order.
pub fn pairs(text: &str) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches([';', ' ', '\t', '\r', '\n']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(torn)?;
        let (value, left) = value(after.trim_start()).ok_or_else(torn)?;
        if name.contains(';') {
            return Err(torn());
        }
        pairs.push(Pair { name: plain_name(name), value });
        rest = left.trim_start_matches([';', ' ', '\t', '\r', '\n']);
    }
    Ok(pairs)
}

/// A setting's name, however it is written.
pub fn plain_name(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '_'], "")
}

/// The value that `text` begins with, and what comes after it; `None` if its quote never closes.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quote) = text.chars().next().filter(|c| ['"', '\''].contains(c)) else {
        let (value, left) = text.split_once(';').unwrap_or((text, ""));
        return Some((value.trim_end().to_owned(), left));
    };
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let (before, after) = rest.split_once(quote)?;
        value.push_str(before);
        match after.strip_prefix(quote) {
            Some(after) => {
                value.push(quote);
                rest = after;
            }
            None => {
                let left = after.trim_start();
                return (left.is_empty() || left.starts_with(';')).then_some((value, left));
            }
        }
    }
}

fn torn() -> Error {
    Error::config(
        "a setting has no value, or one that never ends",
        "Write each as Name=value with ; between them, and put a value with ; or quotes in it in \
         '…', as in Password='a;b'; '' is a ' in it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let pairs = pairs(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        pairs.into_iter().map(|p| (p.name, p.value)).collect()
    }

    #[test]
    fn settings_are_cut_by_the_rules_of_ado() {
        for (text, expected) in [
            ("Server=h;Database=d", vec![("server", "h"), ("database", "d")]),
            (" ; User Id = u ; PWD= a b ;; ", vec![("userid", "u"), ("pwd", "a b")]),
            ("Password='a;b''c\"'", vec![("password", "a;b'c\"")]),
            ("Password=\"a;b'c\"\"\" ; x=", vec![("password", "a;b'c\""), ("x", "")]),
            ("Password=a=b'c", vec![("password", "a=b'c")]),
            ("Connect_Timeout=5", vec![("connecttimeout", "5")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_torn_is_refused_without_being_repeated() {
        for text in ["canary", "Password=a;canary", "Password='canary", "Password='a'canary;x=y"] {
            let e = pairs(text).err().unwrap();
            assert!(!format!("{e} {e:?} {}", e.remedy()).contains("canary"), "{text}");
        }
    }

    #[test]
    fn a_string_is_known_by_its_first_name() {
        for text in ["Server=h", " data source = h", "PWD=x;Server=h", "user id=u"] {
            assert!(is_ado(text), "{text}");
        }
        for text in ["", "Server", "sqlserver://u@h/d?server=x", "host=h", "x=y;Server=h"] {
            assert!(!is_ado(text), "{text}");
        }
    }
}
