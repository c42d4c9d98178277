//! `tidegate grants`: what it prints is enough for runs, and nothing of it can be left out.

use serde_json::Value;
use tokio_postgres::Client;

use crate::check::check;
use crate::support::{Office, column, of, value};

/// `kinds` is referred to and not synced; a column of the cloud's jobs draws from a sequence.
const SCHEMA: &str = "
    create table kinds (id integer primary key, name text);
    create table clients (id integer primary key, source char(1) default 'D',
        created_at timestamptz, updated_at timestamptz);
    create table jobs (id integer primary key, client integer references clients,
        kind integer references kinds, source char(1) default 'D', created_at timestamptz,
        updated_at timestamptz);";

/// What nobody has by being anybody.
const CLOSE: &str = "revoke all on schema public from public";

/// An office with the two roles, which have no rights at all.
async fn office() -> Office {
    let office = Office::open(SCHEMA, &["clients", "jobs"]).await;
    let close = format!(
        "{CLOSE}; revoke all on database desktop, cloud from public; \
         create role \"Desk Reader\" login; create role writer login; \
         alter table jobs add arrival serial"
    );
    office.cloud.batch_execute(&close).await.unwrap();
    office.desktop.batch_execute(CLOSE).await.unwrap();
    office
}

const ROLES: [&str; 4] = ["--desktop-role", "Desk Reader", "--cloud-role", "writer"];

fn printed(office: &Office) -> String {
    let output = office.tidegate(&[&["grants"], &ROLES[..]].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs what was printed, each half on its end.
async fn grant(office: &Office) {
    let text = printed(office);
    let at = text.find("-- In the cloud's database").unwrap();
    office.desktop.batch_execute(&text[..at]).await.unwrap();
    office.cloud.batch_execute(&text[at..]).await.unwrap();
}

/// From now on runs have the two roles.
fn as_roles(office: &Office) {
    let url =
        |name: &str, role: &str| office.cluster.url(name).replace("postgres@", &format!("{role}@"));
    office.write_config(&url("desktop", "Desk%20Reader"), &url("cloud", "writer"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_need_no_more_than_what_grants_prints() {
    let office = office().await;
    grant(&office).await;
    as_roles(&office);
    let clean = check(&office, &[]);
    assert_eq!((clean.code, clean.wrong()), (0, vec![]), "{}", clean.document);

    let old = "now() - interval '1 day', now() - interval '1 day'";
    let desktop = format!(
        "insert into kinds values (1, 'tax'), (2, 'audit');
         insert into clients values (1, 'D', {old}), (2, 'D', {old});
         insert into jobs select i, 1, 1, 'D', {old} from generate_series(1, 9) i;
         insert into jobs values (10, null, 2, 'D', {old}), (11, 2, 1, null, {old})"
    );
    office.desktop.batch_execute(&desktop).await.unwrap();
    let cloud = format!(
        "insert into kinds values (1, 'tax');
         insert into jobs (id, source, created_at, updated_at) values (5, 'M', {old})"
    );
    office.cloud.batch_execute(&cloud).await.unwrap();
    let report = office.forward().await;
    let jobs = of(&report, "jobs");
    assert_eq!((report.exit_code(false), jobs.inserted, jobs.withheld), (0, 8, 3), "{report:?}");
    let reasons = ["10\"} missing_parent", "11\"} owner", "5\"} key_collision"];
    assert_eq!(office.withheld().await, reasons.map(|reason| format!("{{\"id\": \"{reason}")));

    office.cloud.batch_execute("insert into kinds values (2, 'audit')").await.unwrap();
    let edit = "update jobs set kind = 2, updated_at = now() where id = 1";
    office.desktop.batch_execute(edit).await.unwrap();
    let report = office.forward().await;
    let jobs = of(&report, "jobs");
    assert_eq!((report.exit_code(false), jobs.inserted, jobs.updated), (0, 1, 1), "{report:?}");
    assert_eq!(office.tidegate(&["forward", "--full"]).status.code(), Some(0));
    assert_eq!(office.tidegate(&["forward", "--dry-run"]).status.code(), Some(0));
    assert_eq!(office.tidegate(&["status"]).status.code(), Some(0));
    assert_eq!(value(&office.cloud, "select source::text from jobs where id = 5").await, "M");
    come_home(&office).await;
    let after = check(&office, &[]);
    assert_eq!(after.code, 0);
    assert_eq!(after.wrong(), ["warning owner_values desktop jobs"], "{}", after.document);
}

/// Mobile rows, edits and conflicts of every kind go home, and what was read is forgotten.
async fn come_home(office: &Office) {
    let stamp = "updated_at = clock_timestamp()";
    let mobile = format!(
        "insert into clients values (90, 'M', now(), now());
         insert into jobs (id, client, kind, source, created_at, updated_at)
             values (90, 90, 1, 'M', now(), now()), (91, 2, 7, 'M', now(), now());
         update jobs set kind = 1, {stamp} where id in (2, 3);
         update jobs set client = null, {stamp} where id = 4"
    );
    office.cloud.batch_execute("insert into kinds values (7, 'new')").await.unwrap();
    office.cloud.batch_execute(&mobile).await.unwrap();
    let desktop = format!("update jobs set kind = 2, {stamp} where id in (3, 4)");
    office.desktop.batch_execute(&desktop).await.unwrap();
    for (way, code) in [("plan", 21), ("sync", 0), ("reverse", 0), ("forward", 0), ("status", 0)] {
        let output = office.tidegate(&[way]);
        assert_eq!(output.status.code(), Some(code), "{way}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("42501") && !said.contains("was not pruned"), "{way}: {said}");
    }
    let home = "select string_agg(id || source::text, ' ' order by id) from jobs where id >= 90";
    assert_eq!(value(&office.desktop, home).await, "90M");
    let waits = "select string_agg(reason, ' ') from tidegate._sync_withheld where key = '{\"id\": \"91\"}'";
    assert_eq!(value(&office.desktop, waits).await, "missing_parent");
    office.desktop.batch_execute("insert into kinds values (7, 'new')").await.unwrap();
    let mobile = format!("update jobs set client = 1, {stamp} where id = 90");
    office.cloud.batch_execute(&mobile).await.unwrap();
    let output = office.tidegate(&["sync", "--full"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(value(&office.desktop, home).await, "90M 91M");
    office
        .same_on_both_ends("select client || ' ' || kind from jobs where id in (1, 2, 3, 4, 90)")
        .await;
}

/// The rights of a statement, one by one, each with the statement that takes it away.
fn single_rights(statement: &str) -> Vec<String> {
    let body = statement.strip_prefix("grant ").unwrap().strip_suffix(';').unwrap();
    let (what, role) = body.rsplit_once(" to ").unwrap();
    let Some((rights, object)) = what.split_once(" on ") else {
        return vec![format!("revoke {what} from {role}")];
    };
    let rights = rights.split(", ");
    rights.map(|right| format!("revoke {right} on {object} from {role}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_single_right_check_complains() {
    let office = office().await;
    let output = office.tidegate(&[&["grants", "--output", "json"], &ROLES[..]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    grant(&office).await;
    as_roles(&office);
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
    let mut tried = 0;
    for (end, client) in [("desktop", &office.desktop), ("cloud", &office.cloud)] {
        for granted in document[end]["grants"].as_array().unwrap() {
            let statement = granted["sql"].as_str().unwrap();
            for revoke in single_rights(statement) {
                let client: &Client = client;
                client.batch_execute(&revoke).await.unwrap();
                let found = check(&office, &[]);
                let wrong = found.wrong();
                assert!(!wrong.is_empty(), "{revoke}: {}", found.document);
                assert!(wrong.iter().all(|line| line.contains(end)), "{revoke}: {wrong:?}");
                client.batch_execute(statement).await.unwrap();
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_and_scripts_are_as_they_were() {
    let mut office = office().await;
    let secured = "alter table jobs enable row level security";
    office.cloud.batch_execute(secured).await.unwrap();
    office.configure_tables(
        "[tables.clients]\n[tables.jobs]\nlag = \"10m\"\nalso_writes = [\"audit.log\"]\n",
    );
    insta::assert_snapshot!("grants_human", printed(&office));
    office.cloud.batch_execute("alter table jobs disable row level security").await.unwrap();

    grant(&office).await;
    as_roles(&office);
    let mut clean = check(&office, &[]).document;
    for finding in clean["findings"].as_array_mut().unwrap() {
        let differs = ["config_file", "version"].contains(&finding["check"].as_str().unwrap());
        if differs {
            finding["message"] = Value::from("[differs]");
        }
    }
    insta::assert_snapshot!("check_json", serde_json::to_string_pretty(&clean).unwrap());
}

/// A lag on purpose for every table stands in for the right to see other sessions.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_lag_saves_a_right() {
    let office = office().await;
    assert!(printed(&office).contains("grant pg_read_all_stats to \"Desk Reader\";"));
    office.configure("lag = \"10m\"");
    assert!(!printed(&office).contains("pg_read_all_stats"));
    grant(&office).await;
    let url =
        |name: &str, role: &str| office.cluster.url(name).replace("postgres@", &format!("{role}@"));
    let (desktop, cloud) = (url("desktop", "Desk%20Reader"), url("cloud", "writer"));
    office.write_config(&desktop, &cloud, "lag = \"10m\"");
    assert_eq!(check(&office, &[]).wrong(), [""; 0]);
}

/// A new table of a migration must not be forgotten here.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_ours_has_its_rights() {
    let office = office().await;
    let query = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = 'tidegate' and c.relkind in ('r', 'p') order by 1";
    let tables = column(&office.cloud, query, &[]).await;
    let mut known: Vec<&str> = tidegate::store::RIGHTS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(tables, known);
}

/// An office of which nothing comes home reads its desktop, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_office_that_only_runs_forward_has_a_desktop_role_that_only_reads() {
    let office = office().await;
    let printed = |more: &[&str]| {
        let arguments = [&["grants"], &ROLES[..], more].concat();
        String::from_utf8(office.tidegate(&arguments).stdout).unwrap()
    };
    let only_reads = |text: &str| {
        let at = text.find("-- In the cloud's database").unwrap();
        !["insert", "update", "delete", "temporary"].iter().any(|right| text[..at].contains(right))
    };
    assert!(!only_reads(&printed(&[])));
    let text = printed(&["--forward-only"]);
    assert!(only_reads(&text) && text.contains("_sync_metadata\" to \"Desk Reader\""), "{text}");
    let at = text.find("-- In the cloud's database").unwrap();
    assert!(!text[at..].contains("grant delete on \"tidegate\".\"_sync_changes\""), "{text}");
    office.desktop.batch_execute(&text[..at]).await.unwrap();
    office.cloud.batch_execute(&text[at..]).await.unwrap();
    as_roles(&office);
    assert_eq!(check(&office, &["--forward-only"]).wrong(), [""; 0]);
    let row = "insert into jobs values (1, null, null, 'D', now(), now())";
    office.desktop.batch_execute(row).await.unwrap();
    assert_eq!(of(&office.forward().await, "jobs").inserted, 1);

    office.desktop.batch_execute("drop schema tidegate cascade").await.unwrap();
    let text = printed(&[]);
    assert!(only_reads(&text) && !text.contains("_sync_metadata\" to \"Desk Reader\""), "{text}");
    assert!(text.contains("-- For forward runs, which only read here."), "{text}");
    assert_eq!(of(&office.forward().await, "jobs").outcome.word(), "ok");
}
