//! `tidegate demo`: it tells its story, and leaves nothing behind however it ends.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tidegate::demo::{self, Told};
use tidegate::error::Kind;
use tidegate::sql::Sql;
use tokio_util::sync::CancellationToken;

use crate::support::{TIDEGATE, connect, value};

/// What the story must have checked, step by step.
const CHECKS: [&str; 20] = [
    "24,568 jobs",
    "the cloud notes what mobile users do",
    "all 15 tables hold the same rows at both ends",
    "8 mobile rows and the edit",
    "jobs 100 and 24569 are the same at both ends",
    "all other rows are the same at both ends",
    "not one row version was written",
    "the desktop's row is on the list",
    "job 300 stays as the mobile user left it",
    "it would have destroyed 8 mobile rows in 5 tables",
    "the check refuses it",
    "nothing of it remains",
    "8 mobile rows and the edit of job 300 came home",
    "row for row, in every column",
    "both ends hold the same rows",
    "the later edit stands at both ends",
    "the versions that lost are kept",
    "it is not sent back",
    "not one row version was written at either end",
    "each end has the other's job on its list",
];

/// A directory for everything that the demo makes, open to servers of another account as /tmp is.
fn home() -> TempDir {
    let home = TempDir::new().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o1777)).unwrap();
    home
}

fn program(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(TIDEGATE);
    command.args(arguments).env("TMPDIR", home.path()).env_remove("JOURNAL_STREAM");
    command
}

fn demo(home: &TempDir, arguments: &[&str]) -> Output {
    program(home, &[&["demo"], arguments].concat()).output().unwrap()
}

/// Files of the demo, and processes that have to do with them.
fn left_behind(home: &Path) -> Vec<String> {
    let files = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let mut left: Vec<_> = files.map(|path| path.display().to_string()).collect();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(home.to_str().unwrap()) {
            left.push(command);
        }
    }
    left
}

/// Waits for the end of those who clean up after a killed program.
fn assert_nothing_left(home: &TempDir) {
    let start = Instant::now();
    while !left_behind(home.path()).is_empty() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(left_behind(home.path()), [""; 0]);
}

#[test]
fn cluster_the_demo_tells_its_story_and_leaves_nothing() {
    let home = home();
    let output = demo(&home, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let checked: Vec<_> = text.lines().filter(|line| line.starts_with("   ✓ ")).collect();
    let mut rest = checked.iter();
    for check in CHECKS {
        assert!(rest.any(|line| line.contains(check)), "{check}, in this order:\n{text}");
    }
    assert!(text.contains(&format!("\n{} checks, all passed", checked.len())), "{text}");
    assert!(!text.contains('\x1b'), "colours without a terminal");
    assert_eq!(left_behind(home.path()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_a_kept_demo_can_be_played_with_and_removed() {
    let home = home();
    let output = demo(&home, &["--keep", "--output", "json"]);
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["outcome"], "ok");
    let checks = |step: &Value| step["checked"].as_array().unwrap().len();
    assert!(document["steps"].as_array().unwrap().iter().all(|step| checks(step) > 0));
    let kept = |what: &str| document["kept"][what].as_str().unwrap().to_owned();

    let desktop = connect(&kept("desktop_url")).await;
    let finish = "update jobshead set status = 'Billed', updated_at = now() where job_id = 200";
    desktop.batch_execute(finish).await.unwrap();
    let ran = program(&home, &["--config", &kept("config"), "forward"]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let cloud = connect(&kept("cloud_url")).await;
    let status = "select status from jobshead where job_id = 200";
    assert_eq!(value(&cloud, status).await, "Billed");
    let shown = program(&home, &["--config", &kept("config"), "status"]).output().unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("key_collision"));

    // Its own configuration, and the one that init makes of its databases.
    let own = TempDir::new().unwrap();
    let proposed = own.path().join("tidegate.toml").display().to_string();
    let says = |config: &str, verb: &str| {
        let mut command = program(&home, &["--config", config, verb]);
        command.env("DESKTOP_URL", kept("desktop_url")).env("CLOUD_URL", kept("cloud_url"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{verb}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(says(&proposed, "init").contains("syncs 15 tables\nnothing was left undecided"));
    for config in [&kept("config"), &proposed] {
        // The only warnings that its databases earn: their user may do anything.
        let said = says(config, "check");
        let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning")).collect();
        let superuser = |line: &&str| line.contains("is a superuser");
        assert!(warnings.len() == 2 && warnings.iter().all(superuser), "{said}");
    }
    assert!(says(&proposed, "forward").contains("done: "));

    let stopped = Command::new(kept("stop")).output().unwrap();
    assert!(stopped.status.success() && stopped.stderr.is_empty(), "{stopped:?}");
    assert_nothing_left(&home);
}

/// The demo, in the middle of its first load.
fn loading(home: &TempDir) -> Child {
    let mut child = program(home, &["demo"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("$ tidegate forward")));
    // Whoever reads it goes away with it; the program must not mind a closed pipe before its end.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

#[test]
fn cluster_an_interrupted_demo_leaves_nothing() {
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
        let home = home();
        let mut child = loading(&home);
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), code, "{signal}");
        assert_nothing_left(&home);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_the_demo_fails_when_the_check_is_blind() {
    let blind = Sql::default().planted(
        "postgres/baseline.sql",
        "pg_relation_filenode(c.oid)::bigint",
        "0::bigint",
    );
    let checked = Mutex::new(Vec::new());
    let listener = |told: Told| checked.lock().unwrap().push(told);
    let stop = CancellationToken::new();
    let e = Box::pin(demo::tell(false, &blind, &stop, &listener)).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Verification);
    assert!(e.to_string().contains("does not hold: the check refuses it"), "{e}");
    assert!(matches!(checked.lock().unwrap().last(), Some(Told::Shows(_))));
}
