//! What the catalogues make of a table: a plan, or a refusal with its remedy.

use tidegate::run::Outcome;

use crate::support::{JOBS, Office, column, counts, of, value};

/// A table that can't be synced.
struct Refusal {
    table: &'static str,
    /// The columns and constraints on the desktop; nothing: no such table.
    desktop: &'static str,
    /// The same in the cloud.
    cloud: &'static str,
    /// Lines of its configuration.
    settings: &'static str,
    message: &'static str,
    remedy: &'static str,
}

const SOUND: &str = "id int primary key, name text, source text, updated_at timestamptz";

/// Every reason to refuse a table that its catalogue or its configuration can give.
const REFUSALS: &[Refusal] = &[
    Refusal {
        table: "only_cloud",
        desktop: "",
        cloud: SOUND,
        settings: "",
        message: "the desktop has no table only_cloud",
        remedy: "desktop = \"schema.name\"",
    },
    Refusal {
        table: "only_desktop",
        desktop: SOUND,
        cloud: "",
        settings: "",
        message: "the cloud has no table only_desktop",
        remedy: "[tables.\"schema.name\"]",
    },
    Refusal {
        table: "no_key",
        desktop: SOUND,
        cloud: "id int unique, name text, source text, updated_at timestamptz",
        settings: "",
        message: "has no primary key",
        remedy: "Add one",
    },
    Refusal {
        table: "deferrable_key",
        desktop: SOUND,
        cloud: "id int primary key deferrable, name text, source text, updated_at timestamptz",
        settings: "",
        message: "primary key is DEFERRABLE",
        remedy: "Make it NOT DEFERRABLE",
    },
    Refusal {
        table: "keyless_desktop",
        desktop: "no int primary key, source text, updated_at timestamptz",
        cloud: SOUND,
        settings: "",
        message: "lacks the key column id",
        remedy: "rename = { DesktopName = \"cloud_name\" }",
    },
    Refusal {
        table: "no_owner",
        desktop: SOUND,
        cloud: "id int primary key, name text, updated_at timestamptz",
        settings: "",
        message: "has no ownership column source",
        remedy: "add column source text; mark the rows that are there ('D' or 'M')",
    },
    Refusal {
        table: "unfilled",
        desktop: SOUND,
        cloud: "id int primary key, name text, source text, updated_at timestamptz, vat text not null",
        settings: "",
        message: "column vat is NOT NULL",
        remedy: "Give the column a default",
    },
    Refusal {
        table: "no_stamps",
        desktop: "id int primary key, name text, source text",
        cloud: SOUND,
        settings: "",
        message: "neither updated_at nor created_at",
        remedy: "Name its stamps",
    },
    Refusal {
        table: "stamp_of_text",
        desktop: "id int primary key, name text, source text, updated_at text",
        cloud: SOUND,
        settings: "",
        message: "the stamp updated_at is a text",
        remedy: "timestamp or timestamptz",
    },
    Refusal {
        table: "no_zone",
        desktop: "id int primary key, name text, source text, updated_at timestamp",
        cloud: SOUND,
        settings: "",
        message: "updated_at is a timestamp without a zone",
        remedy: "assume_timezone = \"Europe/London\"",
    },
    Refusal {
        table: "misnamed",
        desktop: SOUND,
        cloud: SOUND,
        settings: "exclude = [\"Name\"]",
        message: "the column Name, which the desktop's table lacks",
        remedy: "Correct the name",
    },
];

fn create(table: &str, columns: &str) -> String {
    match columns {
        "" => String::new(),
        columns => format!("create table {table} ({columns});"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cant_be_synced_is_refused_with_its_remedy_while_the_others_run() {
    let mut office = Office::open(JOBS, &["jobs"]).await;
    let mut tables = "[tables.jobs]\n[tables.a_view]\n".to_owned();
    for r in REFUSALS {
        office.desktop.batch_execute(&create(r.table, r.desktop)).await.unwrap();
        office.cloud.batch_execute(&create(r.table, r.cloud)).await.unwrap();
        tables += &format!("[tables.{}]\n{}\n", r.table, r.settings);
    }
    office.desktop.batch_execute(&create("a_view", SOUND)).await.unwrap();
    office.cloud.batch_execute("create view a_view as select * from jobs").await.unwrap();
    office.configure_tables(&tables);
    let job = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(job).await.unwrap();

    let report = office.forward().await;
    assert_eq!(report.exit_code(false), 3);
    assert_eq!(counts(of(&report, "jobs")), [1, 1, 0, 0, 0]);
    let reasons = REFUSALS.iter().map(|r| (r.table, r.message, r.remedy));
    let view = ("a_view", "is not a table", "Name the table behind the view");
    for (table, message, remedy) in reasons.chain([view]) {
        let refused = of(&report, table);
        assert_eq!(refused.outcome, Outcome::Refused, "{table}");
        let trouble = refused.error.as_ref().unwrap();
        assert!(trouble.message.contains(message), "{table}: {trouble:?}");
        assert!(trouble.remedy.contains(remedy), "{table}: {trouble:?}");

        let alone = office.tidegate(&["forward", "--table", table]);
        assert_eq!(alone.status.code(), Some(10), "{table} alone: {alone:?}");
        let said = String::from_utf8(alone.stdout).unwrap();
        assert!(said.contains(message) && said.contains(remedy), "{table}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m22_rls_blind() {
    let schema = JOBS.to_owned() + &JOBS.replace("jobs", "hidden");
    let office = Office::open(&schema, &["jobs", "hidden"]).await;
    let fill = "insert into jobs values (1, 'job', 'D', now(), now());
        insert into hidden select * from jobs";
    office.desktop.batch_execute(fill).await.unwrap();
    let grants = "create role app login;
        grant usage on schema tidegate to app;
        grant all on all tables in schema public, tidegate to app";
    office.cloud.batch_execute(grants).await.unwrap();
    let rights =
        "grant select on all tables in schema public to app; grant pg_read_all_stats to app";
    office.desktop.batch_execute(rights).await.unwrap();
    let urls =
        ["desktop", "cloud"].map(|name| office.cluster.url(name).replace("postgres@", "app@"));
    office.write_config(&urls[0], &urls[1], "");

    let blind = "alter table hidden enable row level security;
        create policy own on hidden to app using (source = 'D')";
    let mut done = 0;
    for (end, session) in [("desktop", &office.desktop), ("cloud", &office.cloud)] {
        session.batch_execute(blind).await.unwrap();
        let report = office.forward().await;
        assert_eq!((report.exit_code(false), of(&report, "jobs").outcome), (3, Outcome::Ok));
        done += of(&report, "jobs").inserted;
        let trouble = of(&report, "hidden").error.as_ref().unwrap();
        let message = format!("row-level security hides rows of the {end}'s table");
        assert!(trouble.message.contains(&message), "{trouble:?}");
        assert!(trouble.remedy.contains("bypassrls"), "{trouble:?}");
        assert_eq!(office.tidegate(&["forward", "--table", "hidden"]).status.code(), Some(10));
        session.batch_execute("alter table hidden owner to app").await.unwrap();
    }
    assert_eq!(done, 1);
    assert_eq!(counts(of(&office.forward().await, "hidden")), [1, 1, 0, 0, 0]);
}

/// The rights that a role lacks for one table refuse that table, and the others run.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_missing_refuse_their_table_only() {
    let schema = JOBS.to_owned()
        + &JOBS.replace("jobs", "secret")
        + &JOBS.replace("jobs", "kind")
        + &JOBS.replace("jobs", "child")
        + "alter table child add kind integer references kind;";
    let office = Office::open(&schema, &["jobs", "secret", "child"]).await;
    let fill = "insert into jobs values (1, 'job', 'D', now(), now());
        insert into secret select * from jobs; insert into child select * from jobs;
        create role app login; grant pg_read_all_stats to app;
        grant select on jobs, child to app";
    office.desktop.batch_execute(fill).await.unwrap();
    let grants = "grant usage on schema tidegate to app;
        grant all on all tables in schema tidegate to app;
        grant select, insert, update on jobs, child, secret to app";
    office.cloud.batch_execute(grants).await.unwrap();
    let urls =
        ["desktop", "cloud"].map(|name| office.cluster.url(name).replace("postgres@", "app@"));
    office.write_config(&urls[0], &urls[1], "");
    let lacks = async |wanted: &[(&str, &str, &str)]| {
        let report = office.forward().await;
        for (table, message, remedy) in wanted {
            let trouble = of(&report, table).error.as_ref().unwrap();
            assert!(trouble.message.contains(message), "{trouble:?}");
            assert!(trouble.remedy.starts_with(remedy), "{trouble:?}");
        }
        (report.exit_code(false), of(&report, "jobs").outcome)
    };
    let wanted = [
        ("secret", "the desktop's role lacks rights on secret", "grant select on secret"),
        ("child", "the cloud's role lacks rights on kind", "grant select on kind"),
    ];
    assert_eq!(lacks(&wanted).await, (3, Outcome::Ok));
    assert_eq!(office.tidegate(&["forward", "--table", "secret"]).status.code(), Some(12));
    office.desktop.batch_execute("grant select on secret to app").await.unwrap();
    let revoke = "revoke insert on secret from app; grant select on kind to app";
    office.cloud.batch_execute(revoke).await.unwrap();
    let wanted = [("secret", "the cloud's role lacks rights on secret", "grant select, insert")];
    assert_eq!(lacks(&wanted).await, (3, Outcome::Ok));
    assert_eq!(value(&office.cloud, "select count(*)::text from child").await, "1");
    // Without the schema's usage the table's rights are worth nothing.
    let hide = "create schema hidden; alter table secret set schema hidden";
    office.cloud.batch_execute(hide).await.unwrap();
    let tables = "[tables.jobs]\n[tables.\"hidden.secret\"]\ndesktop = \"secret\"\n";
    let config = std::fs::read_to_string(office.config_path()).unwrap();
    let (before, _) = config.split_once("[tables.").unwrap();
    std::fs::write(office.config_path(), format!("{before}{tables}")).unwrap();
    let wanted = [("hidden.secret", "lacks rights on hidden.secret", "grant select, insert")];
    assert_eq!(lacks(&wanted).await, (3, Outcome::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_matched_by_name() {
    let mut office = Office::open(JOBS, &["jobs"]).await;
    let desktop = "alter table jobs add \"JobNo\" text, add secret text, add fax text";
    office.desktop.batch_execute(desktop).await.unwrap();
    let cloud = "alter table jobs add note text default 'of the cloud', add job_no text,
        add secret text default 'kept from the cloud'";
    office.cloud.batch_execute(cloud).await.unwrap();
    office
        .configure_tables("[tables.jobs]\nexclude = [\"secret\"]\nrename = { JobNo = \"job_no\" }");
    let insert = "insert into jobs select i, 'job', 'D', now(), now(), 'J' || i, 'pin', '555' \
                  from generate_series(1, 2) i";
    office.desktop.batch_execute(insert).await.unwrap();
    let report = office.forward().await;
    assert_eq!(report.exit_code(true), 0);
    assert_eq!(of(&report, "jobs").drift, ["fax"]);
    let rows = "select concat_ws(', ', job_no, note, secret) from jobs order by id";
    let loaded = ["J1, of the cloud, kept from the cloud", "J2, of the cloud, kept from the cloud"];
    assert_eq!(column(&office.cloud, rows, &[]).await, loaded);

    office.cloud.batch_execute("update jobs set note = 'of a user' where id = 1").await.unwrap();
    let edit = "update jobs set \"JobNo\" = 'J9', secret = 'new', updated_at = now() where id = 1;
        update jobs set fax = '556', updated_at = updated_at where id = 2";
    office.desktop.batch_execute(edit).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [2, 0, 1, 1, 0]);
    let edited = ["J9, of a user, kept from the cloud", loaded[1]];
    assert_eq!(column(&office.cloud, rows, &[]).await, edited);

    let said = String::from_utf8(office.tidegate(&["forward"]).stdout).unwrap();
    assert!(said.contains("the cloud lacks fax; left out"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_table_without_the_ownership_column_is_the_desktops() {
    let office = Office::open(JOBS, &["jobs"]).await;
    office.desktop.batch_execute("alter table jobs drop source").await.unwrap();
    office.cloud.batch_execute("alter table jobs alter source set default 'M'").await.unwrap();
    let mobile = "insert into jobs values (3, 'made on the phone', 'M', now(), now())";
    office.cloud.batch_execute(mobile).await.unwrap();
    let insert = "insert into jobs select i, 'job', now(), now() from generate_series(1, 3) i";
    office.desktop.batch_execute(insert).await.unwrap();
    assert_eq!(counts(of(&office.forward().await, "jobs")), [3, 2, 0, 0, 1]);
    let edit = "update jobs set name = 'edited', updated_at = clock_timestamp()";
    office.desktop.batch_execute(edit).await.unwrap();
    office.forward().await;
    let rows = "select string_agg(concat(id, name, source), ', ' order by id) from jobs";
    assert_eq!(value(&office.cloud, rows).await, "1editedD, 2editedD, 3made on the phoneM");
    assert_eq!(office.withheld().await, [r#"{"id": "3"} key_collision"#]);
}
