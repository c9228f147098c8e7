//! Certificates of applications: the public halves of keys by which they prove who they are.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, KeyUsage};

/// An X.509 certificate (RFC 5280), written as PEM (RFC 7468).
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Certificate(CertificateDer<'static>);

/// By what a certificate is called: a hash of its DER form.
pub(crate) enum Thumbprint {
    Sha1,
    Sha256,
}

/// What a certificate says of a signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its key made it.
    Good,
    /// Its key did not, or is shorter than 2048 bits.
    Bad,
    /// Its key is not of the kind that makes such signatures.
    OtherKey,
    /// It is not good any more, or not yet.
    OutOfTime,
}

/// A text that is not one certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("there is no certificate in it, as PEM")]
    None,
    #[error("there is something else in it than one certificate")]
    More,
    #[error("is no PEM: {0}")]
    Pem(rustls_pki_types::pem::Error),
    #[error("is no X.509 certificate that can be used: {0}")]
    Content(Error),
}

impl TryFrom<String> for Certificate {
    type Error = CertificateError;

    fn try_from(pem: String) -> Result<Self, CertificateError> {
        let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        let first = sections.next().ok_or(CertificateError::None)?.map_err(CertificateError::Pem)?;
        let (SectionKind::Certificate, der) = first else { return Err(CertificateError::More) };
        if sections.next().is_some() {
            return Err(CertificateError::More);
        }
        let der = CertificateDer::from(der);
        EndEntityCert::try_from(&der).map_err(CertificateError::Content)?;
        Ok(Self(der))
    }
}

impl From<Certificate> for String {
    fn from(certificate: Certificate) -> Self {
        let text = STANDARD.encode(&certificate.0);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }
}

impl Certificate {
    pub(crate) fn has(&self, kind: &Thumbprint, thumbprint: &[u8]) -> bool {
        let algorithm = match kind {
            // What Entra ID's portal shows, and older clients name a certificate by.
            Thumbprint::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Thumbprint::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, &self.0).as_ref() == thumbprint
    }

    /// Whether the certificate is good now, and its key made that signature of `signed`.
    pub(crate) fn verdict(
        &self,
        algorithm: &dyn SignatureVerificationAlgorithm,
        signed: &[u8],
        signature: &[u8],
        now: OffsetDateTime,
    ) -> Verdict {
        let Ok(certificate) = EndEntityCert::try_from(&self.0) else { return Verdict::Bad };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.unix_timestamp().unsigned_abs()));
        // Nobody vouches for it but whoever registered it. Its dates are what is looked at before anybody is asked for.
        let path = certificate.verify_for_usage(&[], &[], &[], now, KeyUsage::client_auth(), None, None);
        if matches!(path, Err(Error::CertExpired { .. } | Error::CertNotValidYet { .. })) {
            return Verdict::OutOfTime;
        }
        match certificate.verify_signature(algorithm, signed, signature) {
            Ok(()) => Verdict::Good,
            Err(Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => Verdict::OtherKey,
            Err(_) => Verdict::Bad,
        }
    }
}
