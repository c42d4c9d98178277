//! Every statement as it is rendered for one pair of tables, as the servers get it.

use std::path::Path;
use std::process::Output;

use tidegate::config::Config;
use tidegate::db::postgres::{Database, Purpose};
use tidegate::error::End;
use tidegate::sql::Sql;
use tidegate::store::Store;

use crate::proxy::{Fault, Proxy};
use crate::support::{Office, value};

/// A key of two columns, one in mixed case; a parent and a reference to itself; a unique column, one
/// that travels as text, one that is computed, one that is called otherwise on the desktop.
const DESKTOP: &str = "
    create type mood as enum ('calm', 'wild');
    create table clients (id integer primary key, parent integer, source char(1),
        created_at timestamptz, updated_at timestamptz);
    create table orders (
        office integer, \"No\" integer, client integer, part_of integer, email text unique,
        mood mood, weight double precision, remark text, serial bigint,
        source char(1), created_at timestamptz, updated_at timestamptz,
        primary key (office, \"No\")
    );";
const CLOUD: &str = "
    alter table clients add foreign key (parent) references clients;
    alter table orders alter weight type numeric(8, 2);
    alter table orders rename remark to note;
    alter table orders add foreign key (client) references clients;
    alter table orders add foreign key (office, part_of) references orders;
    alter table orders alter serial set not null;
    alter table orders alter serial add generated always as identity;";
const TABLES: &str = "[tables.clients]\n[tables.orders]\nrename = { remark = \"note\" }\n";

struct Listened {
    office: Office,
    desktop: Proxy,
    cloud: Proxy,
}

async fn listened() -> Listened {
    let mut office = Office::open(DESKTOP, &["clients"]).await;
    office.cloud.batch_execute(CLOUD).await.unwrap();
    let no_key = "alter table clients drop constraint clients_pkey";
    office.desktop.batch_execute(no_key).await.unwrap();
    office.configure_tables(TABLES);
    let desktop = Proxy::before(office.cluster.port()).await;
    let cloud = Proxy::before(office.cluster.port()).await;
    let listened = Listened { office, desktop, cloud };
    listened.configure("");
    listened
}

impl Listened {
    fn configure(&self, more: &str) {
        let (desktop, cloud) = (self.desktop.url("desktop"), self.cloud.url("cloud"));
        self.office.write_config(&desktop, &cloud, &format!("workers = 1\n{more}"));
    }

    fn run(&self, arguments: &[&str], code: Option<i32>, faults: &str) -> Output {
        let mut command = self.office.command(arguments);
        let run = || command.env("FAILPOINTS", faults).output().unwrap();
        let output = tokio::task::block_in_place(run);
        assert_eq!(output.status.code(), code, "{output:?}");
        output
    }

    async fn at_the_desk(&self, sql: &str) {
        self.office.desktop.batch_execute(sql).await.unwrap();
    }

    async fn on_the_phone(&self, sql: &str) {
        self.office.cloud.batch_execute(sql).await.unwrap();
    }
}

/// One way through everything that a run can meet.
async fn everything(office: &Listened) {
    let (desktop, cloud) = (office.desktop.url("desktop"), office.cloud.url("cloud"));
    office.run(&["init", "--desktop", &desktop, "--cloud", &cloud, "--print"], Some(0), "");
    office.on_the_phone("drop schema tidegate cascade").await;
    office.run(&["forward"], Some(10), "");
    let keys = "create sequence keys; alter table clients alter id set default nextval('keys')";
    office.on_the_phone(keys).await;
    office.run(&["migrate"], Some(0), "");
    let orders = "insert into clients select i, null, 'D', now() - interval '1 day', null \
            from generate_series(1, 3) i; \
        insert into orders select 1, i, case when i = 5 then 77 else 1 end, \
            case when i in (6, 7) then 13 - i end, 'e' || i, 'calm', i, 'remark', i, 'D', \
            now() - interval '1 day' + i * interval '1 second', null \
            from generate_series(1, 8) i";
    office.at_the_desk(orders).await;
    office.on_the_phone("insert into orders (office, \"No\", source) values (1, 2, 'M')").await;
    office.run(&["plan", "--rows"], Some(21), "");
    // Stops in the middle of orders, then goes on, with two clients who are each other's parent.
    office.configure("batch_rows = 1");
    office.run(&["forward"], None, "after_commit=4*off->return");
    let cycle = "insert into clients values (4, 5, 'D', now(), null), (5, 4, 'D', now(), null)";
    office.at_the_desk(cycle).await;
    office.run(&["forward"], Some(0), "");
    office.configure("lag = \"0s\"");
    // The missing client comes, the order that met a mobile one goes.
    let changes = "insert into clients values (77, null, 'D', now(), now()); \
        delete from orders where \"No\" = 2; \
        update orders set email = 'new', updated_at = now() where \"No\" = 3";
    office.at_the_desk(changes).await;
    office.on_the_phone("update orders set note = 'seen' where \"No\" = 2").await;
    office.cloud.set(Fault::CutBeforeCommit, 1);
    office.run(&["forward"], Some(0), "");
    office.cloud.set(Fault::None, 0);
    // A key of a time when keys were texts.
    let stored = r#"insert into tidegate._sync_withheld
        (table_name, direction, key, reason, row, first_run_id, last_run_id)
        select 'clients', 'forward', '{"id": "x"}', 'stale', '{}', r, r from gen_random_uuid() r"#;
    office.on_the_phone(stored).await;
    office.run(&["forward"], Some(0), "");
    office.on_the_phone("delete from tidegate._sync_withheld where table_name = 'clients'").await;
    office.run(&["status"], Some(0), "");
    office.run(&["verify"], Some(0), "");
    office.on_the_phone("alter table orders add check (\"No\" < 100)").await;
    let refused = "insert into orders values (1, 100, 1, null, 'x', 'calm', 1, 'x', 1, 'D', now())";
    office.at_the_desk(refused).await;
    office.run(&["forward"], Some(0), "");
    // A trigger that lets rows vanish looks like a user who made them meanwhile, and is none.
    let swallow = "create function swallow() returns trigger language plpgsql as \
        $$ begin return null; end $$; \
        create trigger swallow before insert on orders for each row execute function swallow()";
    office.on_the_phone(swallow).await;
    let swallowed =
        "insert into orders values (1, 99, 1, null, 'y', 'calm', 1, 'y', 1, 'D', now())";
    office.at_the_desk(swallowed).await;
    office.run(&["forward"], Some(20), "");
    office.run(&["watermark", "set", "orders", "--to", "2026-01-01T00:00:00Z"], Some(0), "");
    for from in ["1000000", "-2000000000"] {
        office.run(&["migrate", "--mobile-keys-from", from], Some(0), "");
    }
    let config = Config::load(Some(&office.office.config_path())).unwrap();
    let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1).unwrap();
    let (sql, cloud) = (Sql::default(), cloud.connection().await.unwrap());
    Store::new(&sql, "tidegate").prune_log(&cloud, "orders", "3").await.unwrap();
}

/// The same of the way home, with a trigger at the desktop and every kind of conflict. The clients have
/// no key there, so they can't come home.
async fn home(office: &Listened) {
    let mend =
        "alter table orders drop constraint \"orders_No_check\"; drop function swallow() cascade";
    office.on_the_phone(mend).await;
    let touch = "create function touch() returns trigger language plpgsql as \
        $$ begin new.remark := lower(new.remark); return new; end $$; \
        create trigger touch before update on orders for each row execute function touch()";
    office.at_the_desk(touch).await;
    office.run(&["sync"], Some(3), "");
    let order = "insert into orders (office, \"No\", note, source) values (1, 200, 'Made', 'M')";
    office.on_the_phone(order).await;
    let note = |row: i32, note: &str, at: &str| {
        format!("update orders set note = '{note}', updated_at = now() {at} where \"No\" = {row}")
    };
    let remark = |row: i32, text: &str, at: &str| note(row, text, at).replace("note", "remark");
    office.on_the_phone(&note(3, "Noted", "")).await;
    office.run(&["reverse"], Some(3), "");
    // The mobile user is the later one, then the desktop is, first by reverse, then by forward.
    office.at_the_desk(&remark(3, "desk", "")).await;
    office.on_the_phone(&note(3, "Later", "+ interval '1 minute'")).await;
    office.run(&["reverse"], Some(3), "");
    office.on_the_phone(&note(4, "Earlier", "")).await;
    office.at_the_desk(&remark(4, "desk", "+ interval '1 minute'")).await;
    office.run(&["sync"], Some(3), "");
    office.on_the_phone(&note(8, "Earlier", "")).await;
    office.at_the_desk(&remark(8, "desk", "+ interval '1 minute'")).await;
    office.at_the_desk(&remark(200, "desk", "+ interval '1 minute'")).await;
    office.run(&["forward"], Some(0), "");
    office.on_the_phone("delete from orders where \"No\" = 8").await;
    office.at_the_desk(&remark(8, "gone", "+ interval '1 minute'")).await;
    office.run(&["forward"], Some(0), "");
    office.run(&["sync"], Some(3), "");
    // As if the cloud had been restored from a backup.
    let restored =
        "update tidegate._sync_metadata set watermark = '999999999' where direction = 'reverse'";
    office.at_the_desk(restored).await;
    office.run(&["watermark", "accept"], Some(0), "");
}

/// What is new among what the servers got, the cloud first.
fn new(office: &Listened, cloud: &[String], desktop: &[String]) -> Vec<String> {
    let new = |statements: Vec<String>, known: &[String]| {
        statements.into_iter().filter(|s| !known.contains(s)).collect::<Vec<_>>()
    };
    let found = new(office.cloud.statements(), cloud);
    [found, new(office.desktop.statements(), desktop)].concat()
}

/// The verbs that only look.
async fn looks(office: &Listened) {
    let open = "select 'cw' || id from tidegate._sync_withheld where reason = 'deleted_by_mobile'";
    let open = value(&office.office.cloud, open).await;
    office.run(&["check", "--forward-only"], Some(0), "");
    office.run(&["uninstall"], Some(0), "");
    office.run(&["conflicts", "list"], Some(0), "");
    office.run(&["conflicts", "show", "ct1"], Some(0), "");
    office.run(&["conflicts", "show", &open], Some(0), "");
    office.run(&["explain", "orders", "office=1,No=4"], Some(0), "");
}

/// What only a desktop that is a SQL Server has sent to the cloud (`desktops/statements.rs`).
const OF_SQL_SERVERS: &str = "move_position_rowversion.sql";

/// The longest line of a statement's file that has no slot in it.
fn fixed_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let fixed = text.lines().filter(|line| !line.contains("{{"));
    fixed.max_by_key(|line| line.len()).unwrap_or("").to_owned()
}

fn shown(statements: &[String]) -> String {
    let snapshot = |statement: &String| match statement.split_once("transaction snapshot '") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once('\'').unwrap();
            format!("{before}transaction snapshot '[snapshot]'{after}")
        }
        None => statement.clone(),
    };
    let mut shown: Vec<String> = statements.iter().map(snapshot).collect();
    let mut seen = std::collections::BTreeSet::new();
    shown.retain(|statement| seen.insert(statement.clone()));
    shown.iter().map(|statement| format!("{}\n----\n", statement.trim_end())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_as_it_was() {
    let office = listened().await;
    everything(&office).await;
    let (cloud, desktop) = (office.cloud.statements(), office.desktop.statements());
    home(&office).await;
    let home = new(&office, &cloud, &desktop);
    let known = [&cloud[..], &desktop, &home].concat();
    looks(&office).await;
    let looks = new(&office, &known, &known);
    let mut missed = Vec::new();
    for folder in ["sql/postgres", "sql/migrations"] {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.ends_with(OF_SQL_SERVERS) {
                continue;
            }
            let line = fixed_line(&path);
            let met = cloud
                .iter()
                .chain(&desktop)
                .chain(&home)
                .chain(&looks)
                .any(|statement| statement.contains(&line));
            if !met {
                missed.push(path);
            }
        }
    }
    assert!(missed.is_empty(), "not sent: {missed:?}");
    insta::assert_snapshot!("cloud", shown(&cloud));
    insta::assert_snapshot!("desktop", shown(&desktop));
    insta::assert_snapshot!("home", shown(&home));
    insta::assert_snapshot!("looks", shown(&looks));
}
