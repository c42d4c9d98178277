//! What `check` says of an encrypted way.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::check;
use crate::support::{JOBS, Office};

/// The name in the server's certificate; it resolves nowhere, so URLs add hostaddr.
const NAME: &str = "db.tidegate.test";

/// Gives the office's server a certificate that ends in so many days; returns the authority's.
async fn certify(office: &Office, days: u64) -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.not_after = (SystemTime::now() + Duration::from_secs(days * 24 * 3600)).into();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let data = office.cluster.directory().join("data");
    let owner = std::fs::metadata(&data).unwrap();
    for (name, content) in [("server.crt", certificate), ("server.key", key.serialize_pem())] {
        let path = data.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    for statement in ["alter system set ssl = on", "select pg_reload_conf()"] {
        office.cloud.batch_execute(statement).await.unwrap();
    }
    issuer.pem()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_a_warning() {
    let office = Office::open(JOBS, &["jobs"]).await;
    let dir = tempfile::tempdir().unwrap();
    let authority = dir.path().join("ca.pem");
    for (days, expected) in [(29, &["warning certificate cloud -"][..]), (31, &[])] {
        std::fs::write(&authority, certify(&office, days).await).unwrap();
        let url = format!(
            "postgres://postgres@{NAME}:{}/cloud?hostaddr=127.0.0.1&sslrootcert={}",
            office.cluster.port(),
            authority.display()
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
