//! The file: `config.example.toml` with what was decided put in, so that it explains itself.

use std::fmt::Write as _;

use crate::config::{self, DesktopKind, TlsSetting, quote};
use crate::model::TableName;

use super::decision::{Draft, Table, Undecided, listed};

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Where the example's own tables begin.
const TABLES: &str = "# One section for each table";

const HEADER: &str = "\
# tidegate's configuration, as `tidegate init` proposes it. What it could not decide is said where
# it belongs, after \"undecided:\". The password of a database does not belong in here.
";

/// How wide the example's settings are before their remarks, and the longest line.
const SETTING_WIDTH: usize = 38;
const WIDTH: usize = 98;

/// The draft as a file. The same draft gives the same file.
pub(super) fn text(draft: &Draft) -> String {
    let (general, tables) = EXAMPLE.split_once(TABLES).unwrap_or((EXAMPLE, ""));
    let mut out = HEADER.to_owned();
    let mut section = "";
    for line in general.lines().skip_while(|line| *line != "#") {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        }
        key_line(&mut out, draft, section, line);
    }
    let remarks = tables.lines().take_while(|line| !line.starts_with('['));
    let first = format!("{TABLES}{}", remarks.clone().next().unwrap_or_default());
    for line in [first.as_str()].into_iter().chain(remarks.skip(1)) {
        line_end(&mut out, line);
    }
    for table in &draft.tables {
        block(&mut out, table, draft.kind);
        out.push('\n');
    }
    further_keys(&mut out, tables);
    for undecided in &draft.unpaired {
        out.push('\n');
        note(&mut out, undecided);
    }
    one_sided(
        &mut out,
        "Only the desktop has these tables; to sync one, create it in the cloud:",
        &draft.only_desktop,
    );
    one_sided(&mut out, "Only the cloud has these tables; they are left alone:", &draft.only_cloud);
    out
}

/// A line of the example, with the decided value, and after what is undecided about its key.
fn key_line(out: &mut String, draft: &Draft, section: &str, line: &str) {
    let plain = line.strip_prefix('#').unwrap_or(line);
    let parts = plain.split_once(" = ").filter(|(key, _)| is_key(key));
    let Some((key, rest)) = parts else {
        return line_end(out, line);
    };
    let is_other = draft.kind != DesktopKind::Postgres;
    let open = draft.general.iter().filter(|(s, k, _)| (*s, *k) == (section, key));
    let mut suggested = false;
    for (_, _, undecided) in open {
        note(out, undecided);
        suggested |= undecided.suggestion.is_some();
    }
    match value(draft, section, key) {
        Some(value) => {
            let remark = rest.split_once("  #").map(|(_, remark)| remark.trim());
            // An example of another kind's.
            let remark = remark.filter(|_| !(section == "desktop" && key == "url" && is_other));
            set(out, key, &value, remark);
        }
        None if suggested => {}
        None => line_end(out, line),
    }
}

fn is_key(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn value(draft: &Draft, section: &str, key: &str) -> Option<String> {
    let is_sqlserver = draft.kind == DesktopKind::SqlServer;
    Some(match (section, key) {
        ("desktop", "kind") if is_sqlserver => quote::string(draft.kind.word()),
        ("desktop", "tls") => tls(&draft.tls)?,
        ("sync", "capture") if is_sqlserver => quote::string(draft.capture.word()),
        ("desktop", "url") => quote::text(&draft.desktop),
        ("cloud", "url") => quote::text(&draft.cloud),
        ("ownership", "column") => quote::string(&draft.ownership.column),
        ("ownership", "desktop") => quote::string(&draft.ownership.desktop),
        ("ownership", "mobile") => quote::string(&draft.ownership.mobile),
        ("sync", "updated_at") => quote::string(&draft.updated_at),
        ("sync", "created_at") => quote::string(&draft.created_at),
        ("sync", "assume_timezone") => quote::string(draft.assume_timezone.as_ref()?),
        _ => return None,
    })
}

fn set(out: &mut String, key: &str, value: &str, remark: Option<&str>) {
    let setting = format!("{key} = {value}");
    match remark {
        Some(remark) => line_end(out, &format!("{setting:<SETTING_WIDTH$} # {remark}")),
        None => line_end(out, &setting),
    }
}

fn block(out: &mut String, table: &Table, kind: DesktopKind) {
    line_end(out, &header(&table.cloud));
    for text in &table.notes {
        comment(out, "# ", text);
    }
    for undecided in &table.undecided {
        note(out, undecided);
    }
    if let Some(reason) = table.disabled {
        set(out, "enabled", "false", Some(reason));
    }
    if table.desktop != config::desktop_name(&table.cloud, kind) {
        set(out, "desktop", &quote::string(&desktop(&table.desktop, kind)), None);
    }
    if let Some(capture) = table.capture {
        set(out, "capture", &quote::string(capture.word()), None);
    }
    for (key, name) in &table.stamps {
        set(out, key, &quote::string(name), None);
    }
    if !table.exclude.is_empty() {
        set(out, "exclude", &quote::list(table.exclude.iter().cloned()), None);
    }
    if !table.rename.is_empty() {
        set(out, "rename", &quote::pairs(&table.rename), None);
    }
}

/// The desktop's name of a table; only where `public` is the schema of most it may be left out.
fn desktop(table: &TableName, kind: DesktopKind) -> String {
    match kind {
        DesktopKind::Postgres => table.to_string(),
        DesktopKind::SqlServer => format!("{}.{}", table.schema, table.name),
    }
}

fn tls(setting: &TlsSetting) -> Option<String> {
    Some(match setting {
        TlsSetting::Unset => return None,
        TlsSetting::VerifyFull => quote::string("verify-full"),
        TlsSetting::Ca(path) => {
            format!("{{ ca = {} }}", quote::string(&path.display().to_string()))
        }
        TlsSetting::TrustServer => quote::string("trust-server"),
        TlsSetting::Off => quote::string("off"),
    })
}

/// The header of a table's section.
pub(super) fn header(table: &TableName) -> String {
    format!("[tables.{}]", quote::key(&table.to_string()))
}

/// What the example shows of tables, as comments.
fn further_keys(out: &mut String, tables: &str) {
    line_end(out, "# What else a table's section may say:");
    let shown = tables.lines().skip_while(|line| !line.starts_with('['));
    for line in shown.filter(|line| !line.is_empty()) {
        let mark = if line.starts_with('#') { "" } else { "#" };
        line_end(out, &format!("{mark}{line}"));
    }
}

fn one_sided(out: &mut String, what: &str, tables: &[TableName]) {
    if !tables.is_empty() {
        out.push('\n');
        comment(out, "# ", what);
        comment(out, "#   ", &listed(tables));
    }
}

fn note(out: &mut String, undecided: &Undecided) {
    comment(out, "# ", &format!("undecided: {}", undecided.question));
    comment(out, "#   ", &undecided.remedy);
    for line in undecided.suggestion.iter().flat_map(|lines| lines.lines()) {
        line_end(out, &format!("#{line}"));
    }
}

/// `text` in lines that are not too long, each after `prefix`.
fn comment(out: &mut String, prefix: &str, text: &str) {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty()
            && (prefix.len() + line.chars().count() + 1 + word.chars().count()) > WIDTH
        {
            line_end(out, &format!("{prefix}{line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line_end(out, &format!("{prefix}{line}"));
}

fn line_end(out: &mut String, line: &str) {
    // A String takes whatever is written to it.
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever rewrites the example meets this.
    #[test]
    fn the_example_has_a_place_for_all_that_is_decided() {
        assert!(EXAMPLE.lines().any(|line| line == "#"), "where its first paragraph ends");
        let (general, tables) = EXAMPLE.split_once(TABLES).unwrap();
        assert!(tables.contains("\n[tables."));
        for key in ["url", "column", "desktop", "mobile", "updated_at", "created_at", "lag"] {
            let is_set =
                |line: &str| line.trim_start_matches('#').starts_with(&format!("{key} = "));
            assert!(general.lines().any(is_set), "{key}");
        }
        let is_zone = |line: &str| line.starts_with("#assume_timezone = ");
        assert!(general.lines().any(is_zone));
    }

    #[test]
    fn long_comments_are_wrapped_and_short_ones_are_not() {
        let mut out = String::new();
        comment(&mut out, "# ", "short");
        comment(&mut out, "#   ", &"word ".repeat(30));
        assert_eq!(out.lines().next(), Some("# short"));
        assert_eq!(out.lines().count(), 3);
        assert!(out.lines().all(|line| line.starts_with('#') && line.len() <= WIDTH), "{out}");
    }
}
