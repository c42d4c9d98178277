//! The demo's data set, and the clusters that it and the tests live in.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tidegate::demo::{self, Cluster, Shutdown};
use tokio_postgres::{Client, NoTls};

use crate::support::connect;

async fn counts(client: &Client) -> Vec<(String, i64)> {
    let tables = "select table_name::text from information_schema.tables
                  where table_schema = 'public' order by 1";
    let mut counts = Vec::new();
    for row in client.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let count = client.query_one(&format!("select count(*) from {table}"), &[]).await.unwrap();
        counts.push((table, count.get(0)));
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_has_15_tables_and_24_568_jobs() {
    let cluster = Cluster::start("data", &[]).unwrap();
    cluster.create_database("desktop", None).unwrap();
    cluster.create_database("cloud", None).unwrap();
    let desktop = connect(&cluster.url("desktop")).await;
    let cloud = connect(&cluster.url("cloud")).await;
    desktop.batch_execute(demo::SCHEMA).await.unwrap();
    desktop.batch_execute(demo::OFFICE).await.unwrap();
    cloud.batch_execute(&[demo::SCHEMA, demo::CLOUD].concat()).await.unwrap();

    let counts = counts(&desktop).await;
    assert_eq!(counts.len(), 15);
    assert!(counts.contains(&("jobshead".into(), 24_568)));
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<i64>(), 201_914);

    let defaults = "select count(*) from information_schema.columns where table_schema = 'public'
                    and column_name = 'source' and column_default = '''M''::bpchar'";
    assert_eq!(cloud.query_one(defaults, &[]).await.unwrap().get::<_, i64>(0), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_a_copy_of_its_template() {
    let cluster = Cluster::start("template", &[]).unwrap();
    cluster.create_database("mould", None).unwrap();
    connect(&cluster.url("mould")).await.batch_execute(demo::SCHEMA).await.unwrap();
    cluster.create_database("cast", Some("mould")).unwrap();
    assert_eq!(counts(&connect(&cluster.url("cast")).await).await.len(), 15);

    let error = cluster.create_database("cast", None).unwrap_err();
    assert!(format!("{error:?}").contains("already exists"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_server_comes_back_on_its_port_with_its_data_and_settings() {
    let mut cluster = Cluster::start("crash", &[("application_name", r"it's a \")]).unwrap();
    let url = cluster.url("postgres");
    connect(&url)
        .await
        .batch_execute("create table kept (); insert into kept default values")
        .await
        .unwrap();
    cluster.stop_server(Shutdown::Immediate).unwrap();
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    cluster.start_server().unwrap();
    let row = connect(&url)
        .await
        .query_one("select count(*), current_setting('application_name') from kept", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1)), (1, r"it's a \"));
    cluster.restart().unwrap();
}

#[test]
fn a_wrong_setting_is_named_and_nothing_is_left() {
    let name = unique("wrong");
    let error = Cluster::start(&name, &[("no_such_setting", "1")]).unwrap_err();
    assert!(format!("{error:?}").contains("no_such_setting"), "{error:?}");
    assert_eq!(left_of(&name), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_left_of_a_cluster() {
    let name = unique("gone");
    let cluster = Cluster::start(&name, &[]).unwrap();
    assert_eq!(left_of(&name).len(), 1);
    drop(cluster);
    assert_eq!(left_of(&name), Vec::<PathBuf>::new());
    Cluster::start(&name, &[]).unwrap().stop().unwrap();
    assert_eq!(left_of(&name), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_left_of_a_killed_process() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "demo_data::hold_a_cluster", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("directory ")).unwrap();
    let (_, directory) = line.split_once("directory ").unwrap();
    assert!(Path::new(directory).join("data/postmaster.pid").exists());
    holder.kill().unwrap();
    holder.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while Path::new(directory).exists() {
        assert!(Instant::now() < end, "{directory} is still there");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "is killed by nothing_is_left_of_a_killed_process"]
fn hold_a_cluster() {
    let cluster = Cluster::start("held", &[]).unwrap();
    println!("directory {}", cluster.directory().display());
    std::thread::sleep(Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_cluster_stays() {
    let cluster = Cluster::start("kept", &[]).unwrap();
    let url = cluster.url("postgres");
    let directory = cluster.keep();
    connect(&url).await.batch_execute("select 1").await.unwrap();
    let pid = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
    let quit = Command::new("kill").args(["-QUIT", pid.lines().next().unwrap()]).status().unwrap();
    assert!(quit.success());
    while directory.join("data/postmaster.pid").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::remove_dir_all(directory).unwrap();
}

/// A name for clusters of this process only.
fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// The directories of the clusters called `name`.
fn left_of(name: &str) -> Vec<PathBuf> {
    let prefix = format!("tidegate-{name}-");
    std::fs::read_dir(std::env::temp_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix))
        .collect()
}
