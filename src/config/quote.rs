//! How names and values are written in the file, so that it reads back as the same.

use std::fmt::Write as _;

/// A key, or a part of a section's name: bare where TOML allows it.
pub fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { text(key) }
}

/// A string that means what it says, also if it looks like a reference.
pub fn string(value: &str) -> String {
    text(&value.replace("${", "$${"))
}

/// A string whose references stay references.
pub fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // A String takes whatever is written to it.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A list of strings.
pub fn list(values: impl IntoIterator<Item = String>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| string(&value)).collect();
    format!("[{}]", values.join(", "))
}

/// An inline table of strings.
pub fn pairs(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{} = {}", key(k), string(v))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character below U+3000 once, and what is awkward in company.
    #[test]
    fn what_is_written_reads_back() {
        let each = (0..0x3000).filter_map(char::from_u32).map(String::from);
        let awkward =
            ["", "\"\"\"", "'''", "\\u0041", "a.b", "[x]", "# no", "é\u{1F600}", "${", "$$${"];
        for name in each.chain(awkward.map(String::from)) {
            let line = format!("{} = {}", key(&name), text(&name));
            let read: toml::Table = toml::from_str(&line).unwrap();
            assert_eq!(read[&name].as_str(), Some(name.as_str()), "{line}");
        }
    }

    #[test]
    fn only_plain_keys_are_bare() {
        assert_eq!(["a_B-1", "", "a b", "é"].map(key), ["a_B-1", "\"\"", "\"a b\"", "\"é\""]);
    }

    #[test]
    fn a_value_is_no_reference() {
        for value in ["${env:PW}", "a$${b", "$$${", "${", "$", "plain"] {
            let toml: toml::Table = toml::from_str(&format!("a = {}", string(value))).unwrap();
            let read = crate::config::expand::expand(toml["a"].as_str().unwrap(), &|_| None);
            assert_eq!(read.unwrap(), value);
        }
    }
}
