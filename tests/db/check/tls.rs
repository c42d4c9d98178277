//! What `check` says of an encrypted way.

use std::time::{Duration, SystemTime};

use super::check;
use crate::authority::{Authority, NAME, authority, give};
use crate::support::{JOBS, Office};

/// Gives the office's server a certificate that ends in so many days.
async fn certify(office: &Office, authority: &Authority, days: u64) {
    let end = SystemTime::now() + Duration::from_secs(days * 24 * 3600);
    let (certificate, key) = authority.issue_with(|params| params.not_after = end.into());
    give(&office.cluster, "server.crt", &certificate);
    give(&office.cluster, "server.key", &key);
    for statement in ["alter system set ssl = on", "select pg_reload_conf()"] {
        office.cloud.batch_execute(statement).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_a_warning() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let authority = authority();
    for (days, expected) in [(29, &["warning certificate cloud -"][..]), (31, &[])] {
        certify(&office, &authority, days).await;
        let url = format!(
            "postgres://postgres@{NAME}:{}/cloud?hostaddr=127.0.0.1&sslrootcert={}",
            office.cluster.port(),
            authority.file()
        );
        office.write_config(&office.cluster.url("desktop"), &url, "");
        // The server takes its new certificate when it comes to it.
        let end = std::time::Instant::now() + Duration::from_secs(10);
        let found = loop {
            let found = check(&office, &[]);
            if found.code == 0 || std::time::Instant::now() > end {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(found.unusual(), expected, "{}", found.document);
        assert_eq!(found.code, 0);
        let tls: Vec<_> = found.findings().iter().filter(|f| f["check"] == "tls").collect();
        let said = tls[1]["message"].as_str().unwrap();
        assert!(said.starts_with("encrypted and verified, TLSv1.3, TLS_"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_gives_up_tls_is_a_warning() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let url = format!(
        "postgres://postgres@{NAME}:{}/cloud?hostaddr=127.0.0.1&sslmode=disable",
        office.cluster.port()
    );
    office.write_config(&office.cluster.url("desktop"), &url, "");
    let found = check(&office, &[]);
    assert_eq!((found.code, found.unusual()), (0, vec!["warning tls cloud -".to_owned()]));
    assert!(found.said("warning", "tls").contains("readable and unverified"));
}
