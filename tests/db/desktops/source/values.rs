//! What arrives of a value.

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, JOBS, NAMES, jobs};
use crate::support::{counts, of};

const THINGS: &str = "create table things (id int not null primary key, a {a}, source char(1), \
                      created_at {stamp}, updated_at {stamp})";

/// A table of one column, its values at the desktop, and what the cloud shows of them.
async fn arrive(kind: Kind, desk: &str, cloud: &str, values: &[(&str, &str)]) {
    let [desk, cloud] = [desk, cloud].map(|a| THINGS.replace("{a}", a));
    let office = DeskOffice::apart(kind, &desk, &cloud, &["things"]).await;
    office.migrate();
    for (id, (value, _)) in values.iter().enumerate() {
        let row = format!("insert into things values ({id}, {value}, 'D', {{old}}, {{old}})");
        office.desk(&row).await;
    }
    let report = office.forward().await;
    let many = values.len() as u64;
    assert_eq!(counts(of(&report, "things")), [many, many, 0, 0, 0], "{report:?}");
    let shown = office.in_cloud("select a from things order by id").await;
    let wanted: Vec<&str> = values.iter().map(|(_, shown)| *shown).collect();
    assert_eq!(shown, wanted);
}

/// v04
pub async fn empty_is_not_null(kind: Kind) {
    arrive(kind, "{text}", "text", &[("''", ""), ("null", "null"), ("' '", " ")]).await;
}

/// v10
pub async fn decimals_of_38_digits(kind: Kind) {
    let nines = "99999999999999999999999999999999999999";
    let small = "-0.00000000000000000000000000000000000001";
    let numbers = [(nines, nines), ("-1", "-1"), ("0", "0")];
    arrive(kind, "decimal(38, 0)", "numeric(38, 0)", &numbers).await;
    arrive(kind, "decimal(38, 38)", "numeric(38, 38)", &[(small, small)]).await;
}

/// v10: no float comes near it.
pub async fn money_to_its_last_digit(kind: Kind) {
    let most = [
        ("922337203685477.5807", "922337203685477.5807"),
        ("-922337203685477.5808", "-922337203685477.5808"),
        ("0.1", "0.1000"),
    ];
    arrive(kind, "{money}", "numeric(19, 4)", &most).await;
}

/// v07
pub async fn the_first_and_the_last_day(kind: Kind) {
    let days = [("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")];
    arrive(kind, "date", "date", &days).await;
    let moments = [
        ("'0001-01-01 00:00:00'", "0001-01-01 00:00:00"),
        ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
    ];
    arrive(kind, "{local}", "timestamp", &moments).await;
}

pub async fn texts_of_all_planes(kind: Kind) {
    let texts = [
        ("{N}'né 😀 ✓'", "né 😀 ✓"),
        ("{N}'\u{10fffd}'", "\u{10fffd}"),
        ("'\\N\t\"it''s\"'", "\\N\t\"it's\""),
        ("'trailing  '", "trailing  "),
    ];
    arrive(kind, "{text}", "text", &texts).await;
}

/// It is withheld, and the rest arrives.
pub async fn a_value_that_the_cloud_has_no_place_for(kind: Kind) {
    for (desk, cloud, bad) in [
        ("bigint", "integer", "3000000000"),
        ("bigint", "smallint", "70000"),
        ("decimal(10, 2)", "numeric(6, 2)", "99999.99"),
        ("varchar(20)", "varchar(3)", "'12345'"),
    ] {
        let [desk, cloud] = [desk, cloud].map(|a| THINGS.replace("{a}", a));
        let office = DeskOffice::apart(kind, &desk, &cloud, &["things"]).await;
        office.migrate();
        for (id, value) in [(1, "1"), (2, bad), (3, "3")] {
            let row = format!("insert into things values ({id}, {value}, 'D', {{old}}, {{old}})");
            office.desk(&row).await;
        }
        let report = office.forward().await;
        assert_eq!(counts(of(&report, "things")), [3, 2, 0, 0, 1], "{cloud} {report:?}");
        assert_eq!(office.withheld_in_cloud().await, [r#"{"id": "2"} bad_value"#]);
    }
}

/// v01, v02: what PostgreSQL can't store is withheld, and the rest arrives. The server of the tests sends
/// a NUL and half of a surrogate pair for these two characters.
pub async fn nul_and_lone_surrogates_are_withheld(kind: Kind) {
    let office = DeskOffice::open(kind, JOBS, &["jobs"]).await;
    let rows = "insert into jobs values (1, N'a\u{e000}b', 'D', {old}, {old}), \
                (2, N'a\u{edc0}b', 'D', {old}, {old}), (3, N'fine', 'D', {old}, {old})";
    office.desk(rows).await;
    let report = office.forward().await;
    assert_eq!(jobs(&report), [3, 1, 0, 0, 2], "{report:?}");
    let listed = [r#"{"id": "1"} bad_value"#, r#"{"id": "2"} bad_value"#];
    assert_eq!(office.withheld_in_cloud().await, listed);
    office.desk("update jobs set name = 'mended', updated_at = {now} where id < 3").await;
    office.forward().await;
    assert_eq!(office.same(NAMES).await, ["1|mended|D", "2|mended|D", "3|fine|D"]);
    assert_eq!(office.withheld_in_cloud().await, [""; 0]);
}

/// A table whose own name, and those of its columns, need every care.
pub async fn names_that_need_care(kind: Kind) {
    let quoted = |open: &str, close: &str| {
        let name = |name: &str| format!("{open}{}{close}", name.replace(close, &close.repeat(2)));
        let [table, id, value] = ["Job's \"x\" [1] é", "the id]", "na\"me ✓ %"].map(name);
        (
            format!(
                "create table {table} ({id} int not null primary key, {value} {{text}}, \
                 source char(1), created_at {{stamp}}, updated_at {{stamp}})"
            ),
            format!("insert into {table} values (1, 'a', 'D', {{old}}, {{old}})"),
            format!("select {id}, {value} from {table}"),
        )
    };
    let cloud = quoted("\"", "\"");
    let desk = match kind {
        Kind::Postgres => quoted("\"", "\""),
        Kind::TestServer | Kind::RealServer => quoted("[", "]"),
    };
    let mut office = DeskOffice::apart(kind, &desk.0, &cloud.0, &[]).await;
    office.configure_tables("[tables.\"Job's \\\"x\\\" [1] é\"]\n");
    office.migrate();
    office.desk(&desk.1).await;
    let report = office.forward().await;
    assert_eq!(report.written(), 1, "{report:?}");
    assert_eq!(office.in_cloud(&cloud.2).await, ["1|a"]);
    let edit = cloud.1.replace("(1, 'a', 'D'", "(2, 'b', 'M'");
    office.mobile(&edit).await;
    let report = office.reverse().await;
    assert_eq!(report.written(), 1, "{report:?}");
    let all = format!("{} order by 1", desk.2);
    assert_eq!(office.at_desk(&all).await, ["1|a", "2|b"]);
}
