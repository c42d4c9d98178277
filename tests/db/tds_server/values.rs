//! Every type both ways: by parameters, by literals, by bulk load, and NULL.

use tiberius::time::{Date, DateTime2, DateTimeOffset, Time};
use tiberius::{ColumnData, IntoRow, SqlBulkCopyOption, TokenRow};

use super::support::{Client, Desktop, rows, run};

/// A column's type, an edge value of it as T-SQL writes it, and as the driver sees that.
const VALUES: [(&str, &str, &str); 40] = [
    ("bit", "1", "Bit(Some(true))"),
    ("tinyint", "255", "U8(Some(255))"),
    ("smallint", "-32768", "I16(Some(-32768))"),
    ("int", "-2147483648", "I32(Some(-2147483648))"),
    ("bigint", "9223372036854775807", "I64(Some(9223372036854775807))"),
    ("real", "1.5", "F32(Some(1.5))"),
    ("float", "-1.7976931348623157e308", "F64(Some(-1.7976931348623157e308))"),
    ("decimal(1, 0)", "-9", "Numeric(Some(-9.0))"),
    (
        "decimal(38, 0)",
        "99999999999999999999999999999999999999",
        "Numeric(Some(99999999999999999999999999999999999999.0))",
    ),
    (
        "numeric(38, 38)",
        "-0.00000000000000000000000000000000000001",
        "Numeric(Some(-0.00000000000000000000000000000000000001))",
    ),
    ("decimal(19, 4)", "-922337203685477.5808", "Numeric(Some(-922337203685477.5808))"),
    ("money", "1234567890.1234", "F64(Some(1234567890.1234))"),
    ("smallmoney", "-214748.3648", "F64(Some(-214748.3648))"),
    (
        "uniqueidentifier",
        "'00112233-4455-6677-8899-AABBCCDDEEFF'",
        "Guid(Some(00112233-4455-6677-8899-aabbccddeeff))",
    ),
    ("nvarchar(10)", "N'né 😀'", "String(Some(\"né 😀\"))"),
    ("nvarchar(max)", "N''", "String(Some(\"\"))"),
    ("nchar(3)", "N'é'", "String(Some(\"é  \"))"),
    ("varchar(10)", "'€uro'", "String(Some(\"€uro\"))"),
    ("varchar(max)", "'ß'", "String(Some(\"ß\"))"),
    ("char(3)", "'a'", "String(Some(\"a  \"))"),
    ("varbinary(4)", "0x00FF", "Binary(Some([0, 255]))"),
    ("varbinary(max)", "0x", "Binary(Some([]))"),
    ("binary(3)", "0x01", "Binary(Some([1, 0, 0]))"),
    ("date", "'0001-01-01'", "Date(Some(Date(0)))"),
    ("date", "'9999-12-31'", "Date(Some(Date(3652058)))"),
    ("time(7)", "'23:59:59.9999999'", "Time(Some(Time { increments: 863999999999, scale: 7 }))"),
    ("time(0)", "'23:59:58'", "Time(Some(Time { increments: 86398, scale: 0 }))"),
    (
        "datetime",
        "'1753-01-01T00:00:00.003'",
        "DateTime(Some(DateTime { days: -53690, seconds_fragments: 1 }))",
    ),
    (
        "datetime",
        "'9999-12-31T23:59:59.997'",
        "DateTime(Some(DateTime { days: 2958463, seconds_fragments: 25919999 }))",
    ),
    (
        "smalldatetime",
        "'2079-06-06T23:59:00'",
        "SmallDateTime(Some(SmallDateTime { days: 65535, seconds_fragments: 1439 }))",
    ),
    (
        "datetime2(7)",
        "'0001-01-01T00:00:00.0000001'",
        "DateTime2(Some(DateTime2 { date: Date(0), time: Time { increments: 1, scale: 7 } }))",
    ),
    (
        "datetime2(7)",
        "'9999-12-31T23:59:59.9999999'",
        "DateTime2(Some(DateTime2 { date: Date(3652058), time: Time { increments: 863999999999, \
         scale: 7 } }))",
    ),
    (
        "datetime2(3)",
        "'2026-02-03T04:05:06.7894'",
        "DateTime2(Some(DateTime2 { date: Date(739649), time: Time { increments: 14706789, \
         scale: 3 } }))",
    ),
    (
        "datetime2(0)",
        "'2026-02-03T04:05:06.5'",
        "DateTime2(Some(DateTime2 { date: Date(739649), time: Time { increments: 14707, \
         scale: 0 } }))",
    ),
    (
        "datetimeoffset(7)",
        "'2026-02-03T04:05:06.1234567+05:30'",
        "DateTimeOffset(Some(DateTimeOffset { datetime2: DateTime2 { date: Date(739648), time: \
         Time { increments: 813061234567, scale: 7 } }, offset: 330 }))",
    ),
    (
        "datetimeoffset(0)",
        "'2026-02-03T04:05:06-14:00'",
        "DateTimeOffset(Some(DateTimeOffset { datetime2: DateTime2 { date: Date(739649), time: \
         Time { increments: 65106, scale: 0 } }, offset: -840 }))",
    ),
    ("xml", "N'<a>é</a>'", "Xml(Some(XmlData { data: \"<a>é</a>\", schema: None }))"),
    ("text", "'t'", "String(Some(\"t\"))"),
    ("ntext", "N'✓'", "String(Some(\"✓\"))"),
    ("sysname", "N'n'", "String(Some(\"n\"))"),
];

/// A table with a column for each, called `c0`, `c1`, …
async fn table(client: &mut Client, name: &str) {
    let columns = VALUES.iter().enumerate();
    let columns = columns.map(|(place, (kind, _, _))| format!("[c{place}] {kind} NULL"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    run(client, &format!("CREATE TABLE {name} ([id] int NOT NULL, {columns})")).await;
}

/// The row of that number, and that of NULLs, are as they must be.
async fn assert_all(client: &mut Client, name: &str, row: i32) {
    let query = format!("SELECT * FROM {name} WHERE [id] = @P1");
    let found = client.query(&query, &[&row]).await.unwrap().into_row().await.unwrap().unwrap();
    for ((_, data), (kind, _, wanted)) in found.cells().skip(1).zip(VALUES) {
        assert_eq!(format!("{data:?}"), wanted, "{kind}");
    }
    let none = client.query(&query, &[&0i32]).await.unwrap().into_row().await.unwrap().unwrap();
    for ((_, data), (kind, _, _)) in none.cells().skip(1).zip(VALUES) {
        assert!(format!("{data:?}").ends_with("(None)"), "{kind}: {data:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_from_literals() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    table(&mut client, "[dbo].[t]").await;
    let literals = VALUES.map(|(_, literal, _)| literal).join(", ");
    run(&mut client, &format!("INSERT INTO [dbo].[t] VALUES (1, {literals})")).await;
    run(&mut client, "INSERT INTO [dbo].[t] ([id]) VALUES (0)").await;
    assert_all(&mut client, "[dbo].[t]", 1).await;
    // Also from a cast, and through a temporary table.
    let casts = VALUES.map(|(kind, literal, _)| format!("CAST({literal} AS {kind})"));
    for (cast, (kind, _, wanted)) in casts.iter().zip(VALUES) {
        if matches!(kind, "money" | "smallmoney" | "datetime" | "smalldatetime" | "tinyint" | "xml")
        {
            // The domain of an expression is lost.
            continue;
        }
        let results = client.simple_query(format!("SELECT {cast}")).await.unwrap();
        let row = results.into_row().await.unwrap().unwrap();
        assert_eq!(format!("{:?}", row.cells().next().unwrap().1), wanted, "{kind}");
    }
    run(&mut client, "SELECT * INTO #t FROM [dbo].[t]").await;
    assert_all(&mut client, "#t", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_goes_through_a_bulk_load() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    table(&mut client, "[dbo].[t]").await;
    let literals = VALUES.map(|(_, literal, _)| literal).join(", ");
    run(&mut client, &format!("INSERT INTO [dbo].[t] VALUES (1, {literals})")).await;
    run(&mut client, "INSERT INTO [dbo].[t] ([id]) VALUES (0)").await;
    let read = client.simple_query("SELECT * FROM [dbo].[t] ORDER BY [id]").await.unwrap();
    let read: Vec<Vec<ColumnData<'static>>> = read
        .into_first_result()
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.into_iter().collect())
        .collect();
    run(&mut client, "SELECT TOP (0) * INTO #t FROM [dbo].[t]").await;
    let mut load = client.bulk_insert("#t").await.unwrap();
    for row in read {
        let mut token = TokenRow::new();
        row.into_iter().for_each(|data| token.push(data));
        load.send(token).await.unwrap();
    }
    assert_eq!(load.finalize().await.unwrap().total(), 2);
    assert_all(&mut client, "#t", 1).await;
}

/// A parameter as the wire has it.
struct Sent(ColumnData<'static>);

impl tiberius::ToSql for Sent {
    fn to_sql(&self) -> ColumnData<'_> {
        self.0.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_come_with_their_types() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let query =
        "SELECT @P1 + 1 AS a, @P2 + N'!' AS b, @P3 AS c, @P4, @P5, @P6, @P7, @P8, @P9, @P10";
    let stamp = DateTime2::new(Date::new(739_649), Time::new(1, 7));
    let offset = Sent(ColumnData::DateTimeOffset(Some(DateTimeOffset::new(stamp, -60))));
    let stamp = Sent(ColumnData::DateTime2(Some(stamp)));
    let number = tiberius::numeric::Numeric::new_with_scale(-12_345_678_901_234_567_890, 4);
    let guid = tiberius::Uuid::from_u128(7);
    let bytes = vec![0u8, 255];
    let params: [&dyn tiberius::ToSql; 10] =
        [&41i64, &"hé\0", &None::<i32>, &stamp, &offset, &number, &guid, &bytes, &true, &2.5f32];
    let row = client.query(query, &params).await.unwrap().into_row().await.unwrap().unwrap();
    let found: Vec<String> = row.cells().map(|(_, data)| format!("{data:?}")).collect();
    let wanted = [
        "I64(Some(42))",
        "String(Some(\"hé\\0!\"))",
        "I32(None)",
        "DateTime2(Some(DateTime2 { date: Date(739649), time: Time { increments: 1, scale: 7 } }))",
        "DateTimeOffset(Some(DateTimeOffset { datetime2: DateTime2 { date: Date(739649), time: \
         Time { increments: 1, scale: 7 } }, offset: -60 }))",
        "Numeric(Some(-1234567890123456.7890))",
        "Guid(Some(00000000-0000-0000-0000-000000000007))",
        "Binary(Some([0, 255]))",
        "Bit(Some(true))",
        "F32(Some(2.5))",
    ];
    assert_eq!(found, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_compare_by_a_tick() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let fill = "CREATE TABLE [dbo].[t] ([id] int, [d] datetime2(7), [o] datetimeoffset(7)); \
                CREATE INDEX [i] ON [dbo].[t] ([d]); \
                INSERT INTO [dbo].[t] VALUES \
                (1, '2026-01-01T00:00:00.0000001', '2026-01-01T00:00:00.0000001+00:00'), \
                (2, '2026-01-01T00:00:00.0000002', '2026-01-01T02:00:00.0000002+02:00'), \
                (3, '2026-01-01T00:00:00.0000003', '2025-12-31T23:00:00.0000003-01:00')";
    run(&mut client, fill).await;
    for (filter, wanted) in [
        ("[d] > '2026-01-01T00:00:00.0000001'", ["2", "3"]),
        ("[d] < CONVERT(datetime2(7), '2026-01-01T00:00:00.0000003', 126)", ["1", "2"]),
        ("[o] > '2026-01-01T00:00:00.0000001Z'", ["2", "3"]),
        ("[o] <= '2026-01-01T01:00:00.0000002+01:00'", ["1", "2"]),
        ("[o] <> (SELECT MAX([o]) FROM [dbo].[t])", ["1", "2"]),
        ("[d] <> (SELECT MIN([d]) FROM [dbo].[t])", ["2", "3"]),
    ] {
        let query = format!("SELECT [id] FROM [dbo].[t] WHERE {filter} ORDER BY [o]");
        assert_eq!(rows(&mut client, &query).await, wanted, "{filter}");
    }
    let texts = "SELECT CONVERT(nvarchar(40), [d], 126), CONVERT(varchar(40), [o], 127), \
                 CONVERT(varchar(40), [o], 121) FROM [dbo].[t] WHERE [id] = 3";
    let wanted = "2026-01-01T00:00:00.0000003|2026-01-01T00:00:00.0000003Z|\
                  2025-12-31 23:00:00.0000003 -01:00";
    assert_eq!(rows(&mut client, texts).await, [wanted]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgresql_cannot_store_comes_over_the_wire() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, "CREATE TABLE [dbo].[t] ([a] nvarchar(10))").await;
    let postgres = desktop.postgres().await;
    postgres.execute("insert into dbo.t values (U&'a\\E000b')", &[]).await.unwrap();
    assert_eq!(rows(&mut client, "SELECT [a] FROM [dbo].[t]").await, ["a\0b"]);
    postgres.execute("update dbo.t set a = U&'a\\EDC0b'", &[]).await.unwrap();
    // The driver meets half of a pair, whatever it makes of it.
    let outcome = client.simple_query("SELECT [a] FROM [dbo].[t]").await.unwrap().into_row().await;
    let lossy = outcome.map(|row| row.unwrap().get::<&str, _>(0).map(str::to_owned));
    assert!(lossy.is_err() || lossy.unwrap().as_deref() == Some("a\u{FFFD}b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_load_fires_triggers_only_if_asked() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let tables = "CREATE TABLE [dbo].[t] ([id] int IDENTITY(1,1) NOT NULL PRIMARY KEY, \
                  [v] nvarchar(20), [rv] rowversion); \
                  CREATE TABLE [dbo].[seen] ([n] int)";
    run(&mut client, tables).await;
    let trigger = "CREATE TRIGGER [dbo].[tr] ON [dbo].[t] AFTER INSERT AS \
                   INSERT INTO [dbo].[seen] SELECT COUNT(*) FROM inserted";
    run(&mut client, trigger).await;
    for options in [SqlBulkCopyOption::TableLock, SqlBulkCopyOption::FireTriggers] {
        let mut load = client
            .bulk_insert_with_options("[dbo].[t]", &["id", "v", "rv"], options.into(), &[])
            .await
            .unwrap();
        for value in ["x", "y"] {
            let mut row = TokenRow::new();
            row.push(ColumnData::String(Some(value.into())));
            load.send(row).await.unwrap();
        }
        assert_eq!(load.finalize().await.unwrap().total(), 2);
    }
    assert_eq!(rows(&mut client, "SELECT [n] FROM [dbo].[seen]").await, ["2"]);
    let stamps = "SELECT COUNT(DISTINCT [rv]), COUNT([id]) FROM [dbo].[t]";
    assert_eq!(rows(&mut client, stamps).await, ["4|4"]);
    let options = SqlBulkCopyOption::KeepIdentity.into();
    let mut load =
        client.bulk_insert_with_options("[dbo].[t]", &["id", "v"], options, &[]).await.unwrap();
    load.send((50i32, "z").into_row()).await.unwrap();
    load.finalize().await.unwrap();
    run(&mut client, "INSERT INTO [dbo].[t] ([v]) VALUES (N'after')").await;
    assert_eq!(rows(&mut client, "SELECT MAX([id]) FROM [dbo].[t]").await, ["51"]);
}
