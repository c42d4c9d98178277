//! What users at their desks do. Each has keys of his own; the shared jobs are everybody's.

use tokio_postgres::Error;

use super::SHARED;
use super::writers::Writer;

/// The key of a user's row.
pub fn key(user: i32, number: i32) -> i32 {
    (user + 1) * 10_000 + number
}

/// One act.
pub async fn act(w: &mut Writer, user: i32) -> Result<(), Error> {
    match w.dice.roll(12) {
        0 | 1 => insert_jobs(w, user).await.map(drop),
        2 | 3 => insert_job_with_tasks(w, user).await,
        4 => insert_task_of_shared_job(w, user).await,
        5 | 6 => edit_job(w, user).await,
        7 => edit_shared_jobs(w, user).await,
        8 => edit_tasks(w, user).await,
        9 => change_key_of_job(w, user).await,
        10 => change_key_of_task(w, user).await,
        _ => delete_task(w, user).await,
    }
}

/// The value of updated_at of a new row: some have none.
fn updated(w: &mut Writer, stamp: &str) -> String {
    if w.dice.one_in(4) { "null".to_owned() } else { stamp.to_owned() }
}

/// One to three jobs by one statement, by now() of one stamp; gives the first key.
async fn insert_jobs(w: &mut Writer, user: i32) -> Result<i32, Error> {
    let first = key(user, w.next());
    let last = (0..w.dice.roll(3)).fold(first, |_, _| key(user, w.next()));
    let stamp = w.stamp();
    let updated = updated(w, stamp);
    let insert = format!(
        "insert into jobs as r select i, 'd' || i, 'new', 'D', {stamp}, {updated} \
         from generate_series({first}, {last}) i"
    );
    w.write("jobs", &insert).await?;
    Ok(first)
}

async fn insert_tasks(w: &mut Writer, user: i32, job: i32) -> Result<(), Error> {
    let first = key(user, w.next());
    let last = (0..w.dice.roll(3)).fold(first, |_, _| key(user, w.next()));
    let stamp = w.stamp();
    let updated = updated(w, stamp);
    let insert = format!(
        "insert into tasks as r select i, {job}, 'new', 'D', {stamp}, {updated} \
         from generate_series({first}, {last}) i where exists (select from jobs where id = {job})"
    );
    w.write("tasks", &insert).await
}

/// A parent and its children.
async fn insert_job_with_tasks(w: &mut Writer, user: i32) -> Result<(), Error> {
    let job = insert_jobs(w, user).await?;
    insert_tasks(w, user, job).await
}

async fn insert_task_of_shared_job(w: &mut Writer, user: i32) -> Result<(), Error> {
    let job = 1 + w.dice.roll(SHARED) as i32;
    insert_tasks(w, user, job).await
}

async fn edit_job(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (id, n, stamp) = (key(user, w.earlier()), w.next(), w.stamp());
    // A new value of the unique column.
    let code = if w.dice.one_in(3) { format!("'d{user}.{n}'") } else { "code".to_owned() };
    let edit = format!(
        "update jobs r set name = 'edit {n}', code = {code}, updated_at = {stamp} where id = {id}"
    );
    w.write("jobs", &edit).await
}

/// By now(), a later edit of another user may have the earlier stamp.
async fn edit_shared_jobs(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (n, stamp) = (w.next(), w.stamp());
    let first = 1 + w.dice.roll(SHARED);
    let last = first + w.dice.roll(3);
    let edit = format!(
        "update jobs r set name = 'edit {user}.{n}', updated_at = {stamp} \
         where id between {first} and least({last}, {SHARED})"
    );
    w.write("jobs", &edit).await
}

async fn edit_tasks(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (id, n, stamp) = (key(user, w.earlier()), w.next(), w.stamp());
    let edit = format!(
        "update tasks r set name = 'edit {n}', updated_at = {stamp} \
         where id between {id} and {id} + 2"
    );
    w.write("tasks", &edit).await
}

/// Under its new key it is another job to us; its tasks follow by cascade, and are stamped.
async fn change_key_of_job(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (old, n, stamp) = (key(user, w.earlier()), w.next(), w.stamp());
    let new = key(user, n);
    let change = format!(
        "update jobs r set id = {new}, code = 'd{new}', updated_at = {stamp} where id = {old}"
    );
    w.write("jobs", &change).await?;
    let follow = format!("update tasks r set updated_at = {stamp} where job_id = {new}");
    w.write("tasks", &follow).await
}

async fn change_key_of_task(w: &mut Writer, user: i32) -> Result<(), Error> {
    let (old, n, stamp) = (key(user, w.earlier()), w.next(), w.stamp());
    let new = key(user, n);
    let change = format!("update tasks r set id = {new}, updated_at = {stamp} where id = {old}");
    w.write("tasks", &change).await
}

async fn delete_task(w: &mut Writer, user: i32) -> Result<(), Error> {
    let id = key(user, w.earlier());
    w.delete("tasks", &format!("id = {id}")).await
}
