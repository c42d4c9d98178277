//! Mobile users at work while runs count: no alarm without a cause, and none missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::support::{Dice, long, of, seed};

use super::{counting_run, mobile, office, on_the_phone, unseen};

const USERS: u64 = 3;

/// What a mobile user does to one of his own rows, so that nobody waits for another.
fn work(user: u64, dice: &mut Dice) -> String {
    let his = format!(
        "(select id from jobs where id > 1000 and id % 4 = {user} order by id offset {} limit 1)",
        dice.roll(5)
    );
    let change = match dice.roll(6) {
        0 => format!("delete from jobs where id = {his}"),
        1 => format!("update jobs set source = 'D' where id = {his}"),
        2 => format!("update jobs set source = 'M' where id = {his}"),
        3 => format!("update jobs set name = name || '.' where id = {his}"),
        _ => format!(
            "insert into jobs select max(id) + 4, 'phone', 'M', now(), now() from jobs \
             where id > 1000 and id % 4 = {user}"
        ),
    };
    match dice.roll(4) {
        0 => format!("savepoint s; {change}; rollback to s"),
        1 => format!("savepoint s; {change}; release s"),
        _ => change,
    }
}

/// One transaction after the other until it is enough, some of them open for long.
async fn keeps_working(session: Client, user: u64, mut dice: Dice, enough: Arc<AtomicBool>) {
    while !enough.load(Ordering::Relaxed) {
        session.batch_execute("begin").await.unwrap();
        for _ in 0..=dice.roll(4) {
            session.batch_execute(&work(user, &mut dice)).await.unwrap();
            let longest = if dice.one_in(10) { 400 } else { 10 };
            tokio::time::sleep(Duration::from_millis(dice.roll(longest))).await;
        }
        let end = if dice.one_in(4) { "rollback" } else { "commit" };
        session.batch_execute(end).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn among_mobile_users_every_alarm_has_its_cause_and_every_loss_its_alarm() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = seed().unwrap_or(now.as_millis() as u64);
    println!("TIDEGATE_SEED={seed}");
    let office = office().await;
    on_the_phone(&office, &mobile("1001, 1400")).await;
    assert_eq!(counting_run(&office).await.exit_code(false), 0);
    let enough = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for user in 0..USERS {
        let session = office.cloud_session().await;
        let dice = Dice::new(seed.wrapping_add(user + 1));
        users.spawn(keeps_working(session, user, dice, Arc::clone(&enough)));
    }
    let mut dice = Dice::new(seed);
    for record in 0..if long() { 2000 } else { 200 } {
        let planted = if dice.one_in(8) { 1 + dice.roll(2) } else { 0 };
        let lost = format!(
            "delete from jobs where id in (select id from jobs where id % 4 = {USERS} and id > 1000 \
             order by id limit {planted})"
        );
        unseen(&office.cloud, &lost).await;
        // Made up for, so that there are always some left, and the number is as it was.
        let made = (0..planted).map(|n| 100_003 + 4 * (2 * record + n));
        for id in made {
            on_the_phone(&office, &mobile(&format!("{id}, {id}"))).await;
        }
        let report = counting_run(&office).await;
        let context = format!("seed {seed}, record {record}, {planted} lost: {report:?}");
        assert_eq!(report.exit_code(false), if planted > 0 { 20 } else { 0 }, "{context}");
        if let Some(trouble) = &of(&report, "jobs").error {
            assert!(trouble.message.starts_with(&format!("{planted} mobile rows")), "{context}");
        }
    }
    enough.store(true, Ordering::Relaxed);
    while let Some(user) = users.join_next().await {
        user.unwrap();
    }
}
