//! What mobile users do. Each has keys of his own; of the desktop's rows, and of keys that the
//! desktop may take, each keeps to one key in four, so that it is certain who wrote a row last.

use tokio_postgres::Error;

use super::desktop;
use super::writers::{AT_DESKS, ON_PHONES, Writer};

fn key(user: i32, number: i32) -> i32 {
    (user + 1) * 1_000_000 + number
}

/// One act.
pub async fn act(w: &mut Writer, user: i32) -> Result<(), Error> {
    match w.dice.roll(11) {
        0 => insert_job(w, user).await.map(drop),
        1 => insert_job_with_tasks(w, user).await,
        2 => insert_task_of_desktop_job(w, user).await,
        3 | 4 => collide(w, user).await,
        5 | 6 => edit_own(w, user).await,
        7 => delete_own(w, user).await,
        _ => edit_row_of_desktop(w, user).await,
    }
}

async fn insert_job(w: &mut Writer, user: i32) -> Result<i32, Error> {
    let (id, stamp) = (key(user, w.next()), w.stamp());
    let updated = if w.dice.one_in(4) { "null" } else { stamp };
    let insert =
        format!("insert into jobs as r values ({id}, 'm{id}', 'mobile', 'M', {stamp}, {updated})");
    w.write("jobs", &insert).await?;
    Ok(id)
}

async fn insert_tasks(w: &mut Writer, user: i32, job: &str) -> Result<(), Error> {
    let (id, stamp) = (key(user, w.next()), w.stamp());
    let insert = format!(
        "insert into tasks as r select {id}, j.id, 'mobile', 'M', {stamp}, {stamp} \
         from (select id from jobs where {job} order by md5(id::text || {id}) limit 1) j"
    );
    w.write("tasks", &insert).await
}

async fn insert_job_with_tasks(w: &mut Writer, user: i32) -> Result<(), Error> {
    let job = insert_job(w, user).await?;
    insert_tasks(w, user, &format!("id = {job}")).await?;
    insert_tasks(w, user, &format!("id = {job}")).await
}

async fn insert_task_of_desktop_job(w: &mut Writer, user: i32) -> Result<(), Error> {
    insert_tasks(w, user, "source = 'D'").await
}

/// Takes keys that users at desks have taken, or are about to take; gives some of them back.
async fn collide(w: &mut Writer, user: i32) -> Result<(), Error> {
    let table = w.dice.pick(&["jobs", "tasks"]);
    if w.dice.one_in(3) {
        let childless = "not exists (select from tasks where job_id = r.id)";
        return w.delete(table, &format!("{} and {childless}", collided(user))).await;
    }
    let number = w.dice.roll(12) as i32 * ON_PHONES + user;
    let (first, last) = (desktop::key(0, number), desktop::key(AT_DESKS - 1, number));
    let (step, stamp) = (desktop::key(1, 0) - desktop::key(0, 0), w.stamp());
    let insert = format!(
        "insert into {table} as r select i, null, 'mobile', 'M', {stamp}, {stamp} \
         from generate_series({first}, {last}, {step}) i on conflict do nothing"
    );
    w.write(table, &insert).await
}

/// A user's rows under keys of the desktop.
fn collided(user: i32) -> String {
    format!("r.source = 'M' and r.id < 1000000 and r.id % {ON_PHONES} = {user}")
}

async fn edit_own(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (id, n) = (key(user, w.earlier()), w.next());
    let (table, stamp) = (w.dice.pick(&["jobs", "tasks"]), w.stamp());
    let which = match w.dice.one_in(4) {
        true => collided(user),
        false => format!("r.source = 'M' and r.id between {id} and {id} + 2"),
    };
    let edit = format!(
        "update {table} r set name = 'mobile edit {n}', updated_at = {stamp} where {which}"
    );
    w.write(table, &edit).await
}

async fn delete_own(w: &mut Writer, user: i32) -> Result<(), Error> {
    let id = key(user, w.earlier());
    let own = format!("r.source = 'M' and r.id = {id}");
    w.delete("tasks", &own).await?;
    let childless = "not exists (select from tasks where job_id = r.id)";
    w.delete("jobs", &format!("{own} and {childless}")).await
}

/// Stamped when the row is written, so later than any version that the cloud has had of it.
async fn edit_row_of_desktop(w: &mut Writer, user: i32) -> Result<(), Error> {
    let n = w.next();
    let table = w.dice.pick(&["jobs", "jobs", "tasks"]);
    let edit = format!(
        "update {table} r set name = 'on the phone {user}.{n}', updated_at = clock_timestamp() \
         where source = 'D' and id = (select id from {table} \
            where source = 'D' and id % {ON_PHONES} = {user} order by md5(id::text || {n}) limit 1)"
    );
    w.write(table, &edit).await
}
