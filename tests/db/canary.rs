//! A canary in every place that a secret or a value of a row can stand in: it is never seen again in
//! what the program prints, whatever it does and whatever goes wrong.

use std::cell::{Cell, RefCell};
use std::process::Output;

use tempfile::TempDir;

use crate::support::{Office, ask_for_passwords, column};

/// What the program can be asked to do, in an order that gives each something to say: always and in
/// every format, or by turns. A new verb joins here.
const VERBS: &[(When, &[&str])] = &[
    (ByTurns, &["migrate"]),
    (ByTurns, &["migrate", "--sql"]),
    (ByTurns, &["init", "--print"]),
    (ByTurns, &["grants"]),
    (ByTurns, &["check"]),
    (Always, &["config", "show"]),
    (Always, &["plan", "--full"]),
    (ByTurns, &["plan", "--full", "--sql"]),
    (ByTurns, &["plan", "--full", "--rows"]),
    (ByTurns, &["forward", "--full", "--dry-run"]),
    (Always, &["forward", "--full", "--strict"]),
    (Always, &["verify", "--strict"]),
    (ByTurns, &["verify", "--rows"]),
    (ByTurns, &["status"]),
    (ByTurns, &["watermark", "show"]),
    (ByTurns, &["watermark", "set", "birds", "--to", "2026-01-01 00:00:00+00"]),
    (ByTurns, &["watermark", "accept"]),
];

/// When a verb is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    ByTurns,
}
use When::{Always, ByTurns};

/// One in so many of those that take turns is asked each time.
const TURNS: usize = 3;

/// What it says on stdout is what it was asked for.
const SHOWS_ROWS: &str = "--rows";

/// How it can say it.
const FORMATS: &[&[&str]] = &[&["-v"], &["-vv", "--output", "json", "--log-format", "json"]];

/// The canary in all its feathers: as text, as bytes in hexadecimal, as number, day and UUID, and
/// as it stands in a URL.
const CANARIES: &[&str] =
    &["c4n4ry", "63346e347279", "7351902846", "1789-07-14", "c4c4c4c4-c4c4", "%634n%34ry"];

/// What `config show` shows of an address: a user, a parameter, a port, a database.
const NO_SECRETS: &[&str] = &[
    "c4n4ry:<redacted>",
    "sslmode=c4n4ry",
    "127.0.0.1:c4n4ry",
    "cloud%zzc4n4ry",
    "cloud%zz%634n%34ry",
];

const SCHEMA: &str = "
    create table nests (k text primary key, source text, created_at timestamptz,
        updated_at timestamptz);
    create table birds (
        k text primary key, name text, amount numeric, day date, raw bytea, tags text[], doc jsonb,
        ring uuid, nest text, note text, source text, created_at timestamptz, updated_at timestamptz
    );";

const BIRDS: &str = "
    insert into nests values ('c4n4ry-nest', 'D', now(), null);
    insert into birds select 'c4n4ry-key-' || i, 'c4n4ry', 7351902846.5, '1789-07-14', 'c4n4ry',
        '{c4n4ry}', '{\"c4n4ry\": \"c4n4ry\"}', 'c4c4c4c4-c4c4-c4c4-c4c4-c4c4c4c4c4c4',
        'c4n4ry-nest', null, 'D', now() - interval '1 day', null
    from generate_series(1, 3) i;";

/// What makes a run go wrong: statements for the desktop and for the cloud, and a fault point.
struct Trouble(&'static str, &'static str, &'static str);

const TROUBLES: &[Trouble] = &[
    Trouble("", "insert into birds (k, name, source) values ('c4n4ry-key-1', 'c4n4ry', 'M')", ""),
    Trouble("update birds set source = null", "", ""),
    Trouble("delete from nests", "alter table birds add foreign key (nest) references nests", ""),
    Trouble("", "alter table birds add check (name <> 'c4n4ry')", ""),
    Trouble("", "create unique index on birds (name)", ""),
    Trouble("", "alter table birds add exclude (name with =)", ""),
    Trouble("", "alter table birds alter note set not null", ""),
    Trouble("", "alter table birds alter amount type integer", ""),
    Trouble("", "alter table birds alter amount type numeric(4, 2)", ""),
    Trouble("", "alter table birds alter name type varchar(3)", ""),
    Trouble("", "alter table birds alter name type date using null", ""),
    Trouble("", "alter table birds alter name type jsonb using null", ""),
    Trouble("", "alter table birds alter name type integer using null", ""),
    Trouble("", "alter table birds alter raw type integer using null", ""),
    Trouble(
        "",
        "create domain tame as text check (value <> 'c4n4ry');
        alter table birds alter name type tame",
        "",
    ),
    Trouble(
        "",
        "create type kind as enum ('wren'); alter table birds alter name type kind \
        using null",
        "",
    ),
    Trouble(
        "",
        "alter table birds add legs integer; alter table birds alter legs \
        set default ('c4n4ry' || 2)::integer",
        "",
    ),
    Trouble(
        "",
        "alter table birds add legs integer generated always as (name::integer) stored",
        "",
    ),
    Trouble(
        "",
        "drop table birds; create table birds (k text primary key, name text, source text,
        created_at timestamptz, updated_at timestamptz) partition by list (k)",
        "",
    ),
    Trouble("", "raise exception 'c4n4ry %', new.k", ""),
    Trouble(
        "",
        "raise exception 'c4n4ry' using errcode = '42501', detail = new.k, hint = new.k",
        "",
    ),
    Trouble(
        "",
        "raise exception 'c4n4ry' using errcode = '23514', constraint = new.k, \
        column = new.k, table = new.k, schema = new.k",
        "",
    ),
    Trouble("", "execute 'insert into log_' || new.name || ' values (1)'", ""),
    Trouble("", "execute 'select ' || new.name || new.k", ""),
    Trouble("", "perform current_setting(new.name || '.' || new.name)", ""),
    Trouble("", "perform new.name::regclass", ""),
    Trouble(
        "",
        "raise warning 'c4n4ry %', new.k; raise notice '%', new.name; \
        delete from birds where source = 'M'",
        "",
    ),
    Trouble(
        "alter table birds rename to wild; create view birds as \
        select k, name::integer as name, source, created_at, updated_at from wild",
        "",
        "",
    ),
    Trouble("", "drop table birds", ""),
    Trouble("", "insert into tidegate._sync_migrations values (99)", ""),
    Trouble("", "", "after_merge=return"),
];

/// An office whose `verbs` are run in a directory of their own.
struct Cage {
    office: Office,
    directory: TempDir,
    /// Both addresses, in the environment for those who don't read the configuration.
    urls: RefCell<[String; 2]>,
    turn: Cell<usize>,
}

impl Cage {
    async fn open() -> Self {
        let office = Office::open(SCHEMA, &["nests", "birds"]).await;
        let urls = ["desktop", "cloud"].map(|database| office.cluster.url(database)).into();
        Self { office, directory: TempDir::new().unwrap(), urls, turn: Cell::new(0) }
    }

    fn move_to(&self, desktop: &str, cloud: &str) {
        self.office.write_config(desktop, cloud, "");
        *self.urls.borrow_mut() = [desktop.to_owned(), cloud.to_owned()];
    }

    fn run(&self, arguments: &[&str], faults: &str) -> Output {
        let mut command = self.office.command(arguments);
        command.current_dir(self.directory.path()).env("TMPDIR", self.directory.path());
        command.env("HOME", self.directory.path()).env("FAILPOINTS", faults);
        let [desktop, cloud] = &*self.urls.borrow();
        command.env("DESKTOP_URL", desktop).env("CLOUD_URL", cloud);
        command.env("BIRD", "c4n4ry/p@ss").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        tokio::task::block_in_place(|| command.output().unwrap())
    }

    /// Runs every verb; gives the exit codes of `forward` without `--dry-run`.
    fn sing(&self, faults: &str, context: &str) -> Vec<Option<i32>> {
        let mut codes = Vec::new();
        self.turn.set(self.turn.get() + 1);
        for (place, (when, verb)) in VERBS.iter().enumerate() {
            for format in self.formats(*when, place) {
                let arguments = [*verb, *format].concat();
                let mut output = self.run(&arguments, faults);
                if verb.contains(&SHOWS_ROWS) {
                    output.stdout.clear();
                }
                let heard = heard(&output);
                assert!(heard.is_empty(), "{context}: {arguments:?} says {heard:?}: {output:?}");
                if verb.contains(&"forward") && !verb.contains(&"--dry-run") {
                    codes.push(output.status.code());
                }
            }
        }
        let left: Vec<_> = std::fs::read_dir(self.directory.path()).unwrap().collect();
        assert!(left.is_empty(), "{context}: {left:?}");
        codes
    }

    /// How the verb at `place` is asked in this turn.
    fn formats(&self, when: When, place: usize) -> &'static [&'static [&'static str]] {
        let turn = self.turn.get() + place;
        match when {
            Always => FORMATS,
            ByTurns if turn.is_multiple_of(TURNS) => &FORMATS[turn / TURNS % 2..][..1],
            ByTurns => &[],
        }
    }

    /// Both ends as they were, but for the desktop's birds and what `trouble` does.
    async fn arrange(&self, trouble: &Trouble) {
        let Trouble(desktop, cloud, _) = trouble;
        // A view is not dropped as a table is.
        let clean = "do $$ begin drop view birds; exception when others then end $$;
            drop table if exists birds, nests, wild cascade;
            drop domain if exists tame; drop type if exists kind;
            drop schema if exists tidegate cascade";
        for session in [&self.office.desktop, &self.office.cloud] {
            session.batch_execute(clean).await.unwrap();
            session.batch_execute(SCHEMA).await.unwrap();
        }
        self.office.desktop.batch_execute(BIRDS).await.unwrap();
        self.office.desktop.batch_execute(desktop).await.unwrap();
        let migrated = self.run(&["migrate"], "");
        assert!(migrated.status.success(), "{migrated:?}");
        let mobile = "insert into birds (k, note, source) values ('mobile', 'x', 'M')";
        for sql in [mobile, &in_the_cloud(cloud)] {
            self.office.cloud.batch_execute(sql).await.unwrap();
        }
    }
}

/// What is not a statement of its own is a trigger's.
fn in_the_cloud(sql: &str) -> String {
    match ["raise", "execute", "perform"].iter().any(|word| sql.starts_with(word)) {
        false => sql.to_owned(),
        true => format!(
            "create or replace function chirp() returns trigger language plpgsql as \
             $$ begin {sql}; return new; end $$;
             create trigger chirp after insert on birds for each row execute function chirp()"
        ),
    }
}

/// The canaries that are in what was printed.
fn heard(output: &Output) -> Vec<&'static str> {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    let said =
        NO_SECRETS.iter().fold(said.join("\n").to_lowercase(), |said, part| said.replace(part, ""));
    CANARIES.iter().copied().filter(|canary| said.contains(canary)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_row_is_ever_said() {
    let cage = Cage::open().await;
    for trouble in TROUBLES {
        let context = format!("{} | {} | {}", trouble.0, trouble.1, trouble.2);
        cage.arrange(trouble).await;
        let codes = cage.sing(trouble.2, &context);
        assert!(!codes.contains(&Some(0)), "it met no trouble: {context}: {codes:?}");
        let errors = "select error from tidegate._sync_runs where error is not null";
        let errors = column(&cage.office.cloud, errors, &[]).await.join("\n");
        assert!(CANARIES.iter().all(|canary| !errors.contains(canary)), "{context}: {errors}");
    }
}

/// Where rows are asked for, the canary sings: we would hear it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_said_is_heard() {
    let cage = Cage::open().await;
    cage.arrange(&Trouble("", "", "")).await;
    let codes = cage.sing("", "no trouble");
    assert!(codes.iter().all(|code| *code == Some(0)), "{codes:?}");
    cage.office.cloud.batch_execute("delete from birds where source = 'D'").await.unwrap();
    for (_, verb) in VERBS.iter().filter(|(_, verb)| verb.contains(&SHOWS_ROWS)) {
        for format in FORMATS {
            let output = cage.run(&[*verb, *format].concat(), "");
            assert_eq!(heard(&output), ["c4n4ry"], "{output:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_ever_said() {
    let cage = Cage::open().await;
    let office = &cage.office;
    let secret = cage.office.config_path().with_file_name("secret");
    std::fs::write(&secret, "c4n4ry/p@ss\n").unwrap();
    let file = format!("${{file:{}}}", secret.display());
    let address = |database: &str| office.cluster.url(database);
    let with = |database: &str, password: &str| {
        address(database).replace("postgres@", &format!("postgres:{password}@"))
    };
    ask_for_passwords(&office.cluster).await;
    let spelled = ["c4n4ry", "%634n%34ry%2Fp%40ss", "${env:BIRD}", &file];
    for password in spelled {
        let [desktop, cloud] = ["desktop", "cloud"].map(|database| with(database, password));
        let host = |url: &str, host: &str| url.replace("127.0.0.1", host);
        let urls = [
            // Refused; and if by name only, on one end each.
            (desktop.clone(), cloud.clone()),
            (host(&desktop, "no-such-host.invalid"), host(&cloud, "no-such-host.invalid")),
            (format!("postgres://c4n4ry:{password}@127.0.0.1:1/x"), cloud.clone()),
            (desktop.clone(), format!("postgres://c4n4ry:{password}@127.0.0.1:1/x")),
            (format!("{desktop}?sslmode=c4n4ry"), format!("{cloud}?sslmode=c4n4ry")),
            (format!("{desktop}?unknown=c4n4ry"), format!("{cloud}?unknown=c4n4ry")),
            // A password that ought to have been percent-encoded.
            (desktop.replace("@", "?c4n4ry&c4n4ry=x@"), cloud.replace("@", "?c4n4ry=&c4n4ry@")),
            (desktop.replace("@", "#c4n4ry@"), cloud.replace("@", "@c4n4ry@")),
            (desktop.replace("@", ":c4n4ry/c4n4ry@"), cloud.replace("@", "/c4n4ry@")),
            (format!("{desktop}?password=c4n4ry"), format!("{cloud}?password=c4n4ry")),
            (
                format!("{desktop}?sslrootcert=/none&sslmode=verify-full"),
                format!("{cloud}?sslmode=require"),
            ),
            (format!("postgres://u:{password}@127.0.0.1:c4n4ry/x"), cloud.clone()),
            (format!("postgres//u:{password}@127.0.0.1/x"), cloud.clone()),
            (desktop.clone(), format!("{cloud}%zz{password}")),
            (desktop.clone(), format!("{cloud}\"\nunknown = \"c4n4ry")),
            (desktop.clone(), format!("{cloud}\nc4n4ry")),
        ];
        // What follows from the text of the URL alone is the same, wherever it comes from.
        let tried = if password.starts_with('$') { 4 } else { urls.len() };
        for (desktop, cloud) in urls.into_iter().take(tried) {
            cage.move_to(&desktop, &cloud);
            let codes = cage.sing("", &format!("{desktop} {cloud}"));
            assert!(!codes.contains(&Some(0)), "{desktop} {cloud}: {codes:?}");
        }
    }
}
