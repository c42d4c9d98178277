//! Whatever a table is made of, its users write, and the log tells of it.

use super::{entries, taken};
use crate::support::{Office, value};

/// A table of each kind of type; PostgreSQL's own contrib modules stand for extensions.
const ODD: &str = "
    create extension hstore;
    create type mood as enum ('sad', 'merry');
    create domain positive as integer check (value > 0);
    create type pair as (a integer, b text);
    create type bag as (h hstore);
    create table odd (
        id integer primary key, source text, updated_at timestamptz, twice integer generated always as (id * 2) stored,
        j json, b jsonb, h hstore, hs hstore[], bag bag, m mood, p positive, c pair, cs pair[], a integer[][],
        n numeric, f float8, pt point, x xml, r tsrange, raw bytea, padded char(5),
        t text, s text, logged text, old text, new text, \"Quoted \"\"name\" text
    );";

const ROW: &str = r#"insert into odd values (1, 'M', '2026-01-02 03:04:05.678901+00', default,
    '{"b": 1,  "a": [1, "x\\u0041"]}', '{"a": [1, null]}', 'a=>1, b=>NULL', array['x=>y'::hstore], row('k=>v'::hstore),
    'merry', 3, row(1, 'x"y'), array[row(1, 'x,y')::pair], '{{1,2},{3,null}}', 1.50, 'NaN', '(1,2)', '<a>b</a>',
    '[2020-01-01,infinity)', '\x00ff', 'ab', E'line\n"\\', '\u0000', 'l', 'o', 'n', 'q')"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_back_as_it_was() {
    let office = Office::open(ODD, &["odd"]).await;
    office.cloud.batch_execute(ROW).await.unwrap();
    office.cloud.batch_execute("create table before as table odd").await.unwrap();
    office.cloud.batch_execute("update odd set t = 'later'").await.unwrap();
    let same = "select (whole::text = (select kept::text from before kept))::text \
                from tidegate._sync_changes, json_populate_record(null::odd, old) whole \
                where operation = 'update'";
    assert_eq!(value(&office.cloud, same).await, "true");
}

/// A column of type json may hold what no text can.
#[tokio::test(flavor = "multi_thread")]
async fn a_null_character_in_json_fails_no_write() {
    let schema = "create table notes (id integer primary key, source text, updated_at timestamptz, \
                  doc json, plain text);";
    let office = Office::open(schema, &["notes"]).await;
    let work = r#"insert into notes values (1, 'M', null, '["\u0000", "\\u0000", "\\\u0000"]', '\u0000');
                  update notes set source = 'D'; delete from notes"#;
    office.cloud.batch_execute(work).await.unwrap();
    let read = "select concat(r.doc, ' ', r.plain) from tidegate._sync_changes, \
                json_populate_record(null::notes, old) r where operation = 'delete'";
    let expected = r#"["\ufffd", "\\u0000", "\\\ufffd"] \u0000"#;
    assert_eq!(value(&office.cloud, read).await, expected);
    assert_eq!(entries(&office.cloud).await[1], r#"notes marked {"id": "1"} → D"#);
}

/// The trigger knows the names of the day that it was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_renamed_is_noted_by_its_new_name() {
    let schema = "create table t (a integer, b text, source text, updated_at timestamptz, primary key (a, b));";
    let office = Office::open(schema, &["t"]).await;
    office.cloud.batch_execute("alter table t rename b to \"B b\"").await.unwrap();
    let work = "insert into t values (1, 'x', 'M'); update t set source = 'D'; delete from t";
    office.cloud.batch_execute(work).await.unwrap();
    let expected = [
        r#"t insert {"a": "1", "B b": "x"} → M"#,
        r#"t marked {"a": "1", "B b": "x"} → D"#,
        r#"t delete {"a": "1", "B b": "x"}"#,
    ];
    assert_eq!(taken(&office.cloud).await, expected);
    // Not even a table without a key and an owner keeps its users waiting.
    let bare = "alter table t drop constraint t_pkey, drop column source; insert into t values (2, 'y'); \
                update t set a = 3; delete from t; insert into t values (2, 'y'); truncate t";
    office.cloud.batch_execute(bare).await.unwrap();
}

/// Keys longer than an index page, and a key whose text JSON writes otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_noted_by_their_text() {
    let schema = "create table t (k text primary key, source text, updated_at timestamptz);
                  create table u (c char(5), at timestamp, ip inet, source text, updated_at timestamptz,
                                  primary key (c, at, ip));";
    let office = Office::open(schema, &["t", "u"]).await;
    // An index of ours must not refuse what the table's own, of hashes, takes.
    let long = "alter table t drop constraint t_pkey; \
                insert into t select string_agg(md5(g::text), ''), 'M' from generate_series(1, 3000) g";
    office.cloud.batch_execute(long).await.unwrap();
    taken(&office.cloud).await;
    let unusual = "insert into u values ('ab', '2026-01-02 03:04:05', '10.0.0.1', 'M')";
    office.cloud.batch_execute(unusual).await.unwrap();
    let same = "select (key = (select jsonb_build_object('c', c::text, 'at', at::text, 'ip', ip::text) from u))::text \
                from tidegate._sync_changes";
    assert_eq!(value(&office.cloud, same).await, "true");
}

/// An extension's cast to JSON that fails is not the user's fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_cast_that_fails_fails_no_write() {
    let schema = "create table t (id integer primary key, source text, updated_at timestamptz);";
    let office = Office::open(schema, &["t"]).await;
    // Later than the trigger, which else would know it.
    let cast = "create type broken as enum ('a'); \
                create function refuse(broken) returns json language plpgsql as \
                $$ begin raise exception 'no'; end $$; \
                create cast (broken as json) with function refuse(broken); \
                alter table t add column x broken";
    office.cloud.batch_execute(cast).await.unwrap();
    let work = "insert into t values (1, 'M', null, 'a'); update t set source = 'D'; delete from t";
    office.cloud.batch_execute(work).await.unwrap();
    let query = "select old::text from tidegate._sync_changes where operation = 'delete'";
    assert_eq!(value(&office.cloud, query).await, r#"{"id":"1","source":"D"}"#);
    assert_eq!(taken(&office.cloud).await.len(), 3);
}
