//! A client certificate and its key: who tidegate is, for a server that asks for one.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustls::ConfigBuilder;
use rustls::client::{ClientConfig, WantsClientCert};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Result};

const CERTIFICATE_REMEDY: &str = "Name a PEM file with the certificate of the client, any \
    intermediate ones after it, readable for tidegate.";
const KEY_REMEDY: &str = "Name a PEM file with the private key that belongs to sslcert, readable \
    for tidegate and nobody else.";

/// The files of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Identity {
    /// Reads both files, and puts them into the configuration.
    pub(super) fn prove(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig> {
        let (chain, key) = (self.chain()?, self.key()?);
        builder.with_client_auth_cert(chain, key).map_err(|e| {
            let (certificate, key) = (self.certificate.display(), self.key.display());
            Error::config(
                match e {
                    rustls::Error::InconsistentKeys(_) => {
                        format!("sslkey {key}: not the key of the certificate {certificate}")
                    }
                    e => format!("sslcert {certificate} with sslkey {key}: {e}"),
                },
                "Name the key and the certificate that were made for each other.",
            )
        })
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
        let refused = |why: String| {
            let path = self.certificate.display();
            Error::config(format!("sslcert {path}: {why}"), CERTIFICATE_REMEDY)
        };
        let pem = fs::read(&self.certificate).map_err(|e| refused(e.to_string()))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| refused(e.to_string()))?;
        match chain.is_empty() {
            false => Ok(chain),
            true => Err(refused("no certificate in it".to_owned())),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>> {
        let refused = |why: &str, remedy: &str| {
            Error::config(format!("sslkey {}: {why}", self.key.display()), remedy)
        };
        let unreadable = |e: std::io::Error| refused(&e.to_string(), KEY_REMEDY);
        let metadata = fs::metadata(&self.key).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused("not a file", KEY_REMEDY));
        }
        if is_shared(&metadata) {
            return Err(refused(
                "others than its owner may read it",
                &format!("Take that right away: chmod 600 {}", quoted(&self.key)),
            ));
        }
        let text = fs::read(&self.key).map_err(unreadable)?;
        if is_encrypted(&text) {
            return Err(refused(
                "it is encrypted, and tidegate can't be asked for the password",
                "Decrypt it (openssl pkey -in encrypted.pem -out key.pem), and let nobody else \
                 read the result.",
            ));
        }
        PrivateKeyDer::from_pem_slice(&text).map_err(|e| match e {
            pem::Error::NoItemsFound => refused("no private key in it", KEY_REMEDY),
            // Its own words could repeat a part of the file.
            _ => refused("it is no PEM file", KEY_REMEDY),
        })
    }
}

/// The rule of libpq: root's own may be read by a group, anybody else's by nobody else.
fn is_shared(metadata: &Metadata) -> bool {
    let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    metadata.permissions().mode() & others != 0
}

/// PKCS#8 says it in the first line, the older forms in the second.
fn is_encrypted(pem: &[u8]) -> bool {
    let holds = |mark: &[u8]| pem.windows(mark.len()).any(|part| part == mark);
    holds(b"BEGIN ENCRYPTED PRIVATE KEY") || holds(b"Proc-Type: 4,ENCRYPTED")
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
