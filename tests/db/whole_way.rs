//! The whole way of a new user, from two databases and two roles without rights to a quiet run:
//! passwords, TLS that is verified, and a transaction-mode pooler before the cloud.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tidegate::demo::Cluster;
use tokio_postgres::{Client, NoTls};

use crate::authority::{Authority, NAME, authority, give};
use crate::pgbouncer::PgBouncer;
use crate::support::{TIDEGATE, connect, value};

const SCHEMA: &str = "
    create table clients (id integer primary key, name text, source char(1) default 'D',
        created_at timestamptz, updated_at timestamptz);
    create table jobs (like clients including all, client integer references clients);
    create table staff (like clients including all);
    create table tasks (like clients including all, job integer references jobs);";

/// What only the cloud has: a column that fills itself, and work of mobile users, one piece of it
/// under a key of the desktop's.
const MOBILE: &str = "
    alter table jobs add arrival serial;
    insert into clients values (9001, 'met on the road', 'M', now(), now());
    insert into jobs values (7, 'by phone', 'M', now(), now(), 9001),
        (9001, 'by phone', 'M', now(), now(), 9001);";

const MOBILE_ROWS: &str = "
    select string_agg(row, ' ' order by row) from (
        select t::text || xmin as row from jobs t where source = 'M'
        union all select t::text || xmin from clients t where source = 'M') m";

/// Roles that may log in, which is all that a new user asks an administrator for; the owner of the
/// cloud's tables may create a schema there, too.
const ROLES: &str = "
    create role owner login password 'c4n4ry-owner';
    create role reader login password 'c4n4ry/reader';
    create role writer login password 'c4n4ry%writer';
    revoke all on database desktop, cloud from public;
    grant connect on database desktop, cloud to owner, reader, writer;
    grant create on database cloud to owner;";

const OWNED: &str = "revoke all on schema public from public; grant all on schema public to owner";

/// Whoever else comes by network comes over TLS, and with a password.
const DOORS: &str = "host all postgres 127.0.0.1/32 trust\nhostssl all all all scram-sha-256\n";

/// Two databases, the pooler, and a directory to work in.
struct Premises {
    cluster: Cluster,
    pooler: PgBouncer,
    authority: Authority,
    desktop: Client,
    cloud: Client,
    home: TempDir,
}

impl Premises {
    async fn open() -> Self {
        let cluster = Cluster::start("whole-way", &[]).unwrap();
        let authority = authority();
        let (certificate, key) = authority.issue(4000);
        give(&cluster, "server.crt", &certificate);
        give(&cluster, "server.key", &key);
        give(&cluster, "pg_hba.conf", DOORS);
        let admin = connect(&cluster.url("postgres")).await;
        for name in ["desktop", "cloud"] {
            cluster.create_database(name, None).unwrap();
        }
        admin.batch_execute(ROLES).await.unwrap();
        admin.batch_execute("alter system set ssl = on").await.unwrap();
        admin.batch_execute("select pg_reload_conf()").await.unwrap();
        let (desktop, cloud) =
            (connect(&cluster.url("desktop")).await, connect(&cluster.url("cloud")).await);
        for (client, more) in [(&desktop, ""), (&cloud, MOBILE)] {
            client.batch_execute(OWNED).await.unwrap();
            let made = format!("set role owner; {SCHEMA} {more} reset role");
            client.batch_execute(&made).await.unwrap();
        }
        let old = "'D', now() - interval '2 days', now() - interval '1 day'";
        let fill = format!(
            "insert into clients select i, 'client', {old} from generate_series(1, 20) i;
             insert into jobs select i, 'job', {old}, i % 20 + 1 from generate_series(1, 200) i;
             insert into staff select i, 'staff', {old} from generate_series(1, 5) i;
             insert into tasks select i, 'task', {old}, i % 200 + 1 from generate_series(1, 500) i"
        );
        desktop.batch_execute(&fill).await.unwrap();
        let users = [["writer", "c4n4ry%writer"]];
        let pooler = PgBouncer::over_tls(&cluster, &authority, &users).await;
        Self { cluster, pooler, authority, desktop, cloud, home: TempDir::new().unwrap() }
    }

    fn url(&self, user: &str, port: u16, database: &str) -> String {
        let tls = format!("sslmode=verify-full&sslrootcert={}", self.authority.file());
        format!("postgres://{user}@{NAME}:{port}/{database}?hostaddr=127.0.0.1&{tls}")
    }

    fn writer(&self) -> String {
        self.url("writer:c4n4ry%25writer", self.pooler.port(), "cloud")
    }

    /// As somebody else in the cloud.
    fn run_with(&self, cloud: &str, arguments: &[&str]) -> Output {
        let reader = self.url("reader:c4n4ry%2Freader", self.cluster.port(), "desktop");
        let mut command = Command::new(TIDEGATE);
        command.args(arguments).current_dir(self.home.path()).env_remove("JOURNAL_STREAM");
        command.env("DESKTOP_URL", reader).env("CLOUD_URL", cloud);
        tokio::task::block_in_place(|| command.output()).unwrap()
    }

    /// The same; the exit code must be `code`, and each of `parts` in what it says.
    fn says_with(&self, cloud: &str, arguments: &str, code: i32, parts: &[&str]) -> String {
        let output = self.run_with(cloud, &arguments.split(' ').collect::<Vec<_>>());
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        let log = self.pooler.log();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}\n{log}");
        for part in parts {
            assert!(said.contains(part), "{arguments}: no {part:?} in {said}");
        }
        assert!(!said.contains("c4n4ry"), "{arguments}: {said}");
        said
    }

    /// As the least role, through the pooler.
    fn says(&self, arguments: &str, code: i32, parts: &[&str]) -> String {
        self.says_with(&self.writer(), arguments, code, parts)
    }

    /// What a verb prints on stdout, as a shell would hand it on.
    fn printed(&self, arguments: &str) -> String {
        let output = self.run_with(&self.writer(), &arguments.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{arguments}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives a script to psql, as the administrator.
    fn psql(&self, database: &str, script: &str) {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", &self.cluster.url(database)]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql, of PostgreSQL's client programs");
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

/// From nothing to a configuration that `check` passes.
fn set_up(premises: &Premises) {
    let lacks = [
        "tidegate.toml: syncs 4 tables\n",
        "the desktop's role lacks rights on clients, jobs, staff, tasks",
        "the cloud's role lacks rights on clients, jobs, staff, tasks",
        "what `tidegate grants` prints",
        "next: `tidegate migrate`, `tidegate grants`, `tidegate check`, `tidegate sync`\n",
    ];
    premises.says("init", 0, &lacks);
    let mode = std::fs::metadata(premises.home.path().join("tidegate.toml")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
    let missing = ["Run `tidegate migrate`", "grant select on \"public\".\"jobs\" to \"reader\";"];
    premises.says("check", 10, &missing);
    premises.says("forward", 10, &["Run `tidegate migrate`"]);
    premises.says("grants --end cloud", 0, &["-- First: tidegate's tables", "tidegate migrate"]);

    premises.says("migrate", 12, &["Migrate as a role that may create a schema there"]);
    let owner = premises.url("owner:c4n4ry-owner", premises.cluster.port(), "cloud");
    premises.says_with(&owner, "migrate", 0, &["schema tidegate: migrated from version 0 to "]);

    let home = premises.printed("migrate --end desktop --sql");
    premises.psql("desktop", &home);

    let scripts =
        || ["desktop", "cloud"].map(|end| premises.printed(&format!("grants --end {end}")));
    let [desktop, cloud] = scripts();
    assert!(cloud.contains("grant usage on sequence \"public\".\"jobs_arrival_seq\""), "{cloud}");
    assert_eq!(premises.printed("grants"), format!("{desktop}\n{cloud}"));
    premises.psql("desktop", &desktop);
    premises.psql("cloud", &cloud);
    assert_eq!(scripts(), [desktop, cloud], "the same once they have it");

    let clean = [
        "ok       desktop: encrypted and verified, TLSv1.3",
        "ok       cloud: encrypted and verified, to the pooler",
        "ok       cloud: a pooler in transaction mode stands before the server",
        "ok       desktop: the role reader has every right that runs need",
        "ok       cloud: the role writer has every right that runs need",
        "\nno failure, no warning\n",
    ];
    premises.says("check", 0, &clean);
    premises.says("init --force", 0, &["syncs 4 tables", "nothing was left undecided"]);
    premises.says("check", 0, &clean);
    let shown = ["url = \"<redacted: ${env:CLOUD_URL}>\"", "[tables.tasks]"];
    premises.says("config show", 0, &shown);
}

/// What every day's verbs say before, during and after the first run.
fn work(premises: &Premises) {
    let waits = "tasks: 500 rows of the desktop not in the cloud: not yet read; the next run does";
    premises.says("verify", 0, &[waits, "ok: every difference is explained"]);
    premises.says("status", 0, &["not yet read"]);
    let planned = ["jobs: withheld 1 key_collision", "done: 724 rows would be written, 1 withheld"];
    premises.says("plan", 21, &planned);
    premises.says("plan --rows", 21, &["jobs id=7: withheld key_collision", planned[1]]);
    premises.says("plan --sql", 0, &["insert into \"public\".\"jobs\""]);
    premises.says("forward --dry-run", 0, &planned);

    let ran = ["jobs: withheld 1 key_collision", "done: 724 rows written, 1 withheld"];
    premises.says("forward", 0, &ran);
    premises.says("forward", 0, &["done: nothing to write\n"]);
    premises.says("plan", 0, &["done: nothing would be written"]);
    premises.says("forward --full --strict", 3, &["done: nothing to write, 1 withheld"]);

    let collides = "jobs: 1 row of the desktop not in the cloud: withheld, key_collision";
    premises.says("verify", 0, &[collides, "ok: every difference is explained"]);
    premises.says("verify --rows", 0, &[r#"{"id":"7"}"#]);
    premises.says("status", 0, &["D 199, M 2", "1 key_collision", "D 500"]);
    premises.says("watermark show", 0, &["staff", "/desktop"]);
    premises.says("watermark accept", 0, &["nothing to accept"]);
    premises.says("migrate", 0, &["up to date"]);
    let back = "the next run compares the whole table";
    premises.says("watermark set staff --to beginning", 0, &[back]);
    premises.says("forward --table staff", 0, &["done: nothing to write\n"]);
    premises.says("check", 0, &["\nno failure, no warning\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_goes_the_whole_way_with_least_roles_over_tls_through_a_pooler() {
    let premises = Premises::open().await;
    let plain = premises.cluster.url("cloud").replace("postgres@", "writer:c4n4ry%25writer@");
    let plain = tokio_postgres::connect(&plain, NoTls).await;
    assert!(plain.is_err(), "the server lets roles in without TLS");
    let mobile = value(&premises.cloud, MOBILE_ROWS).await;
    set_up(&premises);
    work(&premises);
    assert_eq!(value(&premises.cloud, MOBILE_ROWS).await, mobile);
    let rows = "select count(*) || ' ' || md5(string_agg(id || name || updated_at, ' ' order by id)) \
                from tasks";
    let both = [value(&premises.desktop, rows).await, value(&premises.cloud, rows).await];
    assert_eq!(both[0], both[1]);
    // What an edit of every day costs is a run.
    let edit = "update jobs set name = 'done', updated_at = now() where id in (7, 8)";
    premises.desktop.batch_execute(edit).await.unwrap();
    premises.says("forward", 0, &["done: 1 row written, 1 withheld"]);
    assert_eq!(value(&premises.cloud, "select name from jobs where id = 8").await, "done");
    assert_eq!(value(&premises.cloud, MOBILE_ROWS).await, mobile);
    come_home(&premises).await;
}

/// Mobile rows and edits are on the desktop after one run, and the next has nothing to do.
async fn come_home(premises: &Premises) {
    let work = "insert into tasks values (9002, 'on the way', 'M', now(), now(), 9);
        update jobs set name = 'on site', updated_at = now() where id = 9";
    premises.cloud.batch_execute(work).await.unwrap();
    premises.says("sync", 0, &["key_collision"]);
    premises.says("sync", 0, &["done: nothing to write"]);
    let home = "select string_agg(name, ', ' order by name) from (
        select name from jobs where id in (9, 9001)
        union all select name from clients where source = 'M'
        union all select name from tasks where source = 'M') m";
    let expected = "by phone, met on the road, on site, on the way";
    assert_eq!(value(&premises.desktop, home).await, expected);
    assert_eq!(value(&premises.desktop, "select name from jobs where id = 7").await, "done");
    premises.says("check", 0, &["\nno failure, no warning\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_way_to_the_pooler_says_what_is_wrong() {
    let premises = Premises::open().await;
    premises.says("init", 0, &[]);
    let stranger = authority();
    let (right, port) = (premises.writer(), premises.pooler.port());
    let (ours, theirs) = (premises.authority.file(), stranger.file());
    for (url, code, parts) in [
        (premises.url("writer:wrong", port, "cloud"), 12, ["refused user or password", "password"]),
        (premises.url("nobody:wrong", port, "cloud"), 12, ["refused user or password", "user"]),
        (right.replace("verify-full", "disable"), 13, ["SSL required", "sslmode in [cloud] url"]),
        (right.replace(&ours, &theirs), 13, ["BadSignature", "get its certificate again"]),
        (right.replace(NAME, "other.test"), 13, ["not valid for name", "subjectAltName"]),
    ] {
        premises.says_with(&url, "status", code, &parts);
        premises.says_with(&url, "forward", code, &parts);
    }
}
