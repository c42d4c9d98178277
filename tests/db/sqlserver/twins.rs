//! Two desktops with the same users and the same cloud, a PostgreSQL and a SQL Server: whatever comes home
//! to the one comes home to the other, and what does not is listed at both for the same reason.

use std::sync::Arc;

use tidegate::db::postgres::{self, Purpose};
use tidegate::error::End;
use tidegate::model::plan::{Cycles, Given};
use tidegate::model::planning;
use tidegate::model::{
    Awaited, Capture, Direction, Ownership, Position, Selection, TableName, TablePlan,
};
use tidegate::pipeline::{Progress, Way};
use tidegate::source::Source;
use tidegate::source::postgres::PgSource;
use tidegate::store::Store;
use tidegate::target::Target;
use tidegate::target::postgres::PgTarget;
use tidegate::target::sqlserver::SqlServerTarget;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::home::{Home, settings};
use crate::support::{Dice, column, connect, long, seed};

const TABLE: &str = "create table jobs (id integer primary key, name varchar(20), \
    amount numeric(12, 2), source text, created_at timestamptz, updated_at timestamptz);";
const DESKTOP: &str = "create table dbo.jobs (id int not null primary key, name nvarchar(20), \
    amount decimal(12, 2), source nvarchar(10), created_at datetimeoffset(6), \
    updated_at datetimeoffset(6))";
const ROWS: u64 = 12;

struct Twins {
    home: Home,
    twin: Client,
    cloud: Arc<postgres::Database>,
    database: postgres::Database,
}

impl Twins {
    async fn open() -> Self {
        let home = Home::open(TABLE, DESKTOP, &["jobs"]).await;
        let cluster = &home.office.cluster;
        cluster.create_database("twin", None).unwrap();
        let url = cluster.url("twin");
        let database = |url: String, end, purpose| {
            postgres::Database::new(&url.into(), end, purpose, 4).unwrap()
        };
        let cloud = database(cluster.url("cloud"), End::Cloud, Purpose::Reader);
        let database = database(url.clone(), End::Desktop, Purpose::Writer);
        let twin = connect(&url).await;
        twin.batch_execute(TABLE).await.unwrap();
        let store = Store::at(End::Desktop, &home.sql, "tidegate");
        store.migrate(&database.connection().await.unwrap()).await.unwrap();
        Self { home, twin, cloud: Arc::new(cloud), database }
    }

    async fn plan(&self) -> TablePlan {
        let tables = [TableName::new("public", "jobs")];
        let read = async |database: &postgres::Database| {
            let connection = database.connection().await.unwrap();
            postgres::catalogue::read(&connection, &self.home.sql, &tables).await.unwrap()
        };
        let (desktop, cloud) = (read(&self.database).await, read(&self.cloud).await);
        let mut settings = settings("jobs");
        (settings.desktop, settings.capture) = (tables[0].clone(), Capture::Timestamp);
        let ownership =
            Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() };
        let given = Given {
            settings: &settings,
            ownership: &ownership,
            cloud_capture: Capture::Log,
            desktop: desktop.first(),
            cloud: cloud.first(),
            synced: &tables,
            desktop_remembers: true,
        };
        planning::plan(Direction::Reverse, given).unwrap()
    }

    /// What a user of one side does to both desktops, or to the cloud.
    async fn act(&self, dice: &mut Dice, round: u64) {
        let id = dice.roll(ROWS);
        let owner = dice.pick(&["'M'", "'M'", "'D'", "'D'", "null"]);
        let stamp = format!("2026-03-01 10:0{}:0{}", dice.roll(3), dice.roll(3));
        let amount = dice.pick(&["1.5", "2.25", "null"]);
        let name = format!("r{round}n{}", dice.roll(1_000));
        let columns = "(id, name, amount, source, created_at, updated_at)";
        let values = format!("({id}, '{name}', {amount}, {owner}, null, '{stamp}+00:00')");
        let update = format!(
            "set name = '{name}', amount = {amount}, updated_at = '{stamp}+00:00' where id = {id}"
        );
        let (on_postgres, on_sql_server) = match dice.roll(5) {
            0 | 1 => (
                format!("insert into jobs {columns} values {values} on conflict do nothing"),
                format!(
                    "if not exists (select 1 from dbo.jobs where id = {id}) \
                     insert into dbo.jobs {columns} values {values}"
                ),
            ),
            2 | 3 => (format!("update jobs {update}"), format!("update dbo.jobs {update}")),
            _ => {
                let gone = format!("where id = {id}");
                (format!("delete from jobs {gone}"), format!("delete from dbo.jobs {gone}"))
            }
        };
        match dice.one_in(2) {
            true => self.home.office.cloud.batch_execute(&on_postgres).await.unwrap(),
            false => {
                self.twin.batch_execute(&on_postgres).await.unwrap();
                self.home.tsql(&on_sql_server).await;
            }
        }
    }

    async fn way<T: Target>(
        &self,
        plan: &TablePlan,
        at: &Position,
        keys: &[Awaited],
        target: &T,
    ) -> Progress {
        let source = PgSource::new(Arc::clone(&self.cloud), &self.home.sql).remembering("tidegate");
        let view = source.open(&[(plan, at)]).await.unwrap();
        let stop = CancellationToken::new();
        let way = Way { plan, view: &view, target, stop: &stop, watch: &|_| {} };
        let mut progress = Progress { at: at.clone(), ..Progress::default() };
        let since = match at.watermark {
            Some(_) => Selection::Since(at),
            None => Selection::All(at),
        };
        Box::pin(way.follow(since, Cycles::Wait, &mut progress)).await.unwrap();
        if !keys.is_empty() {
            Box::pin(way.follow(Selection::Keys(keys), Cycles::Wait, &mut progress)).await.unwrap();
        }
        progress
    }

    /// The list of withheld rows, to be tried again, and what both desktops hold.
    async fn state(&self) -> ([Vec<Awaited>; 2], [Vec<String>; 2]) {
        let list = "select key::text, since::text from tidegate._sync_withheld order by key::text";
        let listed = self.twin.query(list, &[]).await.unwrap();
        let awaited = |key: String, since| Awaited { key, once_owned: false, since };
        let twin = listed.iter().map(|row| awaited(row.get(0), row.get(1))).collect();
        let list = "select [key], since from tidegate._sync_withheld order by [key]";
        let listed = self.home.session().await.rows("looking", list, &[]).await.unwrap();
        let text = |row: &tiberius::Row, i: usize| row.get::<&str, _>(i).map(str::to_owned);
        let home = listed.iter().map(|row| awaited(text(row, 0).unwrap(), text(row, 1))).collect();
        let of_twin = [
            "select concat_ws(' ', 'row', id, name, amount, source) from jobs order by id",
            "select concat_ws(' ', 'withheld', key, reason, contested::integer, row, target_row) \
             from tidegate._sync_withheld order by key::text",
            "select concat_ws(' ', 'lost', key, reason, row, winner) from tidegate._sync_trash order by id",
        ];
        let of_home = [
            "select concat_ws(' ', 'row', id, name, amount, source) from dbo.jobs order by id",
            "select concat_ws(' ', 'withheld', [key], reason, cast(contested as int), [row], target_row) \
             from tidegate._sync_withheld order by [key]",
            "select concat_ws(' ', 'lost', [key], reason, [row], winner) from tidegate._sync_trash \
             order by id",
        ];
        let (mut rows, mut homes) = (Vec::new(), Vec::new());
        for (of_twin, of_home) in of_twin.iter().zip(of_home) {
            rows.extend(column(&self.twin, of_twin, &[]).await);
            homes.extend(self.home.rows(of_home).await);
        }
        ([twin, home], [rows, homes])
    }
}

#[tokio::test]
async fn both_kinds_of_desktop_decide_alike() {
    let twins = Twins::open().await;
    let plans = [twins.plan().await, twins.home.plan("jobs").await];
    let store = Store::at(End::Desktop, &twins.home.sql, "tidegate");
    let own = twins.home.store();
    let mut at = [Position::default(), Position::default()];
    let seed = seed().unwrap_or(7);
    let mut dice = Dice::new(seed);
    for round in 0..if long() { 100 } else { 12 } {
        for _ in 0..10 {
            twins.act(&mut dice, round).await;
        }
        let ([of_twin, of_home], _) = twins.state().await;
        let run_id = Uuid::now_v7();
        let target = PgTarget::new(&twins.database, &store, run_id, "cloud");
        let twin = twins.way(&plans[0], &at[0], &of_twin, &target).await;
        let target = SqlServerTarget::new(&twins.home.desktop, &own, run_id, "cloud");
        let home = twins.way(&plans[1], &at[1], &of_home, &target).await;
        let context = format!("seed {seed}, round {round}");
        let (_, [rows, homes]) = twins.state().await;
        assert_eq!(homes, rows, "{context}");
        assert_eq!(home.account, twin.account, "{context}");
        at = [twin.at, home.at];
    }
}
