//! SQL Server's values in PostgreSQL: what is encoded is what PostgreSQL prints and sends back.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, TryStreamExt};
use tidegate::db::sqlserver::types::{Value, decode, encode, parse, text};
use tidegate::demo::Cluster;
use tidegate::model::types::{Fit, Form, PgType, SqlType};
use tokio_postgres::Client;

use super::samples::{self, types, values};
use crate::support::{Dice, column, connect, long, seed};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Columns of every form, wide and narrow.
fn columns() -> Vec<PgType> {
    let numeric = |precision: i32, scale: i32| ((precision << 16) | scale) + 4;
    let mut columns: Vec<PgType> =
        Form::ALL.map(|form| PgType { oid: form.oid(), typmod: -1 }).to_vec();
    for (oid, typmod) in [
        (1700, numeric(5, 2)),
        (1700, numeric(10, 4)),
        (1700, numeric(50, 40)),
        (1042, 14),
        (1043, 9),
        (1083, 3),
        (1114, 0),
        (1114, 3),
        (1184, 3),
    ] {
        columns.push(PgType { oid, typmod });
    }
    columns.extend(types().into_iter().map(SqlType::travels_as));
    columns.dedup();
    columns
}

async fn database() -> (Cluster, Client) {
    let cluster = Cluster::start("test", &[("timezone", "UTC"), ("fsync", "off")]).unwrap();
    let client = connect(&cluster.url("postgres")).await;
    (cluster, client)
}

/// A COPY of one column of these fields; `Err` has the SQLSTATE.
async fn copy_in(client: &Client, fields: &[BytesMut]) -> Result<(), String> {
    let mut rows = BytesMut::from(SIGNATURE);
    for (number, field) in (0..).zip(fields) {
        rows.put_i16(2);
        rows.put_i32(4);
        rows.put_i32(number);
        rows.put_slice(field);
    }
    rows.put_i16(-1);
    let sink = client.copy_in::<_, Bytes>("copy v from stdin binary").await.unwrap();
    let mut sink = pin!(sink);
    sink.send(rows.freeze()).await.unwrap();
    let copied = sink.finish().await;
    copied.map(drop).map_err(|e| e.code().unwrap().code().to_owned())
}

/// The fields as PostgreSQL sends them.
async fn copy_out(client: &Client) -> Vec<Option<Vec<u8>>> {
    let query = "copy (select v from v order by n) to stdout binary";
    let stream = client.copy_out(query).await.unwrap();
    let rows: Vec<Bytes> = stream.try_collect().await.unwrap();
    let all = rows.concat();
    let (mut rest, mut fields) = (&all[SIGNATURE.len()..], Vec::new());
    while rest[..2] != [0xff, 0xff] {
        let length = i32::from_be_bytes(rest[2..6].try_into().unwrap());
        rest = &rest[6..];
        fields.push(usize::try_from(length).ok().map(|length| rest[..length].to_vec()));
        rest = &rest[length.max(0) as usize..];
    }
    fields
}

async fn make(client: &Client, column: PgType) {
    let declaration = column.declaration().unwrap();
    let make = format!(
        "drop table if exists v; create unlogged table v (n integer, v {declaration}); \
         set timezone = 'UTC'"
    );
    client.batch_execute(&make).await.unwrap();
    let query = "select format_type(atttypid, atttypmod) from pg_attribute \
                 where attrelid = 'v'::regclass and attname = 'v'";
    assert_eq!(self::column(client, query, &[]).await, [declaration]);
}

fn field(value: &Value<'_>, column: PgType) -> Option<BytesMut> {
    let mut out = BytesMut::new();
    encode(value, column.form().unwrap(), column.typmod, &mut out).ok()?;
    Some(out)
}

/// The value without what the column's fit says that it loses.
fn kept<'a>(value: &Value<'a>, fit: Fit) -> Value<'a> {
    match (value.clone(), fit) {
        (Value::Time(ticks), Fit::Lossy(_)) => Value::Time(ticks - ticks % 10),
        (Value::DateTime(ticks), Fit::Lossy(_)) => Value::DateTime(ticks - ticks % 10),
        (Value::DateTimeOffset { utc, .. }, Fit::Lossy(_)) => {
            Value::DateTimeOffset { utc: utc - utc % 10, offset: 0 }
        }
        (value, _) => value,
    }
}

/// A stamp without a zone is one of UTC here.
fn sent(value: &Value<'static>, form: Form) -> Value<'static> {
    match (value, form) {
        (Value::DateTime(utc), Form::Timestamptz) => Value::DateTimeOffset { utc: *utc, offset: 0 },
        (value, _) => value.clone(),
    }
}

fn received(value: Value<'_>, of: SqlType) -> Value<'_> {
    match (value, of) {
        (value, SqlType::DateTimeOffset { .. }) => value,
        (Value::DateTimeOffset { utc, .. }, _) => Value::DateTime(utc),
        (value, _) => value,
    }
}

/// All of it for values that the column holds already.
async fn agrees(client: &Client, of: SqlType, column: PgType, values: &[Value<'static>]) {
    let (form, fit) = (column.form().unwrap(), of.fits(column));
    let printed: Vec<String> = self::column(client, "select v::text from v order by n", &[]).await;
    let fields = copy_out(client).await;
    assert_eq!(fields.len(), values.len());
    for ((value, printed), field) in values.iter().zip(printed).zip(fields) {
        let context = format!("{of:?} as {column:?}, printed {printed:?}");
        let decoded = decode(field.as_deref(), form).unwrap();
        let ours = text(&sent(value, form), form, column.typmod).unwrap();
        if matches!(value, Value::Text(_)) && matches!(fit, Fit::Lossy(_)) {
            assert_eq!(ours.unwrap().trim_end_matches(' '), printed, "{context}");
            continue;
        }
        assert_eq!(ours.as_deref().unwrap_or("null"), printed, "{context}");
        if let Some(ours) = &ours {
            let padded = column.oid == 1042;
            assert!(padded || parse(ours, form).unwrap() == decoded, "{context}");
        }
        let held = received(decoded, of).fit(of).unwrap_or_else(|e| panic!("{context}: {e}"));
        assert!(held == kept(value, fit), "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_values_arrive_and_come_back_as_they_were() {
    let seed = seed().unwrap_or(20_260_203);
    let mut dice = Dice::new(seed);
    let more = if long() { 20_000 } else { 300 };
    let (_cluster, client) = database().await;
    let mut tried = 0;
    for of in types() {
        for column in columns() {
            if !matches!(of.fits(column), Fit::Exact | Fit::Lossy(_)) {
                continue;
            }
            make(&client, column).await;
            let values = values(of, more, &mut dice);
            let form = column.form().unwrap();
            let fields = values.iter().map(|v| field(&sent(v, form), column));
            let fields: Option<Vec<BytesMut>> = fields.collect();
            let fields = fields.unwrap_or_else(|| panic!("{of:?} as {column:?} is refused"));
            let copied = copy_in(&client, &fields).await;
            assert_eq!(copied, Ok(()), "{of:?} as {column:?}, seed {seed}");
            agrees(&client, of, column, &values).await;
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_values_of_narrow_columns_are_refused_or_kept() {
    let mut dice = Dice::new(seed().unwrap_or(20_260_203));
    let (_cluster, client) = database().await;
    let (mut refused, mut kept) = (0, 0);
    for of in types() {
        for column in columns().into_iter().filter(|column| of.fits(*column) == Fit::Checked) {
            make(&client, column).await;
            for value in values(of, 6, &mut dice) {
                client.batch_execute("truncate v").await.unwrap();
                let Some(field) = field(&value, column) else {
                    refused += 1;
                    continue;
                };
                match copy_in(&client, &[field]).await {
                    Ok(()) => agrees(&client, of, column, &[value]).await,
                    Err(code) => assert!(code.starts_with("22"), "{of:?} as {column:?}: {code}"),
                }
                kept += 1;
            }
        }
    }
    assert!(refused > 50 && kept > 50, "{refused} {kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn v01_a_text_that_postgresql_does_not_hold_is_refused_by_it() {
    let (_cluster, client) = database().await;
    let column = PgType { oid: 25, typmod: -1 };
    make(&client, column).await;
    // U+0000, and each half of a pair as SQL Server keeps it.
    for bytes in [b"a\0b".as_slice(), b"a\xed\xa0\x80b", b"\xed\xbf\xbf"] {
        let value = Value::Text(bytes.into());
        let field = field(&value, column).unwrap();
        assert_eq!(copy_in(&client, &[field]).await, Err("22021".to_owned()));
        assert!(bytes[1] == 0 || text(&value, Form::Text, -1).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_blanks_postgresql_would_cut_is_refused() {
    let (_cluster, client) = database().await;
    let (varchar_3, unlimited) =
        (PgType { oid: 1043, typmod: 7 }, PgType { oid: 1043, typmod: -1 });
    make(&client, varchar_3).await;
    for (words, fits) in [("ab ", true), ("東🙂 ", true), ("ab  ", false), ("東🙂  ", false)]
    {
        let value = samples::text(words);
        assert_eq!(field(&value, varchar_3).is_some(), fits, "{words:?}");
        client.batch_execute("truncate v").await.unwrap();
        copy_in(&client, &[field(&value, unlimited).unwrap()]).await.unwrap();
        let kept = column(&client, "select v from v", &[]).await;
        assert_eq!(kept == [words], fits, "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_postgresql_holds_is_refused_on_the_way_back() {
    let (_cluster, client) = database().await;
    for (declaration, values) in [
        ("numeric", "'NaN', 'Infinity', '-Infinity', 1e38, 1e-39, -1e200"),
        ("double precision", "'NaN', 'Infinity', '-Infinity'"),
        ("real", "'NaN', 'Infinity', '-Infinity'"),
        ("date", "'infinity', '-infinity', '0001-12-31 BC', '10000-01-01'"),
        ("timestamp", "'infinity', '-infinity', '0001-12-31 BC', '10000-01-01'"),
        ("timestamptz", "'infinity', '-infinity', '0001-12-30 BC', '10000-01-02'"),
        ("time", "'24:00'"),
    ] {
        let make = format!(
            "drop table if exists v; create table v (n serial, v {declaration}); \
             set timezone = 'UTC'; insert into v (v) select unnest(array[{values}]::{declaration}[])"
        );
        client.batch_execute(&make).await.unwrap();
        let oid = format!("select '{declaration}'::regtype::oid::text");
        let form = Form::of(column(&client, &oid, &[]).await[0].parse().unwrap()).unwrap();
        let printed = column(&client, "select v::text from v order by n", &[]).await;
        for (field, printed) in copy_out(&client).await.into_iter().zip(printed) {
            assert!(decode(field.as_deref(), form).is_err(), "{printed}");
            assert!(parse(&printed, form).is_err(), "{printed}");
        }
    }
}

#[test]
fn random_cells_of_the_driver_come_back() {
    let mut dice = Dice::new(seed().unwrap_or(20_260_203));
    for of in types() {
        for value in values(of, 1_000, &mut dice) {
            assert!(value.clone().fit(of).as_ref() == Ok(&value), "{of:?}");
            let cell = value.clone().into_column_data(of).unwrap();
            assert!(Value::read(&cell, of).unwrap() == value, "{of:?}");
        }
    }
}
