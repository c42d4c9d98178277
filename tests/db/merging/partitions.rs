//! m32: tables of the cloud that are partitioned.

use super::{OLD, execute, forward, forward_full};
use crate::support::{Office, counts, of, value};

const COLUMNS: &str = "name text, source text, created_at timestamptz, updated_at timestamptz";

fn desktop() -> String {
    format!(
        "create table jobs (id integer, region text, {COLUMNS}, primary key (id, region));
         create table visits (id integer, day date, {COLUMNS}, primary key (id, day));
         create table tasks (id integer primary key, job integer, region text, {COLUMNS})"
    )
}

fn cloud() -> String {
    format!(
        "create table jobs (id integer, region text, {COLUMNS}, primary key (id, region))
            partition by list (region);
         create table jobs_north partition of jobs for values in ('north');
         create table jobs_south (region text, {COLUMNS}, id integer, primary key (id, region));
         alter table jobs attach partition jobs_south for values in ('south');
         create table jobs_else partition of jobs default;
         create table visits (id integer, day date, {COLUMNS}, primary key (id, day))
            partition by range (day);
         create table visits_25 partition of visits for values from (minvalue) to ('2026-01-01');
         create table visits_26 partition of visits for values from ('2026-01-01') to (maxvalue)
            partition by range (day);
         create table visits_26_1 partition of visits_26 for values from ('2026-01-01') to ('2026-07-01');
         create table visits_26_2 partition of visits_26 for values from ('2026-07-01') to (maxvalue);
         create table tasks (id integer primary key, job integer, region text, {COLUMNS},
            foreign key (job, region) references jobs)"
    )
}

const SPREAD: &str = "select string_agg(tableoid::regclass::text || ' ' || n, ', ' order by tableoid::regclass::text)
    from (select tableoid, count(*) || ' ' || count(*) filter (where name = 'edited') as n from ";

async fn spread(office: &Office, table: &str) -> String {
    value(&office.cloud, &format!("{SPREAD}{table} where source = 'D' group by tableoid) as p"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn m32_partitioned() {
    let office = Office::open("", &["tasks", "visits", "jobs"]).await;
    execute(&office.desktop, &desktop()).await;
    execute(&office.cloud, &cloud()).await;
    let rows = format!(
        "insert into jobs select i, (array['north', 'south', 'west'])[1 + i % 3], 'job', 'D', {OLD}, {OLD}
            from generate_series(1, 30) i;
         insert into visits select i, date '2025-12-31' + i * 100, 'visit', 'D', {OLD}, {OLD}
            from generate_series(0, 5) i;
         insert into tasks select id, id, region, 'task', 'D', {OLD}, {OLD} from jobs;
         insert into tasks values (99, 99, 'north', 'orphan', 'D', {OLD}, {OLD})"
    );
    execute(&office.desktop, &rows).await;
    execute(
        &office.cloud,
        "insert into jobs values (1, 'south', 'mobile', 'M'), (50, 'west', 'mobile', 'M')",
    )
    .await;
    let report = forward(&office).await;
    assert_eq!(report.exit_code(false), 0, "{report:?}");
    assert_eq!(counts(of(&report, "jobs")), [30, 29, 0, 0, 1]);
    assert_eq!(counts(of(&report, "visits")), [6, 6, 0, 0, 0]);
    assert_eq!(counts(of(&report, "tasks")), [31, 30, 0, 0, 1]);
    assert_eq!(spread(&office, "jobs").await, "jobs_else 10 0, jobs_north 10 0, jobs_south 9 0");
    assert_eq!(spread(&office, "visits").await, "visits_25 1 0, visits_26_1 1 0, visits_26_2 4 0");
    assert_eq!(
        office.withheld().await,
        [r#"{"id": "99"} missing_parent"#, r#"{"id": "1", "region": "south"} key_collision"#]
    );
    // Inserts and updates in one batch, in every partition.
    let edit = format!(
        "update jobs set name = 'edited', updated_at = now() where id > 12;
         insert into jobs select id + 100, region, 'job', 'D', {OLD}, now() from jobs where id <= 9;
         update visits set name = 'edited', updated_at = now()"
    );
    execute(&office.desktop, &edit).await;
    let report = forward(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [27, 9, 18, 0, 0], "{report:?}");
    assert_eq!(counts(of(&report, "visits")), [6, 0, 6, 0, 0], "{report:?}");
    assert_eq!(spread(&office, "jobs").await, "jobs_else 13 6, jobs_north 13 6, jobs_south 12 6");
    assert_eq!(spread(&office, "visits").await, "visits_25 1 1, visits_26_1 1 1, visits_26_2 4 4");
    let report = forward_full(&office).await;
    assert_eq!(counts(of(&report, "jobs")), [39, 0, 0, 38, 1], "{report:?}");
}
