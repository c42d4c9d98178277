//! An office with a desktop of any kind.

use std::ops::Deref;

use tidegate::run::RunReport;
use tokio::sync::Mutex;

use super::desk::{Desk, Kind, Session};
use super::words::{POSTGRES, put};
use crate::proxy::Proxy;
use crate::support::{Office, counts, of};

/// The table that most cases need.
pub const JOBS: &str = "create table jobs (id int not null primary key, name {text}, source char(1), \
                        created_at {stamp}, updated_at {stamp})";

/// What both ends have to say of it.
pub const NAMES: &str = "select id, name, source from jobs order by id";

/// The desktop, the cloud, and a user at each of them.
pub struct DeskOffice {
    // In this order: sessions end before their server.
    user: Mutex<Box<dyn Session>>,
    desk: Box<dyn Desk>,
    office: Office,
}

impl Deref for DeskOffice {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

impl DeskOffice {
    /// Both ends with `schema`, tidegate's tables, and `tables` configured.
    pub async fn open(kind: Kind, schema: &str, tables: &[&str]) -> Self {
        let office = Self::apart(kind, schema, schema, tables).await;
        office.migrate();
        office
    }

    /// Ends with tables of their own, and without tidegate's.
    pub async fn apart(kind: Kind, desktop: &str, cloud: &str, tables: &[&str]) -> Self {
        let mut office = Office::empty(tables, &[]).await;
        let desk = kind.open(&office).await;
        office.set_desktop(&desk.url());
        office.cloud.batch_execute("set timezone = 'UTC'").await.unwrap();
        let office = Self { user: Mutex::new(desk.session().await), desk, office };
        office.configure("");
        office.desk(desktop).await;
        office.mobile(cloud).await;
        office
    }

    /// An office with jobs 1 to 9, of the desktop, at both ends.
    pub async fn filled(kind: Kind) -> Self {
        let office = Self::open(kind, JOBS, &["jobs"]).await;
        let jobs = (1..10).map(|id| format!("({id}, 'desktop', 'D', {{old}}, {{old}})"));
        office
            .desk(&format!("insert into jobs values {}", jobs.collect::<Vec<_>>().join(", ")))
            .await;
        office.sync().await;
        office
    }

    /// The configuration with `more` in [sync].
    pub fn configure(&self, more: &str) {
        self.office.configure(&format!("{}\n{more}", self.desk.sync()));
    }

    /// A proxy before the desktop, and the desktop's address there.
    pub async fn proxy(&self, kind: Kind) -> (Proxy, String) {
        let direct = self.desk.url();
        let (before, address) = direct.split_once('@').unwrap();
        let (address, database) = address.split_once('/').unwrap();
        let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        let proxy = match kind {
            Kind::Postgres => Proxy::before(port).await,
            Kind::TestServer | Kind::RealServer => Proxy::before_sql_server(port).await,
        };
        let url = format!("{before}@127.0.0.1:{}/{database}", proxy.port());
        (proxy, url)
    }

    /// From now on the desktop has this address; [`configure`](Self::configure) gives it its own again.
    pub fn through(&self, url: &str) {
        self.office.write_config(url, &self.cluster.url("cloud"), self.desk.sync());
    }

    /// Replaces everything below [sync].
    pub fn configure_tables(&mut self, tables: &str) {
        self.office.configure_tables(tables);
        self.configure("");
    }

    /// Its desktop.
    pub fn end(&self) -> &dyn Desk {
        &*self.desk
    }

    /// A further session of a desktop user.
    pub async fn desktop_user(&self) -> Box<dyn Session> {
        self.desk.session().await
    }

    /// A statement in the words of the desktop.
    pub fn words(&self, sql: &str) -> String {
        put(self.desk.words(), sql)
    }

    /// The desktop user does something.
    pub async fn desk(&self, sql: &str) {
        let done = self.user.lock().await.run(&self.words(sql)).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A mobile user does something.
    pub async fn mobile(&self, sql: &str) {
        let done = self.office.cloud.batch_execute(&put(POSTGRES, sql)).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The rows of a query at the desktop.
    pub async fn at_desk(&self, query: &str) -> Vec<String> {
        self.user.lock().await.rows(&self.words(query)).await
    }

    /// The rows of a query in the cloud.
    pub async fn in_cloud(&self, query: &str) -> Vec<String> {
        let messages = self.office.cloud.simple_query(&put(POSTGRES, query)).await;
        let messages = messages.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        messages.iter().filter_map(super::postgres::shown).collect()
    }

    /// The rows of a query on both ends, which must be the same.
    pub async fn same(&self, query: &str) -> Vec<String> {
        let (desk, cloud) = (self.at_desk(query).await, self.in_cloud(query).await);
        assert_eq!(desk, cloud, "{query}");
        cloud
    }

    /// The name of a job, at the desktop and in the cloud.
    pub async fn names_of(&self, id: i32) -> [String; 2] {
        let query = format!("select name from jobs where id = {id}");
        [self.at_desk(&query).await.join(" "), self.in_cloud(&query).await.join(" ")]
    }

    /// What was withheld at the desktop, which is on the way home.
    pub async fn withheld_at_desk(&self) -> Vec<String> {
        self.at_desk("{withheld}").await
    }

    /// What was withheld in the cloud.
    pub async fn withheld_in_cloud(&self) -> Vec<String> {
        self.in_cloud("{withheld}").await
    }

    /// Another round writes and withholds nothing, and the jobs are the same.
    pub async fn assert_settled(&self) {
        let report = self.sync().await;
        assert_eq!(report.written() + report.withheld(), 0, "{report:?}");
        self.same(NAMES).await;
    }
}

/// Read, inserted, updated, unchanged, withheld of the jobs.
pub fn jobs(report: &RunReport) -> [u64; 5] {
    counts(of(report, "jobs"))
}
