//! Values of rows: no text of a row may move the cursor of a terminal.

use serde_json::Value;

/// A longer value is cut where many rows are shown.
const VALUE_CHARS: usize = 60;

/// A key in one line, as in `id=5 office="a b"`.
pub(super) fn key(key: &Value) -> String {
    let parts = key.as_object().into_iter().flatten();
    let parts: Vec<String> = parts.map(|(name, value)| format!("{name}={}", part(value))).collect();
    parts.join(" ")
}

/// A part of a key.
fn part(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.contains(|c: char| c.is_whitespace() || c.is_control()) => cut(text),
        text => short(text),
    }
}

/// A value, cut if it is long.
pub(super) fn short(value: Option<&str>) -> String {
    whole(value.map(cut).as_deref())
}

/// A value as it is.
pub(super) fn whole(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), |text| format!("{text:?}"))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
