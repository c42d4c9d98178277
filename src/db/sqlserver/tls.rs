//! What `[desktop] tls` means for one host, and how tiberius is told.
//!
//! | `tls` | loopback | any other host |
//! |---|---|---|
//! | none | no TLS | verified |
//! | `"verify-full"`, `{ ca = … }` | verified | verified |
//! | `"trust-server"` | encrypted | encrypted, with a warning |
//! | `"off"` | no TLS | no TLS, with a warning |
//!
//! Verified is the chain and the name. tiberius verifies by itself, so that the authorities of the
//! operating system serve beside those of a file, and the end of a certificate is not foreseen. A
//! server that asks for TLS gets it also with `"off"`, and is verified then.

use std::net::IpAddr;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tiberius::{Config, EncryptionLevel};

use crate::config::TlsSetting;
use crate::error::{End, Error, Result};

/// How what is said to a database gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// It does not leave this machine.
    Local,
    /// Readable, over a network.
    Plain,
    /// By TLS, to whoever answers.
    Unverified,
    /// By TLS, to a server that was verified.
    Verified,
}

/// What `setting` comes to for `host`.
pub(super) fn transport(setting: &TlsSetting, host: &str) -> Transport {
    match setting {
        TlsSetting::Unset | TlsSetting::Off if is_local(host) => Transport::Local,
        TlsSetting::Unset | TlsSetting::VerifyFull | TlsSetting::Ca(_) => Transport::Verified,
        TlsSetting::TrustServer => Transport::Unverified,
        TlsSetting::Off => Transport::Plain,
    }
}

/// Whether no connection leaves this machine.
pub(super) fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Tells tiberius, and warns of what is given up on a network.
pub(super) fn apply(
    config: &mut Config,
    setting: &TlsSetting,
    transport: Transport,
    host: &str,
    end: End,
) -> Result<()> {
    config.encryption(match transport {
        Transport::Local | Transport::Plain => EncryptionLevel::NotSupported,
        Transport::Unverified | Transport::Verified => EncryptionLevel::Required,
    });
    match setting {
        TlsSetting::Ca(path) => config.trust_cert_ca_bundle(authorities(path, end)?),
        TlsSetting::TrustServer => config.trust_cert(),
        TlsSetting::Unset | TlsSetting::VerifyFull | TlsSetting::Off => {}
    }
    match transport {
        Transport::Plain => tracing::warn!(
            "[{end}] has tls = \"off\": the password and every row cross the network readable and \
             unverified; write tls = \"verify-full\", or {{ ca = \"/path/to/ca.pem\" }}"
        ),
        Transport::Unverified if !is_local(host) => tracing::warn!(
            "[{end}] has tls = \"trust-server\": whoever answers in the server's place gets the \
             password and every row; name its certificate with tls = {{ ca = \"/path/to/ca.pem\" }}"
        ),
        Transport::Local | Transport::Unverified | Transport::Verified => {}
    }
    Ok(())
}

/// The PEM file's content, if there are certificates in it.
fn authorities(path: &Path, end: End) -> Result<Vec<u8>> {
    let refused = |why: String| {
        Error::config(
            format!("[{end}] tls, ca = {}: {why}", path.display()),
            "Name a PEM file with the CA certificate of the server, or with the server's own if it \
             issued that itself, readable for tidegate.",
        )
    };
    let pem = std::fs::read(path).map_err(|e| refused(e.to_string()))?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        certificate.map_err(|e| refused(e.to_string()))?;
        count += 1;
    }
    match count {
        0 => Err(refused("no certificate in it".to_owned())),
        _ => Ok(pem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_needs_no_tls() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"] {
            assert_eq!(transport(&TlsSetting::Unset, host), Transport::Local, "{host}");
            assert_eq!(transport(&TlsSetting::Off, host), Transport::Local, "{host}");
            assert_eq!(transport(&TlsSetting::VerifyFull, host), Transport::Verified, "{host}");
        }
        for host in ["h.example", "10.0.0.1", "localhost.example.com", "2001:db8::1"] {
            assert_eq!(transport(&TlsSetting::Unset, host), Transport::Verified, "{host}");
            assert_eq!(transport(&TlsSetting::Off, host), Transport::Plain, "{host}");
            assert_eq!(transport(&TlsSetting::TrustServer, host), Transport::Unverified, "{host}");
        }
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let e = authorities(file.path(), End::Desktop).unwrap_err();
        assert!(e.to_string().contains("no certificate in it"), "{e}");
        let e = authorities(Path::new("/nowhere/ca.pem"), End::Desktop).unwrap_err();
        assert!(e.to_string().contains("[desktop] tls, ca = /nowhere/ca.pem"), "{e}");
    }
}
