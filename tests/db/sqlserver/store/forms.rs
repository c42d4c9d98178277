//! Keys and moments as PostgreSQL writes them: both ends compare them by their text.

use std::collections::BTreeMap;

use tidegate::demo::Cluster;
use tidegate::model::{Instant, jsonb};
use tokio_postgres::Client;

use crate::support::{Dice, connect, long, seed};

const SEED: u64 = 5;
/// Microseconds.
const DAY: u64 = 86_400_000_000;

async fn postgres() -> (Cluster, Client) {
    let cluster = Cluster::start("forms", &[("timezone", "UTC")]).unwrap();
    let client = connect(&cluster.url("postgres")).await;
    (cluster, client)
}

fn rounds() -> u32 {
    if long() { 20_000 } else { 500 }
}

fn dice() -> Dice {
    let seed = seed().unwrap_or(SEED);
    println!("seed {seed}");
    Dice::new(seed)
}

/// Of all that JSON escapes or not, and of several lengths in bytes.
fn words(dice: &mut Dice) -> String {
    let any =
        "ab\"\\/\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1f} '\u{7f}\u{80}é\u{2028}\u{feff}日\u{ffff}🦀";
    let any: Vec<char> = any.chars().collect();
    (0..dice.roll(6)).map(|_| dice.pick(&any)).collect()
}

#[tokio::test]
async fn an_object_is_written_as_a_jsonb_is() {
    let (_cluster, client) = postgres().await;
    let mut dice = dice();
    for _ in 0..rounds() {
        let members: BTreeMap<String, Option<String>> = (0..dice.roll(5))
            .map(|_| (words(&mut dice), (!dice.one_in(4)).then(|| words(&mut dice))))
            .collect();
        let json = serde_json::to_string(&members).unwrap();
        let row = client.query_one("select $1::text::jsonb::text", &[&json]).await.unwrap();
        let text = jsonb::object(members.iter().map(|(name, value)| (&**name, value.as_deref())));
        assert_eq!(text, row.get::<_, String>(0));
        let row = client.query_one("select decode(md5($1), 'hex')", &[&text]).await.unwrap();
        assert_eq!(jsonb::hash(&text).to_vec(), row.get::<_, Vec<u8>>(0));
    }
}

#[tokio::test]
async fn a_moment_is_written_and_read_as_a_timestamptz_is() {
    let (_cluster, client) = postgres().await;
    // In another zone, but at the ends, where there is none.
    let sql = "select t::text, to_json(t) #>> '{}', \
                   timestamptz_send(t), \
                   case when t between '4000-01-01 BC' and '290000-01-01' then \
                       (t at time zone interval '05:45')::text || '+05:45' end \
               from cast($1::text as timestamptz) as t";
    let mut dice = dice();
    // The first and the last moment of PostgreSQL.
    let ends: [i64; 2] = [-211_813_488_000_000_000, 9_223_371_331_199_999_999];
    let span = ends[1].abs_diff(ends[0]);
    let random = (0..rounds()).map(|_| {
        let near = [DAY, 400 * 365 * DAY, span];
        let far = dice.pick(&near);
        let from = if far == span { ends[0] } else { -(far as i64) / 2 };
        from.checked_add_unsigned(dice.roll(far)).unwrap()
    });
    let all: Vec<i64> = ends.into_iter().chain([0, -1, 1]).chain(random).collect();
    for micros in all {
        let moment = Instant(micros);
        let row = client.query_one(sql, &[&moment.to_string()]).await.unwrap();
        let [text, json] = [0, 1].map(|i| row.get::<_, String>(i));
        assert_eq!((moment.to_string(), moment.in_json()), (text, json));
        assert_eq!(row.get::<_, Vec<u8>>(2), micros.to_be_bytes());
        // A time before Christ has its era at its end, before what was put there.
        if let Some(elsewhere) = row.get::<_, Option<String>>(3).filter(|t| !t.contains("BC")) {
            assert_eq!(Instant::parse(&elsewhere), Some(moment), "{elsewhere}");
        }
    }
}
