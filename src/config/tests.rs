mod desktop;

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Config, first_of, keys};
use crate::error::{Error, Kind, Result};
use crate::model::{Capture, Lag, TableName, TableSettings};

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Complete; what a test adds begins at line 8.
const BASE: &str = "\
[desktop]
kind = \"postgres\"
url = \"postgres://d\"
[cloud]
url = \"${env:CLOUD_URL}\"
[tables.jobshead]
[tables.jobtasks]
";

fn env(name: &str) -> Option<String> {
    match name {
        "CLOUD_URL" | "DESKTOP_URL" => Some("postgres://u:hunter2@cloud/db".into()),
        "PW" => Some("hunter2".into()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("tidegate.toml"), &env)
}

/// `BASE` with `more` after it.
fn with(more: &str) -> Result<Config> {
    parse(&format!("{BASE}{more}\n"))
}

fn table(config: &Config, name: &str) -> TableSettings {
    config.tables.iter().find(|t| t.cloud.name == name).unwrap().clone()
}

/// All that an operator or a log may see of an error.
fn seen(error: &Error) -> String {
    let source = error.source().map(|e| format!("{e} {e:?}")).unwrap_or_default();
    format!("{error}\n{error:?}\n{}\n{source}", error.remedy())
}

fn refused(text: &str, message: &str, remedy: &str) {
    let error = parse(text).expect_err(text);
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().contains(message), "{text}\n{error}\nwanted: {message}");
    assert!(error.remedy().contains(remedy), "{text}\n{}\nwanted: {remedy}", error.remedy());
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = parse(BASE).unwrap();
    assert_eq!(config.path, Path::new("tidegate.toml"));
    assert_eq!(config.desktop_url.expose_secret(), "postgres://d");
    assert_eq!(config.cloud_url.expose_secret(), "postgres://u:hunter2@cloud/db");
    assert_eq!(config.cloud_schema, "tidegate");
    let own = &config.ownership;
    assert_eq!([&own.column, &own.desktop, &own.mobile], ["source", "D", "M"]);
    assert_eq!(config.workers, 4);
    assert_eq!(config.tables.len(), 2);
    let expected = TableSettings {
        cloud: TableName::new("public", "jobshead"),
        desktop: TableName::new("public", "jobshead"),
        enabled: true,
        exclude: vec![],
        rename: [].into(),
        also_writes: vec![],
        capture: Capture::Timestamp,
        updated_at: "updated_at".into(),
        created_at: "created_at".into(),
        lag: Lag::Unset,
        assume_timezone: None,
        batch_rows: 50_000,
        batch_bytes: 4 * 1024 * 1024,
        max_withheld: 1000,
    };
    assert_eq!(config.tables[0], expected);
}

#[test]
fn a_table_inherits_from_sync_and_may_say_otherwise() {
    let config = with(
        "[sync]\nlag = '5m'\nassume_timezone = 'Europe/London'\nbatch_rows = 10\nworkers = 64\n\
         [tables.'audit.log']\ncapture = 'timestamp'\nlag = '0s'\nbatch_bytes = '1KiB'\n\
         assume_timezone = 'UTC'\nupdated_at = 'changed'\nmax_withheld = 1\nenabled = false\n\
         deletes.forward = 'off'\ndeletes.retention = '30d'\n\
         desktop = 'office.Log'\nexclude = ['scratch']\nalso_writes = ['audit.x', 'y']\n\
         rename = { JobNo = 'job_id' }",
    )
    .unwrap();
    assert_eq!(config.workers, 64);
    let plain = table(&config, "jobshead");
    assert_eq!(plain.lag, Lag::Set(Duration::from_secs(300)));
    assert_eq!(plain.assume_timezone.as_deref(), Some("Europe/London"));
    assert_eq!((plain.batch_rows, plain.batch_bytes), (10, 4 << 20));
    let own = table(&config, "log");
    assert_eq!(own.cloud, TableName::new("audit", "log"));
    assert_eq!(own.desktop, TableName::new("office", "Log"));
    assert_eq!(own.lag, Lag::Set(Duration::ZERO));
    assert_eq!(own.assume_timezone.as_deref(), Some("UTC"));
    assert_eq!((own.batch_rows, own.batch_bytes, own.max_withheld), (10, 1024, 1));
    assert_eq!((own.updated_at.as_str(), own.enabled), ("changed", false));
    assert_eq!(own.exclude, ["scratch"]);
    assert_eq!(own.also_writes, [TableName::new("audit", "x"), TableName::new("public", "y")]);
    assert_eq!(own.rename["JobNo"], "job_id");
}

#[test]
fn unknown_keys_are_errors_with_a_suggestion() {
    for (more, message, remedy) in [
        (
            "[sync]\n\n\n\nbatch_row = 1",
            "tidegate.toml:12: unknown key `batch_row` in [sync]",
            "Did you mean `batch_rows`?",
        ),
        ("[sync]\nLAG = '1s'", ":9: unknown key `LAG` in [sync]", "Did you mean `lag`?"),
        ("[snyc]\nlag = '1s'", ":8: unknown section [snyc]", "Did you mean `sync`?"),
        ("[tables.a]\nworkers = 1", "`workers` in [tables.a]", "belongs in [sync]."),
        ("[sync]\nschema = 'x'", "`schema` in [sync]", "belongs in [desktop] or [cloud]"),
        ("[sync]\nretention = '1d'", "`retention` in [sync]", "[tables.NAME.deletes]"),
        ("[tables.a.deletes]\nfoward = 'off'", "in [tables.a.deletes]", "`forward`"),
        ("[deletes]\nzzz = 1", ":9: unknown key `zzz` in [deletes]", "Allowed here: `forward`, "),
        (
            "[tables.public.jobs]",
            ":8: unknown key `jobs` in [tables.public]",
            "stands in quotes: [tables.\"public.jobs\"]",
        ),
    ] {
        refused(&format!("{BASE}{more}"), message, remedy);
    }
    refused("lag = '1s'", ":1: unknown key `lag` outside any section", "belongs in [sync]");
    let cloud = BASE.replace("[cloud]", "[cloud]\nlag = '1s'");
    refused(&cloud, ":5: unknown key `lag` in [cloud]", "belongs in [sync]");
}

#[test]
fn missing_things_are_errors() {
    for (gone, message, remedy) in [
        (
            "[cloud]\nurl = \"${env:CLOUD_URL}\"\n",
            "tidegate.toml: `url` is missing in [cloud]",
            "Add url =",
        ),
        (
            "url = \"${env:CLOUD_URL}\"\n",
            "tidegate.toml:4: `url` is missing in [cloud]",
            "Add url =",
        ),
        (
            "url = \"postgres://d\"\n",
            "tidegate.toml:1: `url` is missing in [desktop]",
            "DESKTOP_URL",
        ),
        (
            "kind = \"postgres\"\n",
            "tidegate.toml:1: `kind` is missing in [desktop]",
            "\"postgres\"",
        ),
        ("[tables.jobshead]\n[tables.jobtasks]\n", "[tables] names no table", "Add [tables.NAME]"),
    ] {
        assert!(BASE.contains(gone), "{gone}");
        refused(&BASE.replace(gone, ""), message, remedy);
    }
}

#[test]
fn bad_values_are_errors() {
    let rows = "must be a whole number from 1 to 1000000000";
    for (more, message, remedy) in [
        ("[sync]\nbatch_rows = '5'", rows, "batch_rows = 1."),
        ("[sync]\nbatch_rows = 0", "tidegate.toml:9: `batch_rows` in [sync] must be", "= 1."),
        ("[sync]\nbatch_rows = -1", rows, "= 1."),
        ("[sync]\nbatch_rows = 1.5", rows, "= 1."),
        ("[tables.a]\nmax_withheld = 0", "`max_withheld` in [tables.a] must be", "= 1."),
        ("[sync]\nworkers = 65", "a whole number from 1 to 64", "= 1."),
        ("[sync]\nworkers = 0", "a whole number from 1 to 64", "= 1."),
        ("[sync]\nbatch_bytes = 4096", "must be a size from 1KiB to 1GiB", "\"4MiB\""),
        ("[sync]\nbatch_bytes = '1000'", "must be a size from 1KiB to 1GiB", "\"4MiB\""),
        ("[sync]\nbatch_bytes = '2GiB'", "must be a size from 1KiB to 1GiB", "\"4MiB\""),
        ("[sync]\nbatch_bytes = 'many'", "must be a size from 1KiB to 1GiB", "\"4MiB\""),
        ("[sync]\nlag = 2", "must be a duration from 0s to 1d", "lag = \"30s\"."),
        ("[sync]\nlag = '25h'", "must be a duration from 0s to 1d", "lag = \"30s\"."),
        ("[sync]\nlag = 'soon'", "must be a duration from 0s to 1d", "lag = \"30s\"."),
        ("[sync]\nupdated_at = ''", "must be a name of 1 to 63 bytes", "updated_at = "),
        ("[sync]\ncreated_at = true", "must be a string in quotes", "created_at = "),
        ("[sync]\nassume_timezone = 'BST'", "the full name of a time zone", "Europe/London"),
        ("[sync]\nassume_timezone = '+01:00'", "the full name of a time zone", "Europe/London"),
        ("[deletes]\nmax_percent = 101", "a whole number from 0 to 100", "= 0."),
        ("[deletes]\nevery = '0s'", "must be a duration from 1s", "every = "),
        ("[deletes]\nretention = 24", "must be a duration from 1s", "retention = "),
        ("[tables.a.deletes]\nconfirm_after = ''", "must be a duration from 1s", "= "),
        ("[ownership]\ncolumn = ''", "must be a name", "column = "),
        ("[ownership]\nmobile = ''", "must be a mark that is not empty", "mobile = "),
        ("[ownership]\nmobile = 'D'", "[ownership] gives desktop and mobile the same", "different"),
        ("[tables.a]\nenabled = 'yes'", "must be true or false", "enabled = true"),
        ("[tables.a]\nexclude = 'x'", "must be a list of strings", "exclude = ["),
        ("[tables.a]\nexclude = [\n'x',\n1]", ":11: `exclude` in [tables.a] must be a string", ""),
        ("[tables.a]\nexclude = ['']", "must be a name of 1 to 63 bytes", ""),
        ("[tables.a]\nalso_writes = ['a.']", "is no table's name", "\"schema.name\""),
        ("[tables.a]\ndesktop = '.a'", "`desktop` in [tables.a] is no table's name", "schema.name"),
        ("[tables.'']", "`` in [tables] is no table's name", "[tables.jobshead]"),
        ("[tables]\na = 1", ":9: `a` in [tables] must be a section", "Write [tables.a]."),
        ("[[sync]]", ":8: `sync` must be a section", "Write [sync]."),
        ("[tables.a]\nrename = 'x'", "`rename` in [tables.a] must be a section", ""),
        ("[tables.a]\nrename = { x = 1 }", "`x` in [tables.a.rename] must be a string", ""),
        ("[tables.a]\nrename = { x = '' }", "`x` in [tables.a.rename] must be a name", ""),
        ("[tables.a]\nrename = { '' = 'x' }", "must be desktop name = cloud name", "JobNo"),
        ("[tables.a]\nrename = { x = 'z', y = 'z' }", "two columns the same cloud name", ""),
        ("[tables.a]\nexclude = ['x']\nrename = { x = 'z' }", "that `exclude` leaves out", ""),
        (
            "[tables.'public.jobshead']",
            ":8: [tables.\"public.jobshead\"] and [tables.jobshead] (line 6) are the same table",
            "Keep one",
        ),
        ("[tables.a]\ndesktop = 'jobshead'", "(line 6) read the same table of the desktop", ""),
        ("[sync]\nlag = '${env:NO}'", ":9: `lag` in [sync]: the environment variable `NO`", "Set"),
        ("[sync]\nlag = ", ":9: not valid TOML: ", "in quotes"),
        ("[sync]\nlag = '1s'\nlag = '2s'", ":10: not valid TOML: duplicate key", ""),
    ] {
        let text = match more.strip_prefix("[tables]\n") {
            Some(rest) => BASE.replace("[tables.jobshead]", &format!("[tables]\n\n\n{rest}")),
            None => format!("{BASE}{more}"),
        };
        refused(&text, message, remedy);
    }
    for url in ["", "sqlserver://h", "host=h", "${env:PW}"] {
        let text = BASE.replace("postgres://d", url);
        refused(&text, ":3: `url` in [desktop] must be an address that begins with", "${env:NAME}");
    }
    let schema = BASE.replace("[cloud]", "[cloud]\nschema = ''");
    refused(&schema, ":5: `schema` in [cloud] must be a name", "schema = ");
}

#[test]
fn what_this_version_does_not_do_is_refused() {
    let later = "asks for what this version does not do";
    let words = |key: &str, values: &[&str]| -> Vec<(String, String)> {
        values.iter().map(|v| (key.to_owned(), v.to_string())).collect()
    };
    for (key, value) in [
        words("capture", &["log", "full", "xmin"]),
        words("conflicts", &["desktop", "mobile", "hold", "columns"]),
        words("edits", &["latest"]),
    ]
    .concat()
    {
        for section in ["sync", "tables.a"] {
            let text = format!("{BASE}[{section}]\n{key} = '{value}'");
            let message = format!(":9: `{key}` in [{section}] {later}");
            refused(&text, &message, &format!("Set {key} = \""));
        }
    }
    let deletes = [words("forward", &["reconcile", "log"]), words("reverse", &["log"])];
    for (key, value) in deletes.concat() {
        for section in ["deletes", "tables.a.deletes"] {
            let text = format!("{BASE}[{section}]\n{key} = '{value}'");
            refused(&text, &format!("`{key}` in [{section}] {later}"), "= \"off\"");
        }
    }
    refused(&BASE.replace("\"postgres\"", "'sqlite'"), later, "\"postgres\" or \"sqlserver\"");
    refused(&BASE.replace("\"postgres\"", "'mysql'"), "must be \"postgres\" or \"sqlserver\"", "");
    refused(&format!("{BASE}[sync]\ncapture = 'log '"), "must be \"timestamp\"", "timestamp");
}

#[test]
fn no_error_and_no_debug_output_shows_a_value() {
    for line in [
        "url = URL",
        "url = 'URL",
        "url = 'URL\"",
        "url = \"\"\"URL\"",
        "url = 'URL' x",
        "url = 'URL'\nurl = 'URL'",
        "url = \"\\URL\"",
        "url 'URL'",
        "'URL'",
        "URL",
        "url = ['URL']",
        "url = { value = 'URL' }",
        "url = 'mysqlURL'",
        "url = 'URL${x'",
        "url = 'postgres://u:${hunter2}@h'",
        "url = 'postgres://u:${env:hunter2@h}'",
        "url = 'postgres://u:\0hunter2'",
        "url = '${file:URL}'",
        "url = '${cred:URL}'",
        "url = 'x${env:PW}'",
        "schema = 'URL${env:NO}'\nurl = 'URL'",
        "schema = \"\\u0000${env:PW}\"\nurl = 'URL'",
        "uri = 'URL'",
    ] {
        let line = line.replace("URL", "postgres://u:hunter2@h/db");
        let text = BASE.replace("url = \"${env:CLOUD_URL}\"", &line);
        let seen = seen(&parse(&text).expect_err(&text));
        assert!(!seen.contains("hunter2"), "{line}\n{seen}");
        assert!(seen.contains("tidegate.toml:"), "{line}\n{seen}");
    }
    for key in ["capture", "lag", "batch_rows", "batch_bytes", "assume_timezone", "exclude"] {
        let text = format!("{BASE}[tables.a]\n{key} = \"${{env:PW}}\"");
        let seen = seen(&parse(&text).expect_err(&text));
        assert!(!seen.contains("hunter2"), "{key}\n{seen}");
    }
    let config =
        with("[sync]\nupdated_at = '${env:PW}'\n[ownership]\ncolumn = '${env:PW}'").unwrap();
    assert_eq!(config.ownership.column, "hunter2");
    assert!(!format!("{config:?} {config:#?}").contains("hunter2"), "{config:?}");
}

#[test]
fn windows_line_endings_and_byte_order_marks_are_read() {
    let text = format!("\u{feff}{BASE}[sync]\nlag = 1\n").replace('\n', "\r\n");
    refused(&text, "tidegate.toml:9: `lag` in [sync]", "");
}

#[test]
fn the_example_loads_as_it_is() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.tables, parse(BASE).unwrap().tables);
    refused(&EXAMPLE.replace("CLOUD_URL", "NO"), "variable `NO` is not set", "Set `NO`");
}

/// Also with all that it only shows, which must be the defaults where there are any.
#[test]
fn the_example_shows_every_key_and_its_default() {
    let shown = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| !c.is_whitespace()) => rest,
        _ => line,
    };
    let text = EXAMPLE.lines().map(shown).collect::<Vec<_>>().join("\n");
    // What is for a SQL Server only.
    let of_postgres: Vec<_> = text.lines().filter(|line| !line.starts_with("tls = ")).collect();
    let config = parse(&of_postgres.join("\n")).unwrap();
    let jobshead = table(&config, "jobshead");
    let expected = TableSettings {
        lag: Lag::Set(Lag::DEFAULT),
        assume_timezone: Some("Europe/London".into()),
        ..table(&parse(BASE).unwrap(), "jobshead")
    };
    assert_eq!(jobshead, expected);
    assert_eq!((config.workers, config.cloud_schema.as_str()), (4, "tidegate"));
    assert_eq!(config.ownership, parse(BASE).unwrap().ownership);

    let sections = toml::de::DeTable::parse(&text).unwrap().into_inner();
    let holds = |section: &str, key: &str| sections[section].get_ref().get(key).is_some();
    for (section, known) in [
        ("desktop", keys::DESKTOP),
        ("cloud", keys::CLOUD),
        ("ownership", keys::OWNERSHIP),
        ("sync", keys::SYNC),
        ("deletes", keys::DELETES),
    ] {
        for key in known.iter().copied().flatten() {
            assert!(holds(section, key), "config.example.toml does not name {key} of [{section}]");
        }
    }
    let tables = ["jobshead", "jobtasks"].map(|t| sections["tables"].get_ref()[t].get_ref());
    for key in keys::TABLE.iter().copied().flatten() {
        let named = holds("sync", key) || tables.iter().any(|t| t.get(*key).is_some());
        assert!(named, "config.example.toml does not name {key} of [tables.NAME]");
    }
}

#[test]
fn the_first_file_that_exists_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (a, b) = (at("a.toml"), at("b.toml"));

    let error = first_of(&[&a, &b]).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().contains(&a) && error.to_string().contains(&b), "{error}");
    assert!(error.remedy().contains("--config"));

    std::fs::write(&b, "b").unwrap();
    assert_eq!(first_of(&[&a, &b]).unwrap().1, "b");
    std::fs::write(&a, "a").unwrap();
    assert_eq!(first_of(&[&a, &b]).unwrap().1, "a");
    std::fs::write(&a, [0xff]).unwrap();
    assert!(first_of(&[&a, &b]).unwrap_err().to_string().contains("a.toml: can't be read"));
}

#[test]
fn a_named_file_is_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.toml");
    let error = Config::load(Some(&path)).unwrap_err();
    assert!(error.to_string().contains("my.toml: there is no such file"), "{error}");
    std::fs::write(&path, BASE.replace("${env:CLOUD_URL}", "postgres://c")).unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap().path, path);
}
