//! Through pgbouncer, which gives each transaction another session, and several programs one.

use std::process::Output;

use futures_util::future::join_all;
use tokio_postgres::Client;

use crate::pgbouncer::{Mode, PgBouncer};
use crate::support::{Office, connect, value};

/// Every verb that connects, in an order that leaves each something to do, and how it ends here.
const VERBS: [(&str, i32); 21] = [
    ("init --print", 0),
    ("migrate", 0),
    ("grants", 0),
    ("check", 0),
    ("verify", 0),
    ("plan", 21),
    ("plan --rows --full", 21),
    ("plan --sql", 0),
    ("forward --dry-run", 0),
    ("forward", 0),
    ("plan", 0),
    ("status", 0),
    ("verify --rows", 0),
    ("forward --full", 0),
    ("forward --table jobs", 0),
    ("watermark show", 0),
    ("watermark set jobs --to beginning", 0),
    ("watermark accept", 0),
    ("forward", 0),
    ("verify --output json", 0),
    ("status --output json", 0),
];

const TABLES: [&str; 5] = ["clients", "staff", "jobs", "tasks", "diary"];

/// An office of five tables that refer to each other. The driver asks for types that it doesn't
/// know, and keeps that question as a named statement.
const SCHEMA: &str = "
    create type mood as enum ('calm', 'wild');
    create domain remark as text check (value <> '');
    create table clients (id integer primary key, name text,
        source char(1) default 'D', created_at timestamptz, updated_at timestamptz);
    create table staff (like clients including all);
    create table jobs (like clients including all, client integer references clients,
        mood mood default 'wild', remark remark default 'none', moods mood[] default '{calm}');
    create table tasks (like clients including all, job integer references jobs,
        staff integer references staff);
    create table diary (like clients including all, task integer references tasks);";

const MOBILE: &str = "
    select string_agg(row, ' ' order by row) from (
        select t::text || xmin as row from jobs t where source = 'M'
        union all select t::text || xmin from diary t where source = 'M'
    ) m";

/// Server connections to each database: the least that a run can do with, fewer than two programs
/// with four workers each want, and as many as two need in a pool that gives them for a session.
const LEAST: usize = 2;
const FEW: usize = 4;
const ENOUGH: usize = 20;

/// The office, its rows on the desktop, and a pooler before both databases.
async fn office(mode: Mode, pool: usize) -> (Office, PgBouncer) {
    let office = Office::open(SCHEMA, &TABLES).await;
    let pooler = PgBouncer::before(&office.cluster, mode, pool).await;
    office.write_config(&pooler.url("desktop"), &pooler.url("cloud"), "batch_rows = 100");
    let old = "'D', now() - interval '1 day', now() - interval '1 day'";
    let fill = format!(
        "insert into clients select i, 'client', {old} from generate_series(1, 100) i; \
         insert into staff select i, 'staff', {old} from generate_series(1, 20) i; \
         insert into jobs select i, 'job', {old}, i % 100 + 1 from generate_series(1, 500) i; \
         insert into tasks select i, 'task', {old}, i % 500 + 1, i % 20 + 1 \
             from generate_series(1, 500) i; \
         insert into diary select i, 'entry', {old}, i % 500 + 1 from generate_series(1, 500) i"
    );
    office.desktop.batch_execute(&fill).await.unwrap();
    let mobile = "insert into jobs values (9001, 'on the phone', 'M', now(), now()), \
                      (7, 'on the phone', 'M', now(), now()); \
                  insert into diary values (9001, 'on the phone', 'M', now(), now())";
    office.cloud.batch_execute(mobile).await.unwrap();
    (office, pooler)
}

async fn assert_arrived(office: &Office, mobile: &str, context: &str) {
    assert_eq!(value(&office.cloud, MOBILE).await, mobile, "{context}");
    for table in TABLES {
        let query = format!(
            "select count(*) || ' ' || md5(string_agg(t::text, ' ' order by id)) from {table} t \
             where source = 'D' and not ('{table}' = 'jobs' and id = 7)"
        );
        office.same_on_both_ends(&query).await;
    }
}

/// Everything that a pooled session could keep of a transaction that is over.
const LEFT: &str = "
    select 'statement ' || name from pg_prepared_statements
    union all select 'portal ' || name from pg_cursors where name <> ''
    union all select 'temporary ' || relname from pg_class
        where relnamespace = pg_my_temp_schema()
    union all select 'lock ' || locktype from pg_locks
        where pid = pg_backend_pid() and locktype = 'advisory'
    union all select 'setting ' || name from pg_settings
        where source = 'session' and setting is distinct from reset_val
            and name <> 'application_name'
    union all select 'mark' where current_setting('tidegate.writing', true) <> ''";

/// What is left in all of the pool's sessions to `database`: one transaction in each.
async fn left(pooler: &PgBouncer, database: &str) -> Vec<String> {
    let clients = sessions(pooler, database).await;
    let mut left = Vec::new();
    for client in &clients {
        let found = client.simple_query(LEFT).await.unwrap();
        left.extend(found.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }));
    }
    join_all(clients.iter().map(|client| client.batch_execute("rollback"))).await;
    left
}

/// A client in a transaction for each of the pool's sessions.
async fn sessions(pooler: &PgBouncer, database: &str) -> Vec<Client> {
    let url = pooler.url(database);
    let clients: Vec<Client> = join_all((0..pooler.pool).map(|_| connect(&url))).await;
    for client in &clients {
        client.batch_execute("begin").await.unwrap();
    }
    clients
}

async fn every_verb(mode: Mode, pool: usize) {
    let (office, pooler) = office(mode, pool).await;
    let mobile = value(&office.cloud, MOBILE).await;
    office.cloud.batch_execute("drop schema tidegate cascade").await.unwrap();
    for (verb, code) in VERBS {
        let arguments: Vec<&str> = verb.split(' ').collect();
        let output = with_addresses(&office, &pooler, &arguments);
        assert_eq!(output.status.code(), Some(code), "{verb}: {output:?}\n{}", pooler.log());
        assert_eq!(value(&office.cloud, MOBILE).await, mobile, "{verb}");
    }
    assert_arrived(&office, &mobile, "every verb").await;
    if mode == Mode::Transaction {
        for database in ["desktop", "cloud"] {
            assert_eq!(left(&pooler, database).await, [""; 0], "{database}");
        }
    }
}

fn run(office: &Office, arguments: &[&str]) -> Output {
    tokio::task::block_in_place(|| office.tidegate(arguments))
}

/// What the configuration says, for those who don't read it.
fn with_addresses(office: &Office, pooler: &PgBouncer, arguments: &[&str]) -> Output {
    let mut command = office.command(arguments);
    command.env("DESKTOP_URL", pooler.url("desktop")).env("CLOUD_URL", pooler.url("cloud"));
    tokio::task::block_in_place(|| command.output()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_every_verb_works_through_a_pooler_and_leaves_nothing_in_its_sessions() {
    every_verb(Mode::Transaction, LEAST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_every_verb_works_through_a_pooler_of_sessions() {
    every_verb(Mode::Session, ENOUGH).await;
}

/// The driver calls a COPY's statement s0, s1 …, and so does every other program with it.
#[tokio::test(flavor = "multi_thread")]
async fn p06_two_programs_share_pooled_sessions() {
    let (office, pooler) = office(Mode::Transaction, FEW).await;
    assert_eq!(run(&office, &["forward"]).status.code(), Some(0));
    let mobile = value(&office.cloud, MOBILE).await;
    for round in 0..20 {
        let edit = |table: &&str| {
            format!(
                "update {table} set name = 'round {round}', updated_at = clock_timestamp() \
                 where id <= 250;"
            )
        };
        let edits: String = TABLES.iter().map(edit).collect();
        office.desktop.batch_execute(&edits).await.unwrap();
        // On different tables, and on the same ones.
        let (first, second): (&[&str], &[&str]) = match round % 2 {
            0 => (&["--table", "jobs", "--table", "clients"], &["--table", "tasks"]),
            _ => (&[], &["--full"]),
        };
        let spawn = |more: &[&str]| {
            let mut command = office.command(&["forward"]);
            command.args(more).stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let both = [spawn(first), spawn(second)];
        let both = both.map(|child| tokio::task::block_in_place(|| child.wait_with_output()));
        for output in both.map(Result::unwrap) {
            let codes: &[i32] = if round % 2 == 0 { &[0] } else { &[0, 3, 75] };
            let code = output.status.code().unwrap();
            let log = String::from_utf8(output.stderr).unwrap();
            assert!(codes.contains(&code), "round {round}: {code} {log}\n{}", pooler.log());
            for trouble in ["prepared statement", "42P05", "26000", "tried again"] {
                assert!(!log.contains(trouble), "round {round}: {log}");
            }
        }
        assert_eq!(run(&office, &["forward"]).status.code(), Some(0), "round {round}");
        assert_arrived(&office, &mobile, &format!("round {round}")).await;
    }
    // Each program would have had sessions of its own.
    let [logins, sessions] = ["login attempt", "new connection to server"]
        .map(|line| pooler.log().lines().filter(|l| l.contains(line)).count());
    println!("{logins} logins shared {sessions} sessions");
    assert!(sessions * 2 < logins, "not shared: {logins} logins, {sessions} sessions");
    for database in ["desktop", "cloud"] {
        assert_eq!(left(&pooler, database).await, [""; 0], "{database}");
    }
}

/// Another program of the driver that prepared its statements between transactions.
#[tokio::test(flavor = "multi_thread")]
async fn p06_names_that_other_programs_left_in_pooled_sessions_do_no_harm() {
    let (office, pooler) = office(Mode::Transaction, FEW).await;
    let mobile = value(&office.cloud, MOBILE).await;
    for database in ["desktop", "cloud"] {
        let other: Vec<Client> = sessions(&pooler, database).await;
        let leave = "prepare s0 as select 1; prepare s1 as select 2; commit";
        for outcome in join_all(other.iter().map(|client| client.batch_execute(leave))).await {
            outcome.unwrap();
        }
        assert_eq!(left(&pooler, database).await.len(), 2 * FEW);
    }
    let output = run(&office, &["forward"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("42P05"), "the names never met");
    assert_arrived(&office, &mobile, "names of others").await;
}

/// The horizon leaves out tidegate's readers by their name, which a pooled session must not keep for
/// the next client, who may write.
#[tokio::test(flavor = "multi_thread")]
async fn p06_a_writer_through_the_pooler_is_not_taken_for_a_reader() {
    let (office, pooler) = office(Mode::Transaction, FEW).await;
    let (desktop, cloud) = (pooler.url("desktop"), pooler.url("cloud"));
    office.write_config(&desktop, &cloud, "lag = \"1ms\"");
    // The first client of the pool, whose settings it hands on, is tidegate.
    assert_eq!(run(&office, &["forward"]).status.code(), Some(0));
    let writer = connect(&pooler.url("desktop")).await;
    let slow = "begin; insert into staff values (9002, 'slow', 'D', now(), now())";
    writer.batch_execute(slow).await.unwrap();
    let names = "select application_name from pg_stat_activity where state like 'idle in%'";
    assert_eq!(value(&office.desktop, names).await, "tidegate reader", "nothing is handed on");
    let staff = "update staff set updated_at = now() where id = 1";
    office.desktop.batch_execute(staff).await.unwrap();
    assert_eq!(run(&office, &["forward"]).status.code(), Some(0));
    writer.batch_execute("commit").await.unwrap();
    assert_eq!(run(&office, &["forward"]).status.code(), Some(0));
    assert_eq!(value(&office.cloud, "select count(*)::text from staff").await, "21");
}
