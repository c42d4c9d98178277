//! `check` through a pooler in transaction mode.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::check;
use crate::support::{JOBS, Office};

/// A pgbouncer before a cluster, gone when dropped.
struct Bouncer {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Bouncer {
    fn before(office: &Office, mode: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let database = |name: &str| {
            format!("{name} = user=postgres host=127.0.0.1 port={}\n", office.cluster.port())
        };
        let ini = format!(
            "[databases]\n{}{}[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\n",
            database("desktop"),
            database("cloud")
        );
        let path = dir.path().join("ini");
        std::fs::write(&path, ini).unwrap();
        let owner = std::fs::metadata(office.cluster.directory().join("data")).unwrap();
        chown(dir.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let child = Command::new("/usr/sbin/pgbouncer")
            .arg("-q")
            .arg(&path)
            .uid(owner.uid())
            .gid(owner.gid())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bouncer = Self { child, port, _dir: dir };
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "pgbouncer did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        bouncer
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_is_recognised_and_is_fine() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let poolers = |found: &super::Checked| -> Vec<String> {
        let poolers = found.findings().iter().filter(|f| f["check"] == "pooler");
        poolers.map(|f| format!("{} {}", f["level"], f["end"])).collect()
    };
    assert_eq!(poolers(&check(&office, &[])), [""; 0]);
    for (mode, expected) in
        [("transaction", &[r#""ok" "desktop""#, r#""ok" "cloud""#][..]), ("session", &[])]
    {
        let bouncer = Bouncer::before(&office, mode);
        office.write_config(&bouncer.url("desktop"), &bouncer.url("cloud"), "");
        let found = check(&office, &[]);
        assert_eq!((found.code, found.unusual()), (0, vec![]), "{mode}: {}", found.document);
        assert_eq!(poolers(&found), expected, "{mode}: {}", found.document);
    }
}
