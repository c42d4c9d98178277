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

use crate::support::{TIDEGATE, ask_for_passwords, connect, value};

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
    let last = "next: `tidegate check`, `tidegate migrate`, `tidegate forward`\n";
    assert!(said(&output).ends_with(last), "{}", said(&output));
    insta::assert_snapshot!("init_demo", office.text());
    office.says(&["migrate"], 0, &[]);
    office.says(&["forward", "--strict"], 0, &["201914 rows written"]);
    // Once there is something of tidegate's, and of mobile users, nothing else is proposed.
    let first = office.text();
    office.cloud.batch_execute("insert into jobshead (job_id) values (99999999)").await.unwrap();
    office.says(&["init", "--force"], 0, &parts);
    assert_eq!(office.text(), first);
}
