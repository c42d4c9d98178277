//! TLS with verification of chain and host name; there is no weaker kind.
//!
//! The host's name is sent along (SNI), which is how Neon tells its databases from each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::expiry::Expiry;
use super::identity::Identity;
use crate::error::{Error, Kind, Result};

/// Whether a connection is encrypted and verified, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    Off,
    Verified(Trust),
}

/// Whom a connection believes, and as whom it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trust {
    pub(super) roots: Roots,
    pub(super) identity: Option<Identity>,
}

/// The certificate authorities that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file, and no others.
    File(PathBuf),
}

/// What tokio-postgres needs to speak TLS; `expiry` learns how long the server's chain lasts.
pub(super) fn connector(trust: &Trust, expiry: &Expiry) -> Result<MakeRustlsConnect> {
    let roots = match &trust.roots {
        Roots::System => system_roots()?,
        Roots::File(path) => file_roots(path)?,
    };
    // Named here, because a provider for the whole process would be somebody else's choice.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = expiry.noted_by(roots.clone(), Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(Kind::Other, "TLS can't be set up").because(e))?
        .with_root_certificates(roots);
    let mut config = match &trust.identity {
        Some(identity) => identity.prove(builder)?,
        None => builder.with_no_client_auth(),
    };
    config.dangerous().set_certificate_verifier(verifier);
    // As libpq does since 17; sslnegotiation=direct needs it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn system_roots() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // Old stores hold certificates that rustls can't read; the others serve.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        false => Ok(roots),
        true => Err(Error::config(
            "the operating system has no CA certificates",
            "Install them (Debian: ca-certificates), or name a CA file with sslrootcert.",
        )),
    }
}

fn file_roots(path: &Path) -> Result<RootCertStore> {
    let refused = |why: String| {
        Error::config(
            format!("sslrootcert {}: {why}", path.display()),
            "Name a PEM file with the CA certificate of the server, readable for tidegate.",
        )
    };
    let pem = std::fs::read(path).map_err(|e| refused(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| refused(e.to_string()))?;
        roots.add(certificate).map_err(|e| refused(e.to_string()))?;
    }
    match roots.is_empty() {
        false => Ok(roots),
        true => Err(refused("no certificate in it".to_owned())),
    }
}

/// Whether the server turned our certificate down, or the lack of one.
pub(super) fn is_refusal(e: &rustls::Error) -> bool {
    use rustls::AlertDescription as A;
    let rustls::Error::AlertReceived(alert) = e else { return false };
    matches!(
        alert,
        A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::CertificateRequired
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError
            | A::NoCertificate
    )
}

/// What to do about a handshake that failed, where there is advice beyond "check the network".
pub(super) fn remedy(e: &rustls::Error) -> Option<&'static str> {
    use rustls::CertificateError as C;
    let rustls::Error::InvalidCertificate(why) = e else { return None };
    match why {
        C::UnknownIssuer => Some(
            "Download the CA certificate (Supabase: Database settings, SSL; RDS: \
             global-bundle.pem) and add sslrootcert=/path/to/it to the URL.",
        ),
        C::BadSignature => Some(
            "The CA of sslrootcert has the issuer's name but another key, as when it was made \
             anew: get its certificate again.",
        ),
        C::NotValidForName | C::NotValidForNameContext { .. } => Some(
            "Connect by a name that the certificate carries as subjectAltName; with hostaddr=… in \
             the URL that name need not resolve.",
        ),
        C::Expired | C::ExpiredContext { .. } => {
            Some("Renew the server's certificate; if it is new, check the clock of this machine.")
        }
        C::NotValidYet | C::NotValidYetContext { .. } => Some("Check the clock of this machine."),
        C::Other(_) => Some(
            "The server needs a certificate of its own, issued by a CA; a CA certificate itself, \
             or one of version 1, can't serve.",
        ),
        _ => None,
    }
}
