//! Foresees the end of a server's certificate: each handshake also asks whether the chain will still
//! hold in [`FORESIGHT`].

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::{Error, Kind, Result};

/// Time enough to have a certificate renewed.
const FORESIGHT: Duration = Duration::from_secs(30 * 24 * 3600);

/// When the chain of the last handshake expires, if that is soon.
#[derive(Debug, Clone, Default)]
pub(super) struct Expiry(Arc<OnceLock<SystemTime>>);

impl Expiry {
    /// The end of the first certificate of the chain to expire, if that is soon.
    pub(super) fn soon(&self) -> Option<SystemTime> {
        self.0.get().copied()
    }

    /// rustls's own verification, which notes here what it foresees.
    pub(super) fn noted_by(
        &self,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>> {
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|e| Error::new(Kind::Other, "TLS can't be set up").because(e))?;
        Ok(Arc::new(Foreseeing { inner, expiry: self.clone() }))
    }
}

#[derive(Debug)]
struct Foreseeing {
    inner: Arc<WebPkiServerVerifier>,
    expiry: Expiry,
}

impl ServerCertVerifier for Foreseeing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let at = |time| {
            let inner = &self.inner;
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time)
        };
        let verified = at(now)?;
        let then = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + FORESIGHT);
        if let Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) = at(then)
        {
            let end = SystemTime::UNIX_EPOCH + Duration::from_secs(not_after.as_secs());
            // The first handshake's word is enough.
            let _ = self.expiry.0.set(end);
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
