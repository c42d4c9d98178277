//! What becomes of values that go to the cloud and come home with a mobile user's edit.

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, jobs};

/// A type of SQL Server, the cloud's for it, and values: the ends of its range among them.
const TYPES: [(&str, &str, [&str; 3]); 30] = [
    ("bit", "boolean", ["0", "1", "null"]),
    ("tinyint", "smallint", ["0", "255", "7"]),
    ("smallint", "smallint", ["-32768", "32767", "0"]),
    ("int", "integer", ["-2147483648", "2147483647", "0"]),
    ("bigint", "bigint", ["-9223372036854775808", "9223372036854775807", "null"]),
    (
        "decimal(38, 10)",
        "numeric(38, 10)",
        ["-9999999999999999999999999999.9999999999", "0", "1.5"],
    ),
    ("money", "numeric(19, 4)", ["922337203685477.5807", "-922337203685477.5808", "0.1"]),
    ("smallmoney", "numeric(10, 4)", ["214748.3647", "-214748.3648", "0"]),
    ("real", "real", ["3.4e38", "-1.5", "0.1"]),
    ("float", "double precision", ["1.7e308", "-0.1", "5e-300"]),
    ("char(5)", "text", ["'ab'", "'abcde'", "''"]),
    ("varchar(20)", "varchar(20)", ["'caf'", "' a '", "''"]),
    ("nchar(5)", "text", ["N'żółw'", "N'a'", "null"]),
    ("nvarchar(20)", "varchar(20)", ["N'żółw 🐢'", "N''", "N' a '"]),
    ("nvarchar(max)", "text", ["N'日本'", "N'it''s'", "null"]),
    ("varchar(max)", "text", ["'long'", "''", "null"]),
    ("text", "text", ["'old'", "''", "null"]),
    ("ntext", "text", ["N'ół'", "N''", "null"]),
    ("binary(4)", "bytea", ["0x00010203", "0xffffffff", "null"]),
    ("varbinary(20)", "bytea", ["0x", "0x00", "0xdeadbeef"]),
    ("image", "bytea", ["0x", "0x0100", "null"]),
    ("date", "date", ["'0001-01-01'", "'9999-12-31'", "'2026-02-28'"]),
    ("time(7)", "time", ["'23:59:59.9999994'", "'00:00:00'", "'12:34:56.7890123'"]),
    (
        "datetime2(7)",
        "timestamp",
        ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.9999994'", "'2026-06-07 08:09:10.1234567'"],
    ),
    (
        "datetime",
        "timestamp",
        ["'1753-01-01 00:00:00'", "'9999-12-31 23:59:59.997'", "'2026-06-07 08:09:10.123'"],
    ),
    ("smalldatetime", "timestamp", ["'1900-01-01 00:00'", "'2079-06-06 23:59'", "null"]),
    (
        "datetimeoffset(7)",
        "timestamptz",
        [
            "'2026-06-07 08:09:10.1234567 +14:00'",
            "'0001-01-02 00:00:00 +00:00'",
            "'2026-01-01 00:00:00 -03:30'",
        ],
    ),
    (
        "uniqueidentifier",
        "uuid",
        [
            "'00112233-4455-6677-8899-aabbccddeeff'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "null",
        ],
    ),
    ("bit", "integer", ["0", "1", "null"]),
    ("xml", "text", ["N'<a>ół</a>'", "'<b/>'", "null"]),
];

/// v04, v05, v06, v07, v10: the edit comes home, and every other column is what it was, to the last decimal
/// that the cloud has no place for.
pub async fn every_type_there_and_back(kind: Kind) {
    let numbered = || TYPES.iter().enumerate();
    let columns = |of: &dyn Fn(usize) -> &'static str| {
        let columns: Vec<String> = numbered().map(|(i, _)| format!("v{i} {}", of(i))).collect();
        format!(
            "create table jobs (id int not null primary key, name {{text}}, source char(1), \
             created_at {{stamp}}, updated_at {{stamp}}, {})",
            columns.join(", ")
        )
    };
    let (desk, cloud) = (columns(&|i| TYPES[i].0), columns(&|i| TYPES[i].1));
    let office = DeskOffice::apart(kind, &desk, &cloud, &["jobs"]).await;
    office.migrate();
    for row in 0..3 {
        let values: Vec<&str> = TYPES.iter().map(|(_, _, values)| values[row]).collect();
        let values = values.join(", ");
        office
            .desk(&format!("insert into jobs values ({row}, 'a', 'D', {{old}}, {{old}}, {values})"))
            .await;
    }
    let names: Vec<String> = numbered().map(|(i, _)| format!("v{i}")).collect();
    let query = format!("select id, {} from jobs order by id", names.join(", "));
    let before = office.at_desk(&query).await;
    let report = office.forward().await;
    assert_eq!(jobs(&report), [3, 3, 0, 0, 0], "{report:?}");
    office.mobile("update jobs set name = 'edited', updated_at = {now}").await;
    office.sync().await;
    assert_eq!(office.names_of(2).await, ["edited"; 2]);
    assert_eq!(office.at_desk(&query).await, before);
    let settled = office.sync().await;
    assert_eq!(settled.written() + settled.withheld(), 0, "{settled:?}");
}
