//! What an end's own triggers make of a row is no edit: both ends come to rest, and edits arrive.

use tidegate::run::{Request, Way};
use tidegate::sql::Sql;
use tokio_postgres::Client;

use crate::support::{Office, column};

const STAMP: &str = "new.updated_at := now();";
const UPPER: &str = "new.name := upper(new.name);";
const LOWER: &str = "new.name := lower(new.name);";
const STAMP_UPPER: &str = "new.name := upper(new.name); new.updated_at := now();";
const STAMP_LOWER: &str = "new.name := lower(new.name); new.updated_at := now();";

/// A table, and what the trigger of each end does before each of `events`.
struct Shape {
    table: &'static str,
    events: &'static str,
    desktop: &'static str,
    cloud: &'static str,
}

const fn shape(
    table: &'static str,
    events: &'static str,
    desktop: &'static str,
    cloud: &'static str,
) -> Shape {
    Shape { table, events, desktop, cloud }
}

const STAMPING: &[Shape] = &[
    shape("stamps", "update", STAMP, STAMP),
    shape("stamps_desktop", "update", STAMP, ""),
    shape("stamps_cloud", "update", "", STAMP),
    shape("stamps_all", "insert or update", STAMP, STAMP),
    shape("stamps_all_desktop", "insert or update", STAMP, ""),
    shape("stamps_all_cloud", "insert or update", "", STAMP),
];

const REWRITING: &[Shape] = &[
    shape("rewrites", "insert or update", LOWER, UPPER),
    shape("rewrites_updates", "update", LOWER, UPPER),
    shape("rewrites_desktop", "insert or update", LOWER, ""),
    shape("rewrites_cloud", "insert or update", "", UPPER),
    shape("two", "insert or update", STAMP_LOWER, STAMP_UPPER),
    shape("two_updates", "update", STAMP_LOWER, STAMP_UPPER),
    shape("two_desktop", "insert or update", STAMP_LOWER, ""),
    shape("two_cloud", "insert or update", "", STAMP_UPPER),
];

/// Row 1 to 6 are the desktop's, row 7 the mobile side's; both ends have them all.
async fn open(shapes: &[Shape], sql: &Sql) -> Office {
    let table = |s: &Shape| {
        let table = s.table;
        format!(
            "create table {table} (id integer primary key, name text, source char(1), \
             created_at timestamptz default now(), updated_at timestamptz default now());"
        )
    };
    let schema: String = shapes.iter().map(table).collect();
    let names: Vec<&str> = shapes.iter().map(|s| s.table).collect();
    let office = Office::open(&schema, &names).await;
    for shape in shapes {
        add_trigger(&office.desktop, shape, shape.desktop).await;
        add_trigger(&office.cloud, shape, shape.cloud).await;
        let fill = |rows: &str, mark: &str| {
            format!(
                "insert into {} (id, name, source) select i, 'Row ' || i, '{mark}' \
                 from generate_series({rows}) i",
                shape.table
            )
        };
        office.desktop.batch_execute(&fill("1, 6", "D")).await.unwrap();
        office.cloud.batch_execute(&fill("7, 7", "M")).await.unwrap();
    }
    cycle(&office, &Request::default(), sql).await;
    office
}

async fn add_trigger(end: &Client, shape: &Shape, body: &str) {
    if body.is_empty() {
        return;
    }
    let Shape { table, events, .. } = shape;
    let trigger = format!(
        "create function touch_{table}() returns trigger language plpgsql as \
         $$ begin {body} return new; end $$; \
         create trigger touch before {events} on {table} for each row execute function touch_{table}()"
    );
    end.batch_execute(&trigger).await.unwrap();
}

/// A `sync`: the rows that it wrote at both ends.
async fn cycle(office: &Office, request: &Request, sql: &Sql) -> u64 {
    let report = office.run_way(Way::Both, request, sql).await.unwrap();
    assert!(report.tables.iter().all(|t| t.error.is_none()), "{report:?}");
    report.written()
}

/// A user's edit of a row in every table.
async fn edit(end: &Client, shapes: &[Shape], id: i32, name: &str) {
    for Shape { table, .. } in shapes {
        let edit = format!("update {table} set name = $1, updated_at = now() where id = $2");
        assert_eq!(end.execute(&edit, &[&name, &id]).await.unwrap(), 1, "{table} {id}");
    }
}

/// That the ends hold what their triggers made of `name`.
async fn arrived(office: &Office, shapes: &[Shape], id: i32, name: &str) {
    for Shape { table, .. } in shapes {
        let query = format!("select lower(name) from {table} where id = $1");
        for end in [&office.desktop, &office.cloud] {
            let held = column(end, &query, &[&id]).await;
            assert_eq!(held, [name.to_lowercase()], "{table} {id}");
        }
    }
}

/// The version of each row at both ends, as the server knows it.
async fn versions(office: &Office, shapes: &[Shape]) -> Vec<String> {
    let mut versions = Vec::new();
    for Shape { table, .. } in shapes {
        let query = format!(
            "select '{table} ' || id || ' ' || xmin || ' ' || ctid from {table} order by id"
        );
        versions.extend(column(&office.desktop, &query, &[]).await);
        versions.extend(column(&office.cloud, &query, &[]).await);
    }
    versions
}

/// The rows that twelve cycles write, from the third after the last edit on; each fourth of them
/// looks at whole tables.
async fn unrest(office: &Office, shapes: &[Shape], sql: &Sql) -> u64 {
    for _ in 0..2 {
        cycle(office, &Request::default(), sql).await;
    }
    let before = versions(office, shapes).await;
    let mut written = 0;
    for turn in 1..=12 {
        let request = Request { full: turn % 4 == 0, ..Request::default() };
        written += cycle(office, &request, sql).await;
    }
    let after = versions(office, shapes).await;
    assert_eq!(
        before == after,
        written == 0,
        "the reports say {written} rows: {before:?} {after:?}"
    );
    written
}

/// Edits of either end, one after the other, arrive, and then there is rest.
async fn edits_arrive_and_settle(shapes: &[Shape]) {
    let sql = Sql::default();
    let office = open(shapes, &sql).await;
    for (desktop, mobile) in
        [("Desk A", "Mobile A"), ("Desk B", "Mobile B"), ("Desk A", "Mobile A")]
    {
        edit(&office.desktop, shapes, 1, desktop).await;
        edit(&office.cloud, shapes, 2, mobile).await;
        edit(&office.cloud, shapes, 7, mobile).await;
        cycle(&office, &Request::default(), &sql).await;
        for (id, name) in [(1, desktop), (2, mobile), (7, mobile)] {
            arrived(&office, shapes, id, name).await;
        }
    }
    for name in ["Once", "Twice"] {
        edit(&office.desktop, shapes, 3, name).await;
        edit(&office.cloud, shapes, 4, name).await;
    }
    cycle(&office, &Request::default(), &sql).await;
    for id in [3, 4] {
        arrived(&office, shapes, id, "Twice").await;
    }
    for (end, name) in [(&office.cloud, "To"), (&office.desktop, "Fro"), (&office.cloud, "To")] {
        edit(end, shapes, 5, name).await;
        cycle(&office, &Request::default(), &sql).await;
        arrived(&office, shapes, 5, name).await;
    }
    assert_eq!(unrest(&office, shapes, &sql).await, 0);
    for (id, name) in [(1, "Desk A"), (2, "Mobile A"), (3, "Twice"), (5, "To"), (7, "Mobile A")] {
        arrived(&office, shapes, id, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m18_trigger_pingpong() {
    edits_arrive_and_settle(STAMPING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m19_trigger_content() {
    edits_arrive_and_settle(REWRITING).await;
}

/// What shows that the others can fail.
#[tokio::test(flavor = "multi_thread")]
async fn m19_without_images_there_is_no_rest() {
    let forgetful =
        Sql::default().planted("postgres/remember.sql", "where m.kept <> {{sent}}", "where false");
    let shapes = &REWRITING[..1];
    let office = open(shapes, &forgetful).await;
    edit(&office.desktop, shapes, 1, "Desk").await;
    assert!(unrest(&office, shapes, &forgetful).await > 0);
}
