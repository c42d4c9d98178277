//! `init` with a SQL Server as the desktop.

use super::pair::Pair;

const CLOUD: &str = "create table jobs (id int primary key, name text, source char(1), \
    updated_at timestamptz); \
    create table jobtasks (job_id int, task_no int, source char(1), modified_at timestamptz, \
    primary key (job_id, task_no)); \
    create table old (id int primary key, source char(1), updated_at timestamptz); \
    insert into jobs values (1, 'a', 'M', now())";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(50) null, \
    Source char(1) null, updated_at datetimeoffset(7) null, rv rowversion);\n\
    create table dbo.JobTasks (JobId int not null, TaskNo int not null, source char(1) null, \
    ModifiedAt datetimeoffset(7) null, rv rowversion, primary key (JobId, TaskNo));\n\
    create table dbo.old (id int not null primary key, source char(1) null, \
    updated_at datetime2(3) null);\n\
    insert into dbo.jobs (id, Source) values (2, 'D')";

/// The file that is proposed.
fn proposed(pair: &Pair, more: &[&str]) -> String {
    let [desktop, cloud] = pair.addresses();
    let addresses = ["init", "--print", "--desktop", &desktop, "--cloud", &cloud];
    pair.words(&[&addresses, more].concat(), 0)
}

fn block<'t>(text: &'t str, header: &str) -> &'t str {
    let (_, after) = text.split_once(&format!("\n{header}\n")).unwrap();
    after.split("\n[").next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_paired_and_read_by_the_versions_of_their_rows() {
    let pair = Pair::open(CLOUD, DESKTOP, "[tables.jobs]\n").await;
    let text = proposed(&pair, &["--desktop-tls", "off"]);
    let has = |part: &str| assert!(text.contains(part), "{part}\n{text}");
    has("\nkind = \"sqlserver\"");
    has("\ntls = \"off\"");
    has("\ncapture = \"rowversion\"");
    let jobs = block(&text, "[tables.jobs]");
    assert!(jobs.contains("rename = { Source = \"source\" }"), "{jobs}");
    assert!(!jobs.contains("desktop =") && !jobs.contains("enabled"), "{jobs}");
    let tasks = block(&text, "[tables.jobtasks]");
    assert!(tasks.contains("desktop = \"dbo.JobTasks\""), "{tasks}");
    assert!(tasks.contains("updated_at = \"ModifiedAt\""), "{tasks}");
    let renamed = "{ JobId = \"job_id\", TaskNo = \"task_no\", ModifiedAt = \"modified_at\" }";
    assert!(tasks.contains(renamed), "{tasks}");
    assert!(!tasks.contains("enabled = false"), "{tasks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_see_or_know_is_left_open() {
    let pair = Pair::open(CLOUD, DESKTOP, "[tables.jobs]\n").await;
    let text = proposed(&pair, &["--desktop-tls", "off"]);
    let old = block(&text, "[tables.old]");
    assert!(old.contains("capture = \"timestamp\"") && old.contains("#lag = \"10m\""), "{old}");
    assert!(old.contains("enabled = false") && old.contains("assume_timezone"), "{old}");
    assert!(text.contains("The desktop's server is at UTC+00:00 now"), "{text}");
    let decided = proposed(&pair, &["--desktop-tls", "off", "--assume-timezone", "UTC"]);
    assert!(!block(&decided, "[tables.old]").contains("enabled = false"), "{decided}");
}
