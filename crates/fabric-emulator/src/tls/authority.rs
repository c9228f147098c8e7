//! The authority that signs server certificates.

use std::net::Ipv6Addr;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use super::{LOCAL, NAMES, ServerIdentity, TlsError};

/// How long an authority is good for, as mkcert's.
const AUTHORITY_LIFETIME: Duration = Duration::days(3650);
/// How long a server's certificate is good for. Some clients refuse more than 398 days.
const SERVER_LIFETIME: Duration = Duration::days(397);

/// A certificate authority with its key, made for one emulator or kept for many.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// Makes a new one, with a key of its own.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn generate() -> Result<Self, TlsError> {
        let failed = "make a certificate authority";
        let key = KeyPair::generate().map_err(TlsError::of(failed))?;
        let params = params()?;
        let certificate = params.self_signed(&key).map_err(TlsError::of(failed))?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// One that was kept: what [`Authority::certificate_pem`] and [`Authority::key_pem`] gave.
    ///
    /// # Errors
    /// When `key` is no private key. Whether the certificate belongs to it, [`Authority::identity`] finds out.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let key = KeyPair::from_pem(key).map_err(TlsError::of("read the authority's private key"))?;
        Ok(Self { issuer: Issuer::new(params()?, key), certificate: certificate.to_owned() })
    }

    /// The certificate that clients have to trust, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The private key, as PEM (PKCS #8). Who has it can pretend to be the real services, to those who trust the
    /// authority.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A server certificate for this machine and the real services, with a new key.
    ///
    /// # Errors
    /// When the authority is not one of the emulator's, is not good at this time, or has another key.
    pub fn identity(&self) -> Result<ServerIdentity, TlsError> {
        let failed = "make a server certificate";
        let names: Vec<String> = LOCAL.iter().chain(NAMES).map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(TlsError::of(failed))?;
        params.distinguished_name.push(DnType::CommonName, "selvedge emulator");
        (params.not_before, params.not_after) = lasting(SERVER_LIFETIME);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(TlsError::of(failed))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(TlsError::of(failed))?;
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(TlsError::of("read the authority's certificate"))?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerIdentity::issued(certificate.into(), key, authority)
    }
}

/// What an authority's certificate says. It vouches for the emulator's names only (RFC 5280 4.2.1.10).
fn params() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new([]).map_err(TlsError::of("make a certificate authority"))?;
    params.distinguished_name.push(DnType::CommonName, "selvedge emulator authority");
    (params.not_before, params.not_after) = lasting(AUTHORITY_LIFETIME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let domains = ["localhost"]
        .iter()
        .chain(NAMES)
        .map(|name| GeneralSubtree::DnsName(name.trim_start_matches("*.").to_owned()));
    let addresses = [
        GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
        GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128)),
    ];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: domains.chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

/// From yesterday on: clocks differ.
fn lasting(lifetime: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let from = OffsetDateTime::now_utc() - Duration::DAY;
    (from, from + lifetime)
}
