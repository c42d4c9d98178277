//! Stamps without a zone: the same instants as PostgreSQL's `at time zone`.

use tidegate::db::sqlserver::types::{Value, Zone, parse};
use tidegate::demo::Cluster;
use tidegate::model::types::Form;

use crate::support::{Dice, column, connect, long, seed};

const SECOND: i64 = 10_000_000;
const DAY: i64 = 86_400 * SECOND;
const YEAR: i64 = 365 * DAY;
/// 1970-01-01.
const EPOCH: i64 = 719_162 * DAY;

/// With leaps of an hour, of half one, of a whole day, of odd seconds, and in winter.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Etc/GMT+5",
];

/// Half of them within three hours of a change of the zone's clocks.
fn locals(zone: &Zone, count: u64, dice: &mut Dice) -> Vec<i64> {
    let mut locals: Vec<i64> = (0..count)
        .map(|_| (1_800 + dice.roll(400).cast_signed()) * YEAR + dice.roll(YEAR as u64) as i64)
        .collect();
    let mut at = EPOCH;
    while locals.len() < 2 * count as usize && at < EPOCH + 80 * YEAR {
        let (before, after) = (zone.to_local(at) - at, zone.to_local(at + DAY) - at - DAY);
        if before != after {
            let around =
                (0..8).map(|_| at + before + (dice.roll(60 * 60) as i64 - 600) * 36 * SECOND);
            locals.extend(around);
        }
        at += DAY;
    }
    locals.into_iter().map(|local| local - local % SECOND).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn random_stamps_are_the_instants_that_postgresql_takes_them_for() {
    let mut dice = Dice::new(seed().unwrap_or(20_260_203));
    let count = if long() { 20_000 } else { 500 };
    let cluster = Cluster::start("test", &[("timezone", "UTC")]).unwrap();
    let client = connect(&cluster.url("postgres")).await;
    for name in ZONES {
        let zone = Zone::named(name).unwrap();
        let locals = locals(&zone, count, &mut dice);
        let micros: Vec<i64> = locals.iter().map(|local| (local - EPOCH) / 10).collect();
        let query = "select ((timestamp '1970-01-01' + us * interval '1 us') at time zone $2)::text
                     from unnest($1::int8[]) with ordinality as local (us, n) order by n";
        let printed = column(&client, query, &[&micros, name]).await;
        let back = "select ((timestamptz 'epoch' + us * interval '1 us') at time zone $2)::text
                    from unnest($1::int8[]) with ordinality as utc (us, n) order by n";
        let shown = column(&client, back, &[&micros, name]).await;
        for ((local, printed), shown) in locals.into_iter().zip(printed).zip(shown) {
            let utc = zone.to_utc(local);
            let wanted = Value::DateTimeOffset { utc, offset: 0 };
            assert!(parse(&printed, Form::Timestamptz) == Ok(wanted), "{name} {printed}");
            let wanted = Value::DateTime(zone.to_local(local));
            assert!(parse(&shown, Form::Timestamp) == Ok(wanted), "{name} {shown}");
        }
    }
}

#[test]
fn random_r10_no_row_is_below_the_bound_of_its_instant() {
    let mut dice = Dice::new(seed().unwrap_or(20_260_203));
    for name in ZONES {
        let zone = Zone::named(name).unwrap();
        for local in locals(&zone, 500, &mut dice) {
            // Whoever asks for rows since this instant or any before finds this stamp.
            let utc = zone.to_utc(local);
            for earlier in [0, 1, SECOND, 1_800 * SECOND, 3_600 * SECOND, 7_200 * SECOND, DAY] {
                assert!(zone.lower_bound(utc - earlier) <= local, "{name} {local} {earlier}");
            }
            // And nothing smaller would do.
            let bound = zone.lower_bound(local);
            assert!(zone.to_utc(bound) >= local, "{name} {local}");
            assert!(bound - zone.to_local(local) <= 2 * 3_600 * SECOND, "{name} {local}");
            for before in
                [1, SECOND, 1_800 * SECOND, 3_599 * SECOND, 3_601 * SECOND, 7_200 * SECOND]
            {
                assert!(zone.to_utc(bound - before) < local, "{name} {local} {before}");
            }
        }
    }
}
