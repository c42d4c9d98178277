//! Values come over as they are, whether they travel as bytes or as text.

use super::{OLD, execute};
use crate::support::{Office, column, counts, of};

/// Types with values that are easily damaged; each also holds NULL.
const TYPES: &[(&str, &[&str])] = &[
    ("smallint", &["-32768", "0"]),
    ("integer", &["2147483647", "-1"]),
    ("bigint", &["9223372036854775807", "-9223372036854775808"]),
    ("numeric", &["'NaN'", "'Infinity'", "1.500", "1e-20", "123456789012345678901234567890.1"]),
    ("numeric(10, 2)", &["1.5", "-99999999.99"]),
    ("numeric(30, 15)", &["0.000000000000001"]),
    ("real", &["1.1", "'-Infinity'", "'NaN'", "-0.0"]),
    ("double precision", &["0.1", "1e308", "5e-324"]),
    ("money", &["12.34", "-92233720368547758.08"]),
    ("boolean", &["true", "false"]),
    (
        "text",
        &[
            "''",
            "' '",
            "'null'",
            r"'\N'",
            r"'\.'",
            r"E'a\tb\nc\r\\d'",
            "'ä€😀'",
            "repeat('x', 100000)",
        ],
    ),
    ("varchar(12)", &["'abc '", "''"]),
    ("char(6)", &["'ab'", "''"]),
    ("\"char\"", &["'x'"]),
    ("name", &["'a name'"]),
    ("bytea", &["''", r"'\x00ff5c4e0a'", "decode(repeat('00ff', 5000), 'hex')"]),
    ("uuid", &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
    ("date", &["'infinity'", "'0044-03-15 BC'", "'9999-12-31'", "'2026-02-03'"]),
    ("time", &["'24:00:00'", "'00:00:00.000001'"]),
    ("time(0) with time zone", &["'12:34:56+05:30'"]),
    ("timestamp", &["'-infinity'", "'2026-10-25 01:30:00.123456'", "'0044-03-15 BC'"]),
    ("timestamptz", &["'infinity'", "'2026-10-25 01:30:00.123456+01'", "'0001-01-01 BC'"]),
    ("timestamptz(3)", &["'2026-01-02 03:04:05.678'"]),
    ("interval", &["'-1 mon +2 days -03:04:05.6'", "'1 year 2 mons 3 days'", "'-00:00:01'"]),
    ("interval day to second(2)", &["'1 02:03:04.56'"]),
    ("json", &[r#"'{"a": 1,  "a":2}'"#, "'null'", r#"'"\\u00e4\\n"'"#]),
    ("jsonb", &[r#"'{"b": [1.50, null, "x"], "a": {}}'"#, "'null'"]),
    ("xml", &["'<a b=\"1\">x &amp; y</a>'", "'text'"]),
    ("int4range", &["'[1,5)'", "'empty'", "'(,)'"]),
    ("tstzrange", &["'[2026-01-01 00:00+00,infinity)'"]),
    ("int4multirange", &["'{[1,2),[5,9)}'", "'{}'"]),
    ("integer[]", &["'{}'", "'{1,NULL,3}'", "'[0:1][2:3]={{1,2},{3,4}}'"]),
    ("text[]", &[r#"'{"a,b","\"q\"",NULL,"NULL",""}'"#]),
    ("numeric(6, 2)[]", &["'{1.5,NULL}'"]),
    ("varchar(5)[]", &["'{abc,\"\"}'"]),
    ("inet", &["'192.168.0.1/24'", "'::1'"]),
    ("cidr", &["'10.0.0.0/8'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("bit(5)", &["B'10101'"]),
    ("varbit(9)", &["B'101'", "B''"]),
    ("point", &["'(1.5,-2)'"]),
    ("path", &["'[(0,0),(1,1)]'"]),
    ("tsvector", &["'fat:1A cat:2'"]),
    ("tsquery", &["'fat & !cat'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("jsonpath", &["'$.a[*] ? (@ > 1)'"]),
    ("regclass", &["'pg_class'"]),
    ("mood", &["'so so'", "'it''s'"]),
    ("mood[]", &["'{\"so so\",NULL}'"]),
    ("email", &["'a@b'"]),
    ("price", &["1.5"]),
    ("email[]", &["'{a@b,NULL}'"]),
    ("address", &["row('a \"b\", c', null)"]),
    ("moods", &["'[\"so so\",\"it''s\"]'"]),
    ("citext", &["'MiXed'"]),
    ("hstore", &[r#"'"a b"=>"c\"d", e=>NULL'"#]),
];

/// Types of the office's own: their object identifiers differ at the two ends.
const OWN_TYPES: &str = "
    create extension citext; create extension hstore;
    create type mood as enum ('so so', 'it''s');
    create domain email as varchar(20) check (value like '%@%');
    create domain price as numeric(10, 3);
    create type address as (street text, no integer);
    create type moods as range (subtype = mood);";

const STAMPS: &str =
    "id integer primary key, source text, created_at timestamptz, updated_at timestamptz";

/// Settings under which text looks different at the two ends.
const HABITS: &str = "
    alter database desktop set datestyle = 'SQL, DMY'; alter database desktop set timezone = 'Asia/Tokyo';
    alter database desktop set intervalstyle = 'iso_8601'; alter database desktop set bytea_output = 'escape';
    alter database desktop set extra_float_digits = -5;
    alter database cloud set datestyle = 'German'; alter database cloud set timezone = 'America/New_York';
    alter database cloud set intervalstyle = 'sql_standard'; alter database cloud set extra_float_digits = -5;";

fn table(name: &str, type_of: impl Fn(&str) -> String) -> String {
    let columns = TYPES.iter().enumerate().map(|(i, (t, _))| format!(", c{i} {}", type_of(t)));
    format!("create table {name} ({STAMPS}{});", columns.collect::<String>())
}

/// As many rows as the longest list has values, and one of NULLs.
fn fill(name: &str, as_text: bool) -> String {
    let longest = TYPES.iter().map(|(_, values)| values.len()).max().unwrap();
    let rows = (0..=longest).map(|row| {
        let value = |(type_name, values): &(&str, &[&str])| match values.get(row) {
            Some(value) if as_text => format!(", (({value})::{type_name})::text"),
            Some(value) => format!(", ({value})::{type_name}"),
            None => ", null".to_owned(),
        };
        let values: String = TYPES.iter().map(value).collect();
        format!("insert into {name} select {row}, 'D', {OLD}, {OLD}{values};")
    });
    rows.collect()
}

/// `straight` has the same types at both ends; `read_text` and `write_text` have text at one end.
async fn office() -> Office {
    let office = Office::open(OWN_TYPES, &["straight", "write_text", "read_text"]).await;
    let typed = |t: &str| t.to_owned();
    let text = |_: &str| "text".to_owned();
    for (client, read, write) in [
        (&office.desktop, table("read_text", text), table("write_text", typed)),
        (&office.cloud, table("read_text", typed), table("write_text", text)),
    ] {
        execute(client, &table("straight", typed)).await;
        execute(client, &read).await;
        execute(client, &write).await;
    }
    for (name, as_text) in [("straight", false), ("write_text", false), ("read_text", true)] {
        execute(&office.desktop, &fill(name, as_text)).await;
    }
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn v10_values_of_every_type_come_over_as_they_are() {
    let office = office().await;
    execute(&office.desktop, HABITS).await;
    let report = office.forward().await;
    super::adds_up(&report);
    assert_eq!(report.exit_code(true), 0, "{report:?}");
    for name in ["straight", "write_text", "read_text"] {
        for (i, (type_name, _)) in TYPES.iter().enumerate() {
            let query = format!("select c{i}::text from {name} order by id");
            let desktop = column(&office.desktop, &query, &[]).await;
            let cloud = column(&office.cloud, &query, &[]).await;
            assert_eq!(desktop, cloud, "{type_name} in {name}");
        }
    }
    // What is there is recognised.
    let report = office.forward_full().await;
    for table in &report.tables {
        assert_eq!([table.read, table.unchanged], [table.read; 2], "{table:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v03_copy_escapes_and_v04_empty_vs_null() {
    let schema = format!("create table t ({STAMPS}, a text, b varchar(40), c bytea, d jsonb);");
    let office = Office::open(&schema, &["t"]).await;
    // The cloud's b is wider, so that it travels as text.
    execute(&office.cloud, "alter table t alter b type varchar(50)").await;
    let strange = [
        "null",
        "''",
        "' '",
        r"'\N'",
        r"'\.'",
        r"'\\.'",
        r"E'\t'",
        r"E'a\nb'",
        r"E'\r\n'",
        r"'\'",
        "'\"'",
        "'NULL'",
        r"E'\x01\x7f'",
        "'{\"\"}'",
        "'$$'",
        "'{{k}}'",
        "'%s'",
        "E'\u{feff}\u{2028}'",
    ];
    for (id, value) in strange.iter().enumerate() {
        let row = format!(
            "insert into t select {id}, 'D', {OLD}, {OLD}, v, v, convert_to(v, 'UTF8'), to_jsonb(v)
             from (select {value}::text as v) x"
        );
        execute(&office.desktop, &row).await;
    }
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "t"))[1], strange.len() as u64, "{report:?}");
    let all = "select to_jsonb(t)::text from t order by id";
    office.same_on_both_ends(all).await;
    // From NULL to empty and back is a change.
    let swap = "update t set a = case when id = 0 then '' end, b = case when id = 0 then '' end,
         c = case when id = 0 then ''::bytea end, updated_at = now() where id < 2";
    execute(&office.desktop, swap).await;
    let report = office.forward().await;
    assert_eq!(counts(of(&report, "t")), [2, 0, 2, 0, 0]);
    office.same_on_both_ends(all).await;
}
