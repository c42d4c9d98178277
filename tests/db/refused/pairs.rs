//! Bad rows and what stands around them: children, siblings that pass values on, partitions, types
//! that change, triggers.

use tidegate::run::Outcome;

use super::{NO_LAG, execute};
use crate::support::{Office, counts, of, value};

/// One that is refused for its name, whatever its name in the test.
const NO_X: &str = "add check (name <> 'x')";

async fn open(desktop: &str, tables: &[&str], cloud: &str) -> Office {
    let office = Office::open(desktop, tables).await;
    execute(&office.cloud, cloud).await;
    office.configure(NO_LAG);
    office
}

/// A table with these columns and what every table needs.
fn table(name: &str, columns: &str) -> String {
    format!(
        "create table {name} ({columns}, source text, created_at timestamptz default \
         now() - interval '1 day', updated_at timestamptz);"
    )
}

fn sums(table: &tidegate::run::TableReport) {
    assert_eq!(
        table.read,
        table.inserted + table.updated + table.unchanged + table.withheld,
        "{table:?}"
    );
}

/// Descendants of a bad row wait for it, in its own table and in others, and follow it.
#[tokio::test(flavor = "multi_thread")]
async fn descendants_of_a_bad_row_wait_for_it() {
    let nodes = table("nodes", "id integer primary key, parent integer, name text");
    let notes = table("notes", "id integer primary key, node integer, name text");
    let cloud = format!(
        "alter table nodes {NO_X}, add foreign key (parent) references nodes; \
         alter table notes add foreign key (node) references nodes"
    );
    for batch_rows in ["50000", "2", "1"] {
        let office = open(&format!("{nodes}{notes}"), &["notes", "nodes"], &cloud).await;
        office.configure(&format!("{NO_LAG}\nbatch_rows = {batch_rows}"));
        let fill = "insert into nodes select i, nullif(i / 2, 0), case i when 2 then 'x' end, 'D' \
                from generate_series(1, 15) i; \
            insert into notes select i, i, null, 'D' from generate_series(1, 15) i";
        execute(&office.desktop, fill).await;
        let report = office.forward().await;
        // 2, 4, 5, 8, 9, 10, 11
        assert_eq!(counts(of(&report, "nodes")), [15, 8, 0, 0, 7], "{batch_rows} {report:?}");
        assert_eq!(counts(of(&report, "notes")), [15, 8, 0, 0, 7], "{batch_rows} {report:?}");
        let by = |reason: &str| {
            format!("select count(*)::text from tidegate._sync_withheld where reason = '{reason}'")
        };
        assert_eq!(value(&office.cloud, &by("bad_value")).await, "1");
        assert_eq!(value(&office.cloud, &by("missing_parent")).await, "13");
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "nodes")), [0; 5], "quiet: {report:?}");
        // Bad in another way.
        let worse = "update nodes set name = repeat('x', 7), updated_at = now() where id = 2";
        execute(&office.cloud, "alter table nodes alter name type varchar(3)").await;
        execute(&office.desktop, worse).await;
        let report = office.forward().await;
        sums(of(&report, "nodes"));
        sums(of(&report, "notes"));
        assert_eq!(office.withheld().await.len(), 14);
        let better = "update nodes set name = 'y', updated_at = now() where id = 2";
        execute(&office.desktop, better).await;
        let report = office.forward().await;
        sums(of(&report, "nodes"));
        sums(of(&report, "notes"));
        assert_eq!(of(&report, "nodes").inserted, 7, "{batch_rows} {report:?}");
        assert_eq!(of(&report, "notes").inserted, 7, "{batch_rows} {report:?}");
        assert!(office.withheld().await.is_empty());
    }
}

/// Positions within a parent: the reference can't be parked, and a position is not negative.
#[tokio::test(flavor = "multi_thread")]
async fn positions_within_a_parent_are_swapped() {
    let lists = table("lists", "id integer primary key");
    let items = table(
        "items",
        "id integer primary key, list integer not null, place integer not null, code varchar(4) not null",
    );
    let office = open(
        &format!("{lists}{items}"),
        &["lists", "items"],
        "alter table items add foreign key (list) references lists, add unique (list, place), \
         add check (place > 0), add unique (code)",
    )
    .await;
    let fill = "insert into lists values (1, 'D'), (2, 'D'); \
        insert into items select i, 1 + i % 2, i, 'c' || i, 'D' from generate_series(1, 6) i";
    execute(&office.desktop, fill).await;
    office.forward().await;
    let swap = "update items set place = 7 - place, list = 3 - list, code = 'c' || (7 - id), updated_at = now()";
    execute(&office.desktop, swap).await;
    let report = office.forward().await;
    assert_eq!(
        counts(of(&report, "items")),
        [6, 0, 6, 0, 0],
        "{report:?} {:?}",
        office.withheld().await
    );
    office
        .same_on_both_ends("select concat_ws(' ', id, list, place, code) from items order by id")
        .await;
}

/// A partition that is missing refuses rows until it is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_partition_arrives_once_there_is_one() {
    let visits = "create table visits (id integer, month integer, name text, rank integer, source text, \
        created_at timestamptz default now() - interval '1 day', updated_at timestamptz, \
        primary key (id, month))";
    let office = Office::open(visits, &["visits"]).await;
    office.configure(NO_LAG);
    let cloud = visits.to_owned() + " partition by list (month)";
    execute(&office.cloud, "drop table visits").await;
    execute(&office.cloud, &cloud).await;
    execute(
        &office.cloud,
        "create table v1 partition of visits for values in (1); \
        create table v2 partition of visits for values in (2); \
        alter table v2 add check (name <> 'x'); \
        alter table visits add unique (rank, month)",
    )
    .await;
    let fill = "insert into visits select i, 1 + i / 10, case i when 15 then 'x' end, i, 'D' \
        from generate_series(1, 29) i";
    execute(&office.desktop, fill).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "visits")), [29, 18, 0, 0, 11], "{report:?}");
    assert_eq!(counts(of(&office.forward().await, "visits")), [0; 5]);
    execute(&office.cloud, "create table v3 partition of visits for values in (3)").await;
    assert_eq!(counts(of(&office.forward().await, "visits"))[1], 10);
    execute(&office.cloud, "alter table v2 drop constraint v2_name_check").await;
    assert_eq!(counts(of(&office.forward().await, "visits"))[1], 1);
    assert!(office.withheld().await.is_empty());
    execute(&office.desktop, "update visits set rank = 30 - rank, updated_at = now()").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "visits")), [29, 0, 29, 0, 0], "{report:?}");
    office.same_on_both_ends("select concat_ws(' ', id, rank) from visits order by id").await;
}

/// What withheld rows hold may not be of the cloud's types any more.
#[tokio::test(flavor = "multi_thread")]
async fn m29_a_retyped_column_leaves_withheld_rows_to_people() {
    let clients = table("clients", "id text primary key, email text, parent text");
    let jobs = table("jobs", "id integer primary key, client text");
    let office = open(
        &format!("{clients}{jobs}"),
        &["clients", "jobs"],
        "alter table clients add unique (email)",
    )
    .await;
    execute(
        &office.desktop,
        "insert into clients values ('1', 'e', null, 'D'), ('b', 'e', null, 'D')",
    )
    .await;
    office.forward().await;
    assert_eq!(office.withheld().await, [r#"{"id": "b"} unique"#]);
    let both = "alter table clients alter id type integer using case when id = 'b' then 2 else id::integer end; alter table clients alter email type bytea using email::bytea";
    execute(&office.desktop, both).await;
    execute(&office.cloud, both).await;
    execute(&office.desktop, "insert into clients values (3, 'three', null, 'D', now()); insert into jobs values (1, 'c', 'D', now())").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [1, 1, 0, 0, 0], "{report:?}");
    assert_eq!(of(&report, "clients").outcome, Outcome::Ok, "{report:?}");
    assert_eq!(of(&report, "clients").inserted, 1, "{report:?}");
    let report = office.forward_full().await;
    assert_eq!(report.exit_code(false), 0, "{report:?}");
}

/// Also under codes of their own.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_trigger_raises_for_a_row_is_about_the_row() {
    for (code, expected) in [
        ("PT402", "bad_value"),
        ("42501", "bad_value"),
        ("23505", "unique"),
        // What passes is tried again.
        ("40001", "busy"),
    ] {
        let jobs = table("jobs", "id integer primary key, name text");
        let office = open(
            &jobs,
            &["jobs"],
            &format!(
                "create function refuse() returns trigger language plpgsql as $$ begin \
                 if new.name = 'x' then raise 'no' using errcode = '{code}'; end if; return new; end $$; \
                 create trigger refuse before insert or update on jobs for each row execute function refuse()"
            ),
        )
        .await;
        execute(&office.desktop, "insert into jobs select i, case i when 3 then 'x' end, 'D' from generate_series(1, 9) i").await;
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "jobs")), [9, 8, 0, 0, 1], "{code} {report:?}");
        let reason = office.withheld().await.join(" ");
        assert!(reason.ends_with(expected), "{code} {reason}");
    }
}

/// A list that moves up by one while somebody else has the last place.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_chain_of_unique_values_is_judged_at_once() {
    let jobs = table("jobs", "id integer primary key, rank integer");
    let office = open(&jobs, &["jobs"], "alter table jobs add unique (rank)").await;
    let fill = "insert into jobs select i, i, 'D' from generate_series(1, 20000) i";
    execute(&office.desktop, fill).await;
    office.forward().await;
    execute(&office.desktop, "update jobs set rank = rank + 1, updated_at = now()").await;
    let report = office.forward().await;
    assert_eq!(of(&report, "jobs").updated, 20000, "{report:?}");
    execute(&office.cloud, "insert into jobs values (0, 20002, 'M')").await;
    office.configure(&format!("{NO_LAG}\nmax_withheld = 100000"));
    execute(&office.desktop, "update jobs set rank = rank + 1, updated_at = now()").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [20000, 0, 0, 0, 20000], "{report:?}");
    execute(&office.cloud, "update jobs set rank = -1 where id = 0").await;
    let report = office.forward().await;
    assert_eq!(report.exit_code(true), 0, "{report:?}");
    let ranks = "select string_agg(rank::text, ' ' order by id) from jobs where id > 0";
    office.same_on_both_ends(ranks).await;
    assert!(office.withheld().await.is_empty());
}

/// Full runs meet bad rows again, and the list says the same.
#[tokio::test(flavor = "multi_thread")]
async fn full_runs_leave_the_list_as_it_is() {
    let jobs = table(
        "jobs",
        "\"Na me\" text, no integer, name text, email text, primary key (\"Na me\", no)",
    );
    let office =
        open(&jobs, &["jobs"], &format!("alter table jobs {NO_X}, add unique (email, name)")).await;
    let fill = "insert into jobs select 'it''s \"' || i, i, case when i % 7 = 0 then 'x' else 'y' end, \
        case i when 3 then 'e1' when 5 then null else 'e' || i end, 'D' from generate_series(1, 20) i";
    execute(&office.desktop, fill).await;
    let list = "select string_agg(to_jsonb(w)::text, '' order by id) from tidegate._sync_withheld w \
        where reason = 'bad_value'";
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [20, 17, 0, 0, 3], "{report:?}");
    let before = value(&office.cloud, list).await;
    for _ in 0..2 {
        let report = office.forward_full().await;
        assert_eq!(counts(of(&report, "jobs")), [20, 0, 0, 17, 3], "{report:?}");
        assert_eq!(value(&office.cloud, list).await, before);
    }
    execute(&office.cloud, "alter table jobs drop constraint jobs_name_check").await;
    let report = office.forward().await;
    assert_eq!(of(&report, "jobs").inserted, 2, "{report:?}");
    execute(&office.desktop, "update jobs set email = 'free', updated_at = now() where no = 1")
        .await;
    office.forward().await;
    let report = office.forward().await;
    assert!(office.withheld().await.is_empty(), "{report:?} {:?}", office.withheld().await);
    office
        .same_on_both_ends("select concat_ws(' ', \"Na me\", email, name) from jobs order by no")
        .await;
}

/// A key that the source holds twice: its versions meet in one batch, one of them bad.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_versions_of_a_key_the_later_counts_though_one_is_bad() {
    let jobs = table("jobs", "id integer primary key, name text");
    for (names, left) in [(["x", "good"], 0), (["good", "x"], 1)] {
        for batch_rows in [50, 1] {
            let office = open(&jobs, &["jobs"], &format!("alter table jobs {NO_X}")).await;
            office.configure(&format!("{NO_LAG}\nbatch_rows = {batch_rows}"));
            let [first, second] = names;
            execute(&office.desktop, "alter table jobs drop constraint jobs_pkey").await;
            let fill = format!(
                "insert into jobs values (1, '{first}', 'D', now() - interval '2 days'), \
                (1, '{second}', 'D', now() - interval '1 day'), (2, 'x', 'D', now()), (3, 'y', 'D', now())"
            );
            execute(&office.desktop, &fill).await;
            let report = office.forward().await;
            sums(of(&report, "jobs"));
            assert_eq!(office.withheld().await.len(), 1 + left, "{names:?} {report:?}");
            execute(&office.cloud, "alter table jobs drop constraint jobs_name_check").await;
            let report = office.forward().await;
            sums(of(&report, "jobs"));
            assert!(office.withheld().await.is_empty(), "{report:?}");
            assert_eq!(value(&office.cloud, "select name from jobs where id = 1").await, second);
        }
    }
}

/// Somebody holds one row while another is bad; then he lets go.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_row_and_a_bad_one_are_told_apart() {
    let jobs = table("jobs", "id integer primary key, name text");
    let office = open(&jobs, &["jobs"], &format!("alter table jobs {NO_X}")).await;
    execute(&office.desktop, "insert into jobs select i, i, 'D' from generate_series(1, 9) i")
        .await;
    office.forward().await;
    let mobile = office.cloud_session().await;
    execute(
        &mobile,
        "begin; select from jobs where id = 4 for update; insert into jobs values (20, null, 'M')",
    )
    .await;
    execute(
        &office.desktop,
        "insert into jobs values (20, 'd', 'D'); \
        update jobs set name = case id when 6 then 'x' else 'z' end, updated_at = now()",
    )
    .await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [10, 0, 7, 0, 3], "{report:?}");
    assert_eq!(
        office.withheld().await,
        [r#"{"id": "20"} busy"#, r#"{"id": "4"} busy"#, r#"{"id": "6"} bad_value"#]
    );
    execute(&mobile, "commit").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [2, 0, 1, 0, 1], "{report:?}");
    assert_eq!(
        office.withheld().await,
        [r#"{"id": "20"} key_collision"#, r#"{"id": "6"} bad_value"#]
    );
}

/// Domains over domains, arrays of them, computed columns, a statement's trigger, one bad row each.
#[tokio::test(flavor = "multi_thread")]
async fn odd_types_refuse_single_rows() {
    let jobs = table("jobs", "id integer primary key, tags integer[]");
    let office = open(
        &jobs,
        &["jobs"],
        "create domain small as integer[] check (array_length(value, 1) < 4); \
         create domain smaller as small check (array_length(value, 1) < 3); \
         alter table jobs alter tags type smaller, add sum integer generated always as (tags[1] / tags[2]) stored; \
         create table bin (id integer); \
         create function refuse() returns trigger language plpgsql as $$ begin \
            if exists (select from new where id = 5) then raise 'no fives'; end if; return null; end $$; \
         create trigger refuse after insert on jobs referencing new table as new execute function refuse()",
    )
    .await;
    execute(&office.desktop, "insert into jobs select i, case i when 2 then '{1,2,3}' when 3 then '{1,2,3,4}' when 4 then '{1,0}'::integer[] else array[i, 1] end, 'D' from generate_series(1, 9) i").await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [9, 5, 0, 0, 4], "{report:?}");
    // What the lowest domain allows is noticed.
    let small = "alter domain small drop constraint small_check";
    execute(&office.cloud, small).await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [4, 0, 0, 0, 4]);
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5]);
}

/// The second row is edited after the run that withheld the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_swap_over_two_runs_arrives() {
    let jobs = table("jobs", "id integer primary key, rank integer, name text");
    let cloud = format!("alter table jobs {NO_X}, add unique (rank)");
    let office = open(&jobs, &["jobs"], &cloud).await;
    let fill = "insert into jobs select i, i, null, 'D' from generate_series(1, 9) i";
    execute(&office.desktop, fill).await;
    office.forward().await;
    execute(&office.desktop, "update jobs set rank = 2, updated_at = now() where id = 1").await;
    assert_eq!(counts(of(&office.forward().await, "jobs")), [1, 0, 0, 0, 1]);
    // Beside it a row that a value refuses, and one that stands in the way for good.
    let edit = "update jobs set rank = 1, updated_at = now() where id = 2; \
        update jobs set name = 'x', updated_at = now() where id = 5; \
        update jobs set rank = 4, updated_at = now() where id = 3";
    execute(&office.desktop, edit).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "jobs")), [4, 0, 2, 0, 2], "{report:?}");
    assert_eq!(office.withheld().await, [r#"{"id": "3"} unique"#, r#"{"id": "5"} bad_value"#]);
    assert_eq!(counts(of(&office.forward().await, "jobs")), [0; 5], "quiet");
}

/// Its mark takes a while, and a run looks at every table.
#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_only_looked_at_where_a_row_was_refused() {
    let jobs = table("jobs", "id integer primary key, name text");
    let tracked = [("track_functions", "all")];
    let office = Office::with_settings(&jobs, &["jobs"], &tracked).await;
    execute(&office.cloud, &format!("alter table jobs {NO_X}")).await;
    office.configure(NO_LAG);
    execute(&office.desktop, "insert into jobs values (1, null, 'D')").await;
    let calls = "select coalesce(sum(calls), 0)::text from pg_stat_user_functions \
        where funcname = '_sync_definition'";
    for _ in 0..2 {
        office.forward().await;
        office.until_no_session("counters").await;
        assert_eq!(value(&office.cloud, calls).await, "0");
    }
    execute(&office.desktop, "insert into jobs values (2, 'x', 'D', now())").await;
    office.forward().await;
    office.until_no_session("counters").await;
    assert_ne!(value(&office.cloud, calls).await, "0");
}
