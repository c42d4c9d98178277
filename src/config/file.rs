//! The file as written: sections and entries that know their place, so that every error can name
//! it. No error quotes a value: it may be a secret, or what a reference stands for.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::slice;
use std::time::Duration;

use bytesize::ByteSize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::expand::{Env, expand};
use super::keys::{self, Keys};
use super::quote;
use crate::error::{Error, Result};

/// The text, where it is from, and what its references are looked up in.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) env: Env<'a>,
}

impl<'a> File<'a> {
    /// The file's content as TOML.
    pub(super) fn toml(&self) -> Result<DeTable<'a>> {
        // Only the error's message: its Display prints the line, which may hold a password.
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|e| {
            Error::config(
                format!("not valid TOML: {}", e.message()),
                "Correct that line; strings stand in quotes.",
            )
            .within(self.place(e.span().map(|span| span.start)))
        })
    }

    fn place(&self, offset: Option<usize>) -> String {
        match offset {
            Some(offset) => format!("{}:{}", self.path.display(), self.line(offset)),
            None => self.path.display().to_string(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|b| *b == b'\n').count()
    }
}

/// A table of the file. One that is not there is an empty one.
pub(super) struct Section<'a> {
    file: File<'a>,
    /// The keys that lead to it; none for the whole file.
    path: Vec<String>,
    offset: Option<usize>,
    table: Option<&'a DeTable<'a>>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn top(file: File<'a>, table: &'a DeTable<'a>) -> Self {
        Self { file, path: Vec::new(), offset: None, table: Some(table) }
    }

    /// The section, if all its keys are `known`.
    pub(super) fn only(self, known: Keys) -> Result<Self> {
        match self.entries().iter().find(|entry| !keys::has(known, &entry.key)) {
            Some(entry) => Err(entry.unknown(known)),
            None => Ok(self),
        }
    }

    /// The section `key` in this one.
    pub(super) fn section(&self, key: &str) -> Result<Section<'a>> {
        match self.get(key) {
            Some(entry) => entry.section(),
            None => Ok(Self { path: self.below(key), offset: None, table: None, ..*self }),
        }
    }

    /// All that the section holds, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'a>> {
        let mut entries: Vec<_> =
            self.table.iter().flat_map(|t| t.iter()).map(|(k, v)| self.entry(k, v)).collect();
        entries.sort_by_key(|entry| entry.offset);
        entries
    }

    /// What the section says of `key`.
    pub(super) fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.table?.get_key_value(key).map(|(k, v)| self.entry(k, v))
    }

    /// What the section says of `key`, as `read` understands it.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(key).map(|entry| read(&entry)).transpose()
    }

    /// What the section says of `key`; `example` is how to say it.
    pub(super) fn require(&self, key: &str, example: &str) -> Result<Entry<'a>> {
        self.get(key).ok_or_else(|| {
            Error::config(
                format!("`{key}` is missing in {self}"),
                format!("Add {key} = {example} under {self}."),
            )
            .within(self.place())
        })
    }

    /// An error about the section as a whole.
    pub(super) fn refuse(&self, what: &str, remedy: &str) -> Error {
        Error::config(format!("{self} {what}"), remedy).within(self.place())
    }

    /// The line of its header; 0 if it has none.
    pub(super) fn line(&self) -> usize {
        self.offset.map_or(0, |offset| self.file.line(offset))
    }

    fn place(&self) -> String {
        self.file.place(self.offset)
    }

    fn entry(
        &self,
        key: &'a Spanned<impl AsRef<str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Entry<'a> {
        Entry {
            file: self.file,
            path: self.path.clone(),
            key: key.get_ref().as_ref().to_owned(),
            offset: key.span().start,
            value: value.get_ref(),
        }
    }

    fn below(&self, key: &str) -> Vec<String> {
        self.path.iter().cloned().chain([key.to_owned()]).collect()
    }
}

/// As its header is written, `[tables."audit.log"]`.
impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&header(&self.path))
    }
}

/// A key with its value.
pub(super) struct Entry<'a> {
    file: File<'a>,
    path: Vec<String>,
    pub(super) key: String,
    offset: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Entry<'a> {
    /// The value as a section of its own.
    pub(super) fn section(&self) -> Result<Section<'a>> {
        let path: Vec<_> = self.path.iter().chain([&self.key]).cloned().collect();
        match self.value {
            DeValue::Table(table) => {
                Ok(Section { file: self.file, path, offset: Some(self.offset), table: Some(table) })
            }
            _ => Err(self.refuse("must be a section", format!("Write {}.", header(&path)))),
        }
    }

    /// The value as it is written, references and all.
    pub(super) fn plain(&self) -> toml::Value {
        plain(self.value)
    }

    /// The line of the key.
    pub(super) fn line(&self) -> usize {
        self.file.line(self.offset)
    }

    /// The value as text, its references replaced.
    pub(super) fn string(&self) -> Result<String> {
        match self.value {
            DeValue::String(text) => expand(text, self.file.env).map_err(|e| e.within(self)),
            _ => Err(self.must_be("a string in quotes", "\"…\"")),
        }
    }

    /// The value as a list of strings, each read by `read`.
    pub(super) fn list<T>(&self, read: impl Fn(&Entry<'a>) -> Result<T>) -> Result<Vec<T>> {
        let DeValue::Array(items) = self.value else {
            return Err(self.must_be("a list of strings", "[\"…\", \"…\"]"));
        };
        let item = |item: &'a Spanned<DeValue<'a>>| Entry {
            file: self.file,
            path: self.path.clone(),
            key: self.key.clone(),
            offset: item.span().start,
            value: item.get_ref(),
        };
        items.iter().map(|i| read(&item(i))).collect()
    }

    /// The value as key → value, both sides of it read by `read`.
    pub(super) fn map<T>(
        &self,
        read: impl Fn(&Entry<'a>) -> Result<T>,
    ) -> Result<BTreeMap<String, T>> {
        let entries = self.section()?.entries();
        entries.iter().map(|entry| Ok((entry.key.clone(), read(entry)?))).collect()
    }

    /// The value as yes or no.
    pub(super) fn boolean(&self) -> Result<bool> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.must_be("true or false", "true")),
        }
    }

    /// The value as a whole number within `range`.
    pub(super) fn whole(&self, range: RangeInclusive<u64>) -> Result<u64> {
        match self.value {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok(),
            _ => None,
        }
        .filter(|n| range.contains(n))
        .ok_or_else(|| {
            let rule = format!("a whole number from {} to {}", range.start(), range.end());
            self.must_be(&rule, &range.start().to_string())
        })
    }

    /// The value as a duration within `range`, which `limits` puts into words.
    pub(super) fn duration(
        &self,
        range: RangeInclusive<Duration>,
        limits: &str,
    ) -> Result<Duration> {
        self.parsed(|text| humantime::parse_duration(text).ok())?
            .filter(|duration| range.contains(duration))
            .ok_or_else(|| self.must_be(&format!("a duration {limits}"), "\"30s\""))
    }

    /// The value as a number of bytes within `range`, which `limits` puts into words.
    pub(super) fn size(&self, range: RangeInclusive<u64>, limits: &str) -> Result<u64> {
        self.parsed(|text| text.parse().ok().map(|ByteSize(bytes)| bytes))?
            .filter(|bytes| range.contains(bytes))
            .ok_or_else(|| self.must_be(&format!("a size {limits}"), "\"4MiB\""))
    }

    /// `None` where the value is no string, or one that `parse` does not understand.
    fn parsed<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
        match self.value {
            DeValue::String(_) => Ok(parse(&self.string()?)),
            _ => Ok(None),
        }
    }

    /// A bad value: what it must be, and how that is written.
    pub(super) fn must_be(&self, rule: &str, example: &str) -> Error {
        let remedy = format!("Write for example {} = {example}.", quote::key(&self.key));
        self.refuse(&format!("must be {rule}"), remedy)
    }

    /// An error about the entry.
    pub(super) fn refuse(&self, what: &str, remedy: impl Into<String>) -> Error {
        Error::config(format!("{self} {what}"), remedy)
    }

    fn unknown(&self, known: Keys) -> Error {
        let nested = self.value.is_table();
        let what = if !self.path.is_empty() {
            format!("unknown key `{}` in {}", self.key, header(&self.path))
        } else if nested {
            format!("unknown section {}", header(slice::from_ref(&self.key)))
        } else {
            format!("unknown key `{}` outside any section", self.key)
        };
        let remedy = match self.path.as_slice() {
            [tables, schema] if nested && tables == "tables" => {
                let name = format!("{schema}.{}", self.key);
                format!(
                    "A name with its schema stands in quotes: {}.",
                    header(&[tables.clone(), name])
                )
            }
            _ => keys::remedy(&self.key, known),
        };
        Error::config(what, remedy).within(self.file.place(Some(self.offset)))
    }
}

/// Its place and name, the beginning of a message: "tidegate.toml:4: `lag` in [sync]".
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`", self.file.place(Some(self.offset)), self.key)?;
        if self.path.is_empty() {
            return Ok(());
        }
        write!(f, " in {}", header(&self.path))
    }
}

fn plain(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).unwrap_or_default().into()
        }
        DeValue::Float(n) => n.as_str().into(),
        DeValue::Datetime(moment) => (*moment).into(),
        DeValue::Array(items) => {
            toml::Value::Array(items.iter().map(|item| plain(item.get_ref())).collect())
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), plain(value.get_ref()))
            };
            toml::Value::Table(table.iter().map(entry).collect())
        }
    }
}

fn header(path: &[String]) -> String {
    let words: Vec<_> = path.iter().map(|key| quote::key(key)).collect();
    format!("[{}]", words.join("."))
}
