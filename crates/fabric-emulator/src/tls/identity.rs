//! What a server shows to prove who it is.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::{LOCAL, TlsError};

/// A certificate with its key. Clones are handles to the same one.
#[derive(Clone)]
pub struct ServerIdentity {
    config: Arc<ServerConfig>,
}

impl ServerIdentity {
    /// A certificate of somebody else's making, such as mkcert's: the chain, server first, and its private key.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(TlsError::of("read the certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(TlsError::of("read the certificate's private key"))?;
        Self::new(chain, key)
    }

    /// A certificate that `authority` signed; checked as a client would.
    pub(super) fn issued(
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
        authority: CertificateDer<'static>,
    ) -> Result<Self, TlsError> {
        let refused = "verify a certificate of the authority's";
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(TlsError::of(refused))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(TlsError::of(refused))?;
        let name = ServerName::try_from(LOCAL[0]).map_err(TlsError::of(refused))?;
        verifier
            .verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
            .map_err(TlsError::of(refused))?;
        Self::new(vec![certificate], key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let refused = "use the certificate for a server";
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::of(refused))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::of(refused))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
