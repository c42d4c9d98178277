//! A key as people write it.

use serde_json::{Map, Value};

/// Reads `text` as a value for each of `columns`, the key's: `10` or `id=10` for one, `a=1,b=2` for
/// several, or a JSON object. `None`: it is no such key.
pub(super) fn read(text: &str, columns: &[&str]) -> Option<Value> {
    if let Ok(Value::Object(object)) = serde_json::from_str(text) {
        return of_object(&object, columns);
    }
    let starts = |part: &str| {
        let (name, value) = part.split_once('=')?;
        columns.contains(&name.trim()).then(|| (name.trim().to_owned(), value.to_owned()))
    };
    if let [only] = columns {
        let value = starts(text).map_or(text.to_owned(), |(_, value)| value);
        return Some(Value::Object(Map::from_iter([((*only).to_owned(), Value::String(value))])));
    }
    let mut parts: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        match (starts(piece), parts.last_mut()) {
            (Some(part), _) => parts.push(part),
            // A comma within a value.
            (None, Some((_, value))) => value.push_str(&format!(",{piece}")),
            (None, None) => return None,
        }
    }
    let whole = parts.len() == columns.len();
    let object: Map<String, Value> =
        parts.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    (whole && object.len() == columns.len()).then_some(Value::Object(object))
}

/// Values as text, whatever JSON has them as.
fn of_object(object: &Map<String, Value>, columns: &[&str]) -> Option<Value> {
    let value = |name: &&str| {
        let text = match object.get(*name)? {
            Value::String(text) => text.clone(),
            scalar @ (Value::Number(_) | Value::Bool(_)) => scalar.to_string(),
            _ => return None,
        };
        Some(((*name).to_owned(), Value::String(text)))
    };
    let values: Option<Map<String, Value>> = columns.iter().map(value).collect();
    values.filter(|_| object.len() == columns.len()).map(Value::Object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_read_however_it_is_written() {
        let one = Some(json!({"id": "10"}));
        for text in ["10", "id=10", r#"{"id": 10}"#, r#"{"id": "10"}"#] {
            assert_eq!(read(text, &["id"]), one, "{text}");
        }
        let two = Some(json!({"a b": "1", "c": "x,y=z"}));
        for text in ["a b=1,c=x,y=z", "c=x,y=z,a b=1", r#"{"c": "x,y=z", "a b": 1}"#] {
            assert_eq!(read(text, &["a b", "c"]), two, "{text}");
        }
        assert_eq!(read("a=b", &["id"]), Some(json!({"id": "a=b"})), "no column is called so");
        for text in
            ["", "10", "a=1", "a=1,a=2", "a=1,b=2,a=3", r#"{"a": 1}"#, r#"{"a": 1, "b": null}"#]
        {
            assert_eq!(read(text, &["a", "b"]), None, "{text}");
        }
        assert_eq!(read(r#"{"id": 1, "more": 2}"#, &["id"]), None);
    }
}
