//! `tidegate init`: what it proposes, what it leaves open, and what it never does.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tidegate::config::Config;
use tidegate::demo::{self, Cluster};
use tidegate::model::TableName;
use tokio_postgres::Client;

use crate::support::{TIDEGATE, ask_for_passwords, connect};

mod nasty;

/// Two databases without anything of tidegate's, and a directory to write to.
struct Premises {
    cluster: Cluster,
    desktop: Client,
    cloud: Client,
    home: TempDir,
}

impl Premises {
    async fn open(desktop_schema: &str, cloud_schema: &str) -> Self {
        let cluster = Cluster::start("init", &[]).unwrap();
        cluster.create_database("desktop", None).unwrap();
        cluster.create_database("cloud", None).unwrap();
        let desktop = connect(&cluster.url("desktop")).await;
        let cloud = connect(&cluster.url("cloud")).await;
        desktop.batch_execute(desktop_schema).await.unwrap();
        cloud.batch_execute(cloud_schema).await.unwrap();
        Self { cluster, desktop, cloud, home: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("tidegate.toml")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    /// The program with the addresses in its environment, in a directory of its own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TIDEGATE);
        command.args(arguments).current_dir(self.home.path()).env_remove("JOURNAL_STREAM");
        command.env("DESKTOP_URL", self.cluster.url("desktop"));
        command.env("CLOUD_URL", self.cluster.url("cloud"));
        command
    }

    /// Runs it; the exit code must be `code`, and each of `parts` in what it says.
    fn says(&self, arguments: &[&str], code: i32, parts: &[&str]) -> Output {
        ends(self.command(arguments), code, parts)
    }
}

fn ends(mut command: Command, code: i32, parts: &[&str]) -> Output {
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{command:?}: no {part} in {said}");
    }
    output
}

/// What the file says otherwise than config.example.toml.
fn decided(text: &str) -> String {
    let example = include_str!("../../config.example.toml");
    let own = text.lines().filter(|line| {
        line.is_empty() || line.starts_with("[tables") || !example.lines().any(|l| l == *line)
    });
    let mut decided: String = own.map(|line| format!("{line}\n")).collect();
    while decided.contains("\n\n\n") {
        decided = decided.replace("\n\n\n", "\n\n");
    }
    decided
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_office_needs_no_decision() {
    let cloud = [demo::SCHEMA, demo::CLOUD].concat();
    let office = Premises::open(&[demo::SCHEMA, demo::OFFICE].concat(), &cloud).await;
    let parts = ["tidegate.toml: syncs 15 tables\n", "nothing was left undecided"];
    let output = office.says(&["init"], 0, &parts);
    let last = "`tidegate check`, `tidegate sync`\n";
    assert!(said(&output).ends_with(last), "{}", said(&output));
    insta::assert_snapshot!("init_demo", decided(&office.text()));
    office.says(&["migrate"], 0, &[]);
    office.says(&["forward", "--strict"], 0, &["201914 rows written"]);
    // Once there is something of tidegate's, and of mobile users, nothing else is proposed.
    let first = office.text();
    let mobile = "insert into orgmaster (org_code, org_name) values ('new', 'by phone')";
    office.cloud.batch_execute(mobile).await.unwrap();
    office.says(&["init", "--force"], 0, &parts);
    assert_eq!(office.text(), first);
}

const JOBS: &str = "create table jobs (id int primary key, source text, updated_at timestamptz);";

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_desktops_own_are_said_to_go_forward_only() {
    let desktop = "create table staff (id int primary key, updated_at timestamptz);";
    let both = "create table staff (id int primary key, source text, updated_at timestamptz);";
    let office = Premises::open(&[JOBS, desktop].concat(), &[JOBS, both].concat()).await;
    office.cloud.batch_execute("insert into jobs values (1, 'M')").await.unwrap();
    let said = "forward only, for the desktop has no column source there: staff\n";
    office.says(&["init"], 0, &["syncs 2 tables", said]);
    let text = office.text();
    let note = "[tables.staff]\n# Forward only: the desktop has no source here";
    assert!(text.contains(note), "{text}");
    for key in ["#schema = \"tidegate\"", "#capture = \"log\""] {
        assert!(text.contains(key), "{text}");
    }
    let output = office.says(&["init", "--print", "--output", "json"], 0, &[]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["forward_only"], serde_json::json!(["staff"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_without_pairs_give_no_file_but_a_reason() {
    let office = Premises::open(JOBS, JOBS).await;
    for (desktop, cloud, code, parts) in [
        ("", "create table jobs (id int)", 10, ["the desktop database has no tables", "address"]),
        ("create table jobs (id int)", "", 10, ["the cloud database has no tables", "create its"]),
        (
            "create table a (id int)",
            "create table b (id int)",
            10,
            ["no table of the desktop has one of its name in the cloud", "of the same name"],
        ),
        (
            "create table \"Jobs\" (id int); create table \"JOBS\" (id int)",
            "create table jobs (id int)",
            10,
            ["undecided: which tables belong together: JOBS, Jobs of the desktop", "Copy config"],
        ),
        // All are refused: a file with what is to be done is worth more than none.
        (
            "create table jobs (id int)",
            "create table jobs (id int)",
            0,
            ["syncs 0 tables of the 1", "has no primary key"],
        ),
    ] {
        for (end, schema) in [("desktop2", desktop), ("cloud2", cloud)] {
            office.cluster.create_database(end, None).unwrap();
            connect(&office.cluster.url(end)).await.batch_execute(schema).await.unwrap();
        }
        let mut command = office.command(&["init"]);
        command.env("DESKTOP_URL", office.cluster.url("desktop2"));
        command.env("CLOUD_URL", office.cluster.url("cloud2"));
        ends(command, code, &parts);
        assert_eq!(office.file().exists(), code == 0);
        for end in ["desktop2", "cloud2"] {
            office.cloud.batch_execute(&format!("drop database {end} with (force)")).await.unwrap();
        }
    }
    let mut same = office.command(&["init", "--force"]);
    same.env("CLOUD_URL", office.cluster.url("desktop"));
    ends(same, 10, &["desktop and cloud are the same database"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_tables_are_not_needed() {
    let office = Premises::open(JOBS, JOBS).await;
    office.cloud.batch_execute("create role visitor login").await.unwrap();
    let url = |end: &str| office.cluster.url(end).replace("postgres@", "visitor@");
    let as_visitor = |arguments: &[&str]| {
        let mut command = office.command(arguments);
        command.env("DESKTOP_URL", url("desktop")).env("CLOUD_URL", url("cloud"));
        command
    };
    let parts = [
        "syncs 1 table\n",
        "this role can't see other sessions",
        "Grant pg_read_all_stats",
        "the desktop's role lacks rights on jobs",
        "the cloud's role lacks rights on jobs",
        "which marks source holds: no row that this role can read",
    ];
    ends(as_visitor(&["init"]), 0, &parts);
    assert!(office.text().contains("\n#lag = \"10m\"\n"), "{}", office.text());
    // What is said to be done helps.
    let grant = "grant select, insert, update on jobs to visitor; \
                 grant pg_read_all_stats to visitor; \
                 insert into jobs values (1, 'D', now())";
    for end in [&office.desktop, &office.cloud] {
        end.batch_execute(grant).await.unwrap();
    }
    ends(as_visitor(&["init", "--force"]), 0, &["nothing was left undecided"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_gets_into_the_file_or_the_output() {
    let office = Premises::open(JOBS, JOBS).await;
    office.cloud.batch_execute("alter role postgres password 'canary_a'").await.unwrap();
    ask_for_passwords(&office.cluster).await;
    let url = |password: &str, end: &str| {
        office.cluster.url(end).replace("postgres@", &format!("postgres:{password}@"))
    };
    let secret = office.home.path().join("cloud_url");
    std::fs::write(&secret, url("canary_a", "cloud")).unwrap();
    let reference = format!("${{file:{}}}", secret.display());
    let base = office.cluster.url("desktop").replace("postgres@", "postgres:${env:PW}@");
    let run = |arguments: &[&str], password: &str, code: i32, parts: &[&str]| {
        let mut command = office.command(&[&["init", "-vv", "--force"], arguments].concat());
        command.env("DESKTOP_URL", url(password, "desktop")).env("PW", password);
        let said = said(&ends(command, code, parts));
        let file = std::fs::read_to_string(office.file()).unwrap_or_default();
        assert!(!said.contains("canary") && !file.contains("canary"), "{said}{file}");
        file
    };
    let file = run(&["--cloud", &reference], "canary_a", 0, &["syncs 1 table"]);
    assert!(file.contains("url = \"${env:DESKTOP_URL}\"") && file.contains(&reference), "{file}");
    let file = run(&["--desktop", &base, "--cloud", &reference], "canary_a", 0, &[]);
    assert!(file.contains(&base), "{file}");
    run(&["--cloud", &reference], "canary_b", 12, &["the desktop", "28P01"]);
    let parts = ["--desktop: it holds a password", "'${env:NAME}'"];
    run(&["--desktop", &url("canary_a", "desktop")], "canary_a", 10, &parts);
    // The file is enough to run with.
    let mut migrate = office.command(&["migrate"]);
    migrate.env("DESKTOP_URL", url("canary_a", "desktop")).env("PW", "canary_a");
    ends(migrate, 0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_file_stays_and_a_new_one_is_not_for_everybody() {
    let office = Premises::open(JOBS, JOBS).await;
    std::fs::write(office.file(), "mine").unwrap();
    office.says(&["init"], 10, &["./tidegate.toml is there already", "--print", "--force"]);
    office.says(&["init", "--print"], 0, &["[tables.jobs]"]);
    assert_eq!(office.text(), "mine");
    office.says(&["init", "--force"], 0, &["syncs 1 table"]);
    assert!(office.text().contains("[tables.jobs]"));
    let mode = std::fs::metadata(office.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777 & !0o640, 0, "{mode:o}");
    let files = std::fs::read_dir(office.home.path()).unwrap();
    assert_eq!(files.count(), 1, "only the file itself is left");
    // A link stays one.
    std::fs::rename(office.file(), office.home.path().join("real.toml")).unwrap();
    std::os::unix::fs::symlink("real.toml", office.file()).unwrap();
    office.says(&["init"], 10, &["is there already"]);
    office.says(&["init", "--force"], 0, &[]);
    assert!(office.file().symlink_metadata().unwrap().is_symlink());
    let other = ["--config", "other.toml", "init"];
    office.says(&other, 0, &["other.toml: syncs 1", "`tidegate --config other.toml check`"]);
    let parts = ["no/other.toml: can't be written", "its directory"];
    office.says(&["--config", "no/other.toml", "init"], 10, &parts);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_has_the_exit_codes_of_all_verbs() {
    let office = Premises::open(JOBS, JOBS).await;
    let nowhere = "postgres://postgres@127.0.0.1:1/x";
    let parts = ["can't reach the desktop database at 127.0.0.1:1"];
    office.says(&["init", "--desktop", nowhere], 11, &parts);
    let parts = ["can't reach the cloud database at 127.0.0.1:1"];
    office.says(&["init", "--cloud", nowhere], 13, &parts);
    office.says(&["init", "--print", "--force"], 2, &["cannot be used with"]);
    office.says(&["init", "--cloud", "mysql://x"], 10, &["--cloud: it must be an address"]);
    let mut unset = office.command(&["init"]);
    unset.env_remove("CLOUD_URL");
    ends(unset, 10, &["--cloud: the environment variable `CLOUD_URL` is not set"]);
    assert!(!office.file().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decisions_are_one_document() {
    let two = format!("{JOBS} create table notes (id int, source text, updated_at timestamptz)");
    let office = Premises::open(&two, &two).await;
    let document = |arguments: &[&str]| -> Value {
        let output = office.says(&[&["init", "--output", "json"], arguments].concat(), 0, &[]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let printed = document(&["--print"]);
    assert!(!office.file().exists());
    let written = document(&[]);
    assert_eq!(printed["config"].as_str(), Some(office.text().as_str()));
    assert_eq!(printed["undecided"], written["undecided"]);
    insta::assert_snapshot!("init_json", serde_json::to_string_pretty(&written).unwrap());
}

/// Names of 1 to 12 characters, mostly of those that mean something to TOML, SQL or tidegate.
fn weird_names(count: usize) -> Vec<String> {
    const CHARACTERS: &str =
        "aB7_-.\"'\\[]{}#=,$% \t\n\r\u{1}\u{7f}\u{85}éß日\u{1F600}\u{2028}\u{202e};";
    let characters: Vec<char> = CHARACTERS.chars().collect();
    let mut seed: u64 = 7;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let known = ["tables", "deletes", "a.b", "${env:PW}", "$${", "\"\"\"", "'''", "select"];
    let mut names: Vec<String> = known.map(String::from).into();
    while names.len() < count {
        let length = 1 + next(12);
        let name: String = (0..length).map(|_| characters[next(characters.len())]).collect();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_names_the_file_names_exactly_these_tables() {
    let schemas = ["Schema #1", "public", "public"].into_iter().cycle();
    let names = weird_names(150);
    let tables: Vec<_> = schemas.zip(&names).map(|(s, name)| TableName::new(s, name)).collect();
    let create = |table: &TableName| {
        let name = tidegate::sql::table(table);
        format!("create table {name} (id int primary key, source text, updated_at timestamptz);")
    };
    let schema: String = tables.iter().map(create).collect();
    let schema = format!("create schema \"Schema #1\"; {schema}");
    let office = Premises::open(&schema, &schema).await;
    office.says(&["init"], 0, &[]);
    let env = |_: &str| Some("postgres://h/d".to_owned());
    let config = Config::parse(&office.text(), &office.file(), &env).unwrap();
    let mut named: Vec<_> = config.tables.iter().map(|t| t.cloud.clone()).collect();
    named.sort();
    let mut nameable = tables.clone();
    nameable.retain(|table| !table.name.contains(char::is_control));
    nameable.sort();
    assert_eq!(named, nameable);
    assert!(config.tables.iter().all(|t| t.enabled && t.desktop == t.cloud));
    assert!(nameable.len() > 50 && nameable.len() < tables.len(), "{}", nameable.len());
}
