//! A run that loses a connection or a server: at a byte, at a moment, for ever or for a while. It ends
//! in bounded time, and nothing is lost, doubled, or left behind.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tidegate::demo::Shutdown;
use tokio::time::sleep;

use crate::proxy::{Fault, Proxy, Way};
use crate::support::{JOBS, Office, long, value};

const ROWS: u32 = 1000;

/// Codes of a run that was disturbed: done after all, failed, failed in part, an end unreachable; or
/// the server hasn't noticed yet, and the session that was lost holds the table.
const DISTURBED: [i32; 6] = [0, 1, 3, 11, 13, 75];

/// Two tables, one of which refers to the other, with proxies before both ends.
struct Scene {
    office: Office,
    desktop: Proxy,
    cloud: Proxy,
    mobile: String,
    random: Random,
    round: u32,
}

const MOBILE: &str = "select string_agg(j::text || xmin, ' ' order by id) from jobs j \
                      where source = 'M'";
const DESKTOP: [&str; 2] = [
    "select count(*) || ' ' || md5(string_agg(j::text, ' ' order by id)) from jobs j \
     where source = 'D' and id <> 7",
    "select count(*) || ' ' || md5(string_agg(t::text, ' ' order by id)) from tasks t",
];

impl Scene {
    async fn open() -> Self {
        let tasks = "create table tasks (like jobs including all, job integer references jobs);";
        let office = Office::open(&format!("{JOBS}{tasks}"), &["jobs", "tasks"]).await;
        let desktop = Proxy::before(office.cluster.port()).await;
        let cloud = Proxy::before(office.cluster.port()).await;
        office.write_config(&desktop.url("desktop"), &cloud.url("cloud"), "batch_rows = 200");
        let old = "'D', now() - interval '1 day', now() - interval '1 day'";
        let fill = format!(
            "insert into jobs select i, 'job', {old} from generate_series(1, {ROWS}) i; \
             insert into tasks select i, 'task', {old}, i from generate_series(1, {ROWS}) i"
        );
        office.desktop.batch_execute(&fill).await.unwrap();
        let mobile = "insert into jobs values (7, 'on the phone', 'M', now(), now()), \
                      (99999, 'on the phone', 'M', now(), now())";
        office.cloud.batch_execute(mobile).await.unwrap();
        let mobile = value(&office.cloud, MOBILE).await;
        let scene = Self { office, desktop, cloud, mobile, random: Random::new(), round: 0 };
        scene.runs_on("the first load").await;
        scene
    }

    fn proxy(&self, end: &str) -> &Proxy {
        if end == "desktop" { &self.desktop } else { &self.cloud }
    }

    /// Every job is edited, and one of each is new.
    async fn work_at_the_desk(&mut self) {
        self.round += 1;
        let edit = format!(
            "update jobs set name = 'round {0}', updated_at = clock_timestamp(); \
             insert into jobs select {1} + {0}, 'new', 'D', now(), now(); \
             insert into tasks select {1} + {0}, 'new', 'D', now(), now(), {1} + {0}",
            self.round, ROWS
        );
        self.office.desktop.batch_execute(&edit).await.unwrap();
    }

    fn spawn(&self, failpoints: &str) -> Child {
        let mut command = self.office.command(&["forward"]);
        command.env("FAILPOINTS", failpoints);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The disturbance is over: nothing of the run is left, the next one goes on, all is there.
    async fn recovers(&self, context: &str) {
        self.desktop.recover();
        self.cloud.recover();
        self.office.until_no_session(context).await;
        let locks = "select (count(*) = 0)::text from pg_locks where locktype = 'advisory'";
        self.office.until(locks, context).await;
        self.runs_on(context).await;
    }

    async fn runs_on(&self, context: &str) {
        let next = ends(self.spawn(""), 60).await;
        assert_eq!(next.status.code(), Some(0), "{context}: {next:?}");
        self.is_whole(context).await;
    }

    /// Done after all, which has to be true, or an error that names an end.
    async fn is_disturbed(&self, output: &Output, context: &str) {
        let code = output.status.code().unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(DISTURBED.contains(&code), "{context}: {code} {said}");
        if code == 0 {
            return self.is_whole(context).await;
        }
        let named = ["the desktop", "the cloud"].iter().any(|end| said.contains(end));
        assert!(named, "{context}: {code} {said}");
    }

    /// What the desktop has is in the cloud, once, and what mobile users made is as it was.
    async fn is_whole(&self, context: &str) {
        for query in DESKTOP {
            let desktop = value(&self.office.desktop, query).await;
            assert_eq!(value(&self.office.cloud, query).await, desktop, "{context}");
        }
        assert_eq!(value(&self.office.cloud, MOBILE).await, self.mobile, "{context}");
        let withheld = self.office.withheld().await;
        assert_eq!(withheld, [r#"{"id": "7"} key_collision"#], "{context}");
    }
}

/// The end of a run that must come by itself.
async fn ends(mut child: Child, seconds: u64) -> Output {
    let end = Instant::now() + Duration::from_secs(seconds);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("still running after {seconds} s: {:?}", child.wait_with_output());
        }
        sleep(Duration::from_millis(10)).await;
    }
    child.wait_with_output().unwrap()
}

/// Numbers that look random; the same seed gives the same ones.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = crate::support::seed().unwrap_or(now.as_millis() as u64);
        println!("TIDEGATE_SEED={seed}");
        Self(seed)
    }

    /// Below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

const WAYS: [(&str, Way); 4] = [
    ("cloud", Way::ToServer),
    ("cloud", Way::ToClient),
    ("desktop", Way::ToServer),
    ("desktop", Way::ToClient),
];

/// How many bytes pass that way in a run with work to do.
async fn lengths(scene: &mut Scene) -> [u64; 4] {
    scene.work_at_the_desk().await;
    scene.desktop.set(Fault::None, 0);
    scene.cloud.set(Fault::None, 0);
    let run = ends(scene.spawn(""), 60).await;
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    WAYS.map(|(end, way)| match (way, scene.proxy(end).tally()) {
        (Way::ToServer, tally) => tally.to_server,
        (Way::ToClient, tally) => tally.to_client,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_cut_anywhere() {
    let mut scene = Scene::open().await;
    let lengths = lengths(&mut scene).await;
    let rounds = if long() { 150 } else { 5 };
    let (mut struck, mut survived) = (0, 0);
    for round in 0..rounds {
        for ((end, way), length) in WAYS.into_iter().zip(lengths) {
            // Each part of the conversation gets its share.
            let part = length / rounds;
            let at = round * part + scene.random.below(part);
            let times = if round % 2 == 0 { 1 } else { 99 };
            let context = format!("{end}, cut at byte {at} of {length} {way:?}, {times} times");
            scene.work_at_the_desk().await;
            scene.proxy(end).set(Fault::Cut(way, at), times);
            let output = ends(scene.spawn(""), 60).await;
            scene.is_disturbed(&output, &context).await;
            struck += u64::from(scene.proxy(end).tally().struck > 0);
            survived += u64::from(output.status.code() == Some(0));
            scene.recovers(&context).await;
        }
    }
    println!("{struck} of {} runs were cut, {survived} got through", 4 * rounds);
    assert!(struck > rounds * 3, "{struck}");
}

/// The other side takes everything and says nothing: no error of the network ends that.
#[tokio::test(flavor = "multi_thread")]
async fn p04_half_open() {
    let mut scene = Scene::open().await;
    let lengths = lengths(&mut scene).await;
    let rounds = if long() { 20 } else { 2 };
    for round in 0..rounds {
        for ((end, way), length) in WAYS.into_iter().zip(lengths) {
            // Within a login, the pool's own limit of 30 s holds.
            let at = 800 + scene.random.below(length.saturating_sub(800));
            let times = if round % 2 == 0 { 1 } else { 3 };
            let context = format!("{end}, stalled at byte {at} of {length} {way:?}, {times} times");
            scene.work_at_the_desk().await;
            scene.proxy(end).set(Fault::Stall(way, at), times);
            let output = ends(scene.spawn("patience=return(500)"), 60).await;
            scene.is_disturbed(&output, &context).await;
            if scene.proxy(end).tally().struck > 0 {
                let log = String::from_utf8_lossy(&output.stderr);
                assert!(log.contains("has not answered for 0.5 s"), "{context}: {log}");
            }
            scene.recovers(&context).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_backends_cost_no_row() {
    let mut scene = Scene::open().await;
    let rounds = if long() { 200 } else { 8 };
    let mut killed = 0;
    for round in 0..rounds {
        let end = ["cloud", "desktop"][round % 2];
        scene.work_at_the_desk().await;
        let run = scene.spawn("");
        let after = scene.random.below(400);
        sleep(Duration::from_millis(after)).await;
        let kill = format!(
            "select count(pg_terminate_backend(pid))::text from pg_stat_activity \
             where datname = '{end}' and application_name like 'tidegate%'"
        );
        killed += value(&scene.office.cloud, &kill).await.parse::<u32>().unwrap();
        let context = format!("backends of the {end} ended after {after} ms");
        scene.is_disturbed(&ends(run, 60).await, &context).await;
        scene.recovers(&context).await;
    }
    println!("{killed} backends ended in {rounds} runs");
    assert!(killed > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_costs_no_row() {
    let mut scene = Scene::open().await;
    let rounds = if long() { 40 } else { 2 };
    for round in 0..rounds {
        let how = [Shutdown::Immediate, Shutdown::Fast][round % 2];
        scene.work_at_the_desk().await;
        let run = scene.spawn("");
        let after = 50 + scene.random.below(400);
        sleep(Duration::from_millis(after)).await;
        let context = format!("{how:?} restart after {after} ms");
        let cluster = &mut scene.office.cluster;
        tokio::task::block_in_place(|| {
            cluster.stop_server(how).unwrap();
            cluster.start_server().unwrap();
        });
        scene.office.desktop = scene.office.desktop_session().await;
        scene.office.cloud = scene.office.cloud_session().await;
        scene.is_disturbed(&ends(run, 60).await, &context).await;
        scene.recovers(&context).await;
    }
}
