//! Values that only one row may have.

use super::{NO_LAG, execute};
use crate::support::{Office, counts, of, value};

const CLIENTS: &str = "
    create table clients (id integer primary key, email text, rank integer, source text,
        created_at timestamptz, updated_at timestamptz);";
const BY_KEY: &str = "select concat_ws(' ', id, email, rank) from clients order by id";

/// 9 clients with the ranks and emails of their keys, on both ends; `unique` is the cloud's alone.
async fn office(unique: &str) -> Office {
    let office = Office::open(CLIENTS, &["clients"]).await;
    execute(&office.cloud, unique).await;
    office.configure(NO_LAG);
    let fill = "insert into clients select i, 'e' || i, i, 'D', now() - interval '1 day', \
                now() - interval '1 day' from generate_series(1, 9) i";
    execute(&office.desktop, fill).await;
    office.forward().await;
    office
}

async fn edit(office: &Office, set: &str, which: &str) {
    let edit = format!("update clients set {set}, updated_at = now() where {which}");
    execute(&office.desktop, &edit).await;
}

/// One of 1,000 has the email of another row of the cloud.
#[tokio::test(flavor = "multi_thread")]
async fn m14_unique_non_pk() {
    for unique in [
        "alter table clients add unique (email)",
        "create unique index on clients (lower(email))",
        "create unique index on clients (email) where source is not null",
    ] {
        let office = office(unique).await;
        let mobile = "insert into clients values (99999, 'anna', 0, 'M', now(), now())";
        execute(&office.cloud, mobile).await;
        let many = "insert into clients select i, case i when 500 then 'anna' else 'n' || i end, i, \
            'D', now(), null from generate_series(10, 1009) i";
        execute(&office.desktop, many).await;
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "clients")), [1000, 999, 0, 0, 1], "{unique}: {report:?}");
        assert_eq!(office.withheld().await, [r#"{"id": "500"} unique"#], "{unique}");
        assert_eq!(counts(of(&office.forward().await, "clients"))[4], 0, "quiet: {unique}");
        // The value is free; an index over an expression shows that to whoever reads all.
        execute(&office.cloud, "update clients set email = 'anne' where id = 99999").await;
        if unique.starts_with("alter") {
            assert_eq!(of(&office.forward().await, "clients").inserted, 1, "{unique}");
        } else {
            office.forward_full().await;
        }
        assert!(office.withheld().await.is_empty(), "{unique}");
        let arrived = "select email from clients where id = 500";
        assert_eq!(value(&office.cloud, arrived).await, "anna", "{unique}");
    }
}

/// Rows that pass unique values on to each other: a swap, a ring, a chain in either order of the
/// keys, an insert that takes what an update leaves; parked at NULL, or at a free number or text.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_swap_a_unique_value_arrive() {
    let uniques = [
        "alter table clients add unique (email), add unique (rank)",
        "alter table clients alter rank set not null, alter email set not null, \
         add unique (rank), add unique (email)",
        "alter table clients add unique (email) deferrable initially deferred, \
         add unique (rank) deferrable",
        "alter table clients add unique (rank, email); alter table clients add unique (rank)",
        // A trigger that stamps a parked row with a later time than the desktop's.
        "alter table clients add unique (email), add unique (rank); \
         create function stamp() returns trigger language plpgsql as \
         $$ begin new.updated_at = now(); return new; end $$; \
         create trigger stamp before update on clients for each row execute function stamp()",
    ];
    for unique in uniques {
        let office = office(unique).await;
        for (set, which) in [
            ("rank = 3 - rank, email = 'e' || (3 - rank)", "id in (1, 2)"),
            ("rank = case id when 5 then 3 else id + 1 end", "id in (3, 4, 5)"),
            ("rank = id + 10", "id in (6, 7)"),
            ("rank = id + 11, email = 'e' || (id + 1)", "id > 5"),
            ("rank = id, email = 'e' || id", "id > 5"),
        ] {
            edit(&office, set, which).await;
            let report = office.forward().await;
            assert_eq!(report.exit_code(true), 0, "{unique}; {set}: {report:?}");
            office.same_on_both_ends(BY_KEY).await;
        }
        edit(&office, "rank = 77", "id = 9").await;
        let insert = "insert into clients values (0, 'e0', 9, 'D', now())";
        execute(&office.desktop, insert).await;
        let report = office.forward().await;
        assert_eq!(report.exit_code(true), 0, "{unique}: {report:?}");
        office.same_on_both_ends(BY_KEY).await;
    }
}

/// Over the edge of a batch the one that takes waits for the one that gives.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_later_batch_gives_up_is_taken_at_the_end_of_the_run() {
    let office = office("alter table clients add unique (rank)").await;
    office.configure("batch_rows = 2\nlag = \"0s\"");
    edit(&office, "rank = rank + 1", "true").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "clients")), [9, 0, 9, 0, 0], "{report:?}");
    office.same_on_both_ends(BY_KEY).await;
}

/// Two desktop rows have one value, because the desktop does not ask for unique ones.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_with_one_unique_value_the_first_arrives() {
    let office = office("alter table clients add unique (email)").await;
    let twins = "insert into clients select i, 'twin', i, 'D', now(), null \
                 from generate_series(10, 12) i";
    execute(&office.desktop, twins).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "clients")), [3, 1, 0, 0, 2], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "11"} unique"#, r#"{"id": "12"} unique"#]);
    // The value of a row that keeps it is not given away.
    edit(&office, "email = 'e1'", "id = 2").await;
    edit(&office, "rank = 100", "id = 1").await;
    let report = office.forward().await;
    assert_eq!(of(&report, "clients").updated, 1, "{report:?}");
    assert_eq!(value(&office.cloud, "select email from clients where id = 2").await, "e2");
}

/// Children that refer to a unique value would follow it to the parking place.
#[tokio::test(flavor = "multi_thread")]
async fn a_unique_value_that_children_refer_to_is_not_parked() {
    let office = office(
        "alter table clients add unique (rank); create table notes (id integer primary key, \
         rank integer references clients (rank) on update cascade)",
    )
    .await;
    execute(&office.cloud, "insert into notes values (1, 1), (2, 2)").await;
    edit(&office, "rank = 3 - rank", "id in (1, 2)").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "clients")), [2, 0, 0, 0, 2], "{report:?}");
    let notes = "select string_agg(rank::text, ' ' order by id) from notes";
    assert_eq!(value(&office.cloud, notes).await, "1 2");
}
