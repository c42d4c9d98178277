//! The answer to COMMIT is lost on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate::run::{Outcome, RunReport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Caught;
use crate::support::{JOBS, Office, of, value};

/// A COMMIT of its own, as it goes over the wire.
const COMMIT: &[u8] = b"Q\0\0\0\x0bcommit\0";

/// Passes everything on, but the answer to the first COMMIT: then it cuts the connection.
struct Proxy {
    port: u16,
    cuts: Arc<AtomicBool>,
    _listening: JoinSet<()>,
}

impl Proxy {
    async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&cuts);
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                sessions.spawn(pass_on(client, server, Arc::clone(&cut)));
            }
        });
        Self { port, cuts, _listening: listening }
    }
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, cut: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let (from, to, bytes) = tokio::select! {
            n = client.read(&mut asked) => (n, &mut server, &asked),
            n = server.read(&mut answered) => (n, &mut client, &answered),
        };
        let Ok(n @ 1..) = from else { return };
        if to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
        let commits = bytes[..n].windows(COMMIT.len()).any(|w| w == COMMIT);
        if commits && cut.swap(false, Ordering::Relaxed) {
            // The server has committed when it answers; the answer goes nowhere.
            assert!(server.read(&mut answered).await.unwrap() > 0);
            return;
        }
    }
}

/// A run whose first COMMIT is not answered, and how many rows are in the cloud after it.
async fn run() -> (RunReport, String) {
    let office = Office::open(JOBS, &["jobs"]).await;
    let cloud = office.cluster.url("cloud");
    let port = cloud.rsplit(':').next().unwrap().split('/').next().unwrap();
    let proxy = Proxy::before(port.parse().unwrap()).await;
    let through = cloud.replace(port, &proxy.port.to_string());
    office.write_config(&office.cluster.url("desktop"), &through, "");
    let write = "insert into jobs values (1, 'job', 'D', now(), now())";
    office.desktop.batch_execute(write).await.unwrap();
    proxy.cuts.store(true, Ordering::Relaxed);
    let report = office.forward().await;
    assert!(!proxy.cuts.load(Ordering::Relaxed), "no COMMIT went through the proxy");
    let rows = value(&office.cloud, "select count(*)::text from jobs").await;
    assert_eq!(office.forward().await.exit_code(false), 0);
    office.same_on_both_ends("select jobs::text from jobs").await;
    (report, rows)
}

/// Without the read-back the run doesn't know that it committed; the generation keeps it from
/// merging the batch again.
pub(super) async fn forgotten() -> Caught {
    let (report, rows) = run().await;
    assert_eq!(
        (report.outcome, of(&report, "jobs").inserted, rows.as_str()),
        (Outcome::Ok, 1, "1")
    );
    fail::cfg("no_read_back", "return").unwrap();
    let (report, rows) = run().await;
    fail::remove("no_read_back");
    match (&of(&report, "jobs").error, report.exit_code(false), rows.as_str()) {
        (Some(trouble), code @ 75, "1") => Ok(format!("exit {code}: {}", trouble.message)),
        _ => Err(format!("{rows} rows and {report:?}")),
    }
}
