//! A certificate authority of a test's own, and a server's files.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tidegate::demo::Cluster;

/// The name in the servers' certificates; it resolves nowhere, so URLs add hostaddr.
pub const NAME: &str = "db.tidegate.test";

/// A certificate authority in a file.
pub struct Authority {
    pub issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

pub fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "tidegate test CA");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
    // Servers run as another user.
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    Authority { issuer, dir }
}

impl Authority {
    /// Certificate and key for [`NAME`], valid up to the year.
    pub fn issue(&self, until: i32) -> (String, String) {
        self.issue_with(|params| params.not_after = rcgen::date_time_ymd(until, 1, 1))
    }

    /// The same, with what `set` says of the certificate.
    pub fn issue_with(&self, set: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        set(&mut params);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A certificate of a database user for this key.
    pub fn certify(&self, user: &str, key: &KeyPair) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    pub fn file(&self) -> String {
        self.dir.path().join("ca.pem").display().to_string()
    }
}

/// Puts a file into the server's data directory.
pub fn give(cluster: &Cluster, name: &str, content: &str) {
    let data = cluster.directory().join("data");
    let owner = std::fs::metadata(&data).unwrap();
    let path = data.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}
