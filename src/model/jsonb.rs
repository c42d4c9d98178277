//! Keys and rows as PostgreSQL writes a `jsonb`: both ends keep them in their own tables, and compare
//! them by that text.

use std::collections::BTreeMap;
use std::fmt::Write;

use md5::{Digest, Md5};

/// The text of a `jsonb` object whose members are texts, or null. Of two members with one name the
/// later one stays.
///
/// Members stand in the order of the lengths of their names, then of their bytes.
pub fn object<'m>(members: impl IntoIterator<Item = (&'m str, Option<&'m str>)>) -> String {
    let in_order: BTreeMap<(usize, &str), Option<&str>> =
        members.into_iter().map(|(name, value)| ((name.len(), name), value)).collect();
    let mut text = String::from("{");
    for ((_, name), value) in in_order {
        if text.len() > 1 {
            text.push_str(", ");
        }
        push_string(&mut text, name);
        text.push_str(": ");
        match value {
            Some(value) => push_string(&mut text, value),
            None => text.push_str("null"),
        }
    }
    text.push('}');
    text
}

/// The text of a `jsonb` string.
pub fn string(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    push_string(&mut text, value);
    text
}

/// What SQL Server finds a key by: an index of it takes no long texts.
pub fn hash(key: &str) -> [u8; 16] {
    Md5::digest(key.as_bytes()).into()
}

fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // Writing into a string can't fail.
            c if c < ' ' => _ = write!(text, "\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_by_length_and_then_by_bytes() {
        let members = [("bb", Some("2")), ("b", Some("3")), ("é", None), ("a", Some("1"))];
        assert_eq!(object(members), r#"{"a": "1", "b": "3", "bb": "2", "é": null}"#);
        assert_eq!(object([]), "{}");
    }

    #[test]
    fn of_two_members_with_one_name_the_later_one_stays() {
        assert_eq!(object([("a", Some("1")), ("a", Some("2"))]), r#"{"a": "2"}"#);
    }

    #[test]
    fn only_what_json_needs_is_escaped() {
        assert_eq!(string("\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}ü\u{2028}😀"), {
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}ü\u{2028}😀\""
        });
    }

    #[test]
    fn a_key_is_found_by_its_md5() {
        let hex: String = hash("{\"id\": \"1\"}").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "3679eaf9d1e146ccc60dcb531ba381b0");
    }
}
