//! Who a certificate names, and until when it is valid.

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The names in a certificate that TLS has verified: URIs such as `spiffe://company/app` first, then
/// DNS names. The subject is not one of them: no CA has to check what stands there (RFC 9525,
/// section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateNames(Vec<String>);

impl CertificateNames {
    /// The names of the first certificate of a chain; none of one that cannot be read.
    pub(crate) fn of_chain(chain: &[CertificateDer<'_>]) -> Option<Self> {
        chain.first().map(Self::of)
    }

    fn of(certificate: &CertificateDer<'_>) -> Self {
        let read = Certificate::from_der(certificate);
        let names = read.ok().and_then(|read| {
            let (_, names) = read.tbs_certificate.get::<SubjectAltName>().ok()??;
            Some(names.0)
        });
        let mut uris = Vec::new();
        let mut domains = Vec::new();
        for name in names.into_iter().flatten() {
            match name {
                GeneralName::UniformResourceIdentifier(uri) => uris.push(uri.to_string()),
                GeneralName::DnsName(name) => domains.push(name.to_string().to_lowercase()),
                GeneralName::OtherName(_)
                | GeneralName::Rfc822Name(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EdiPartyName(_)
                | GeneralName::IpAddress(_)
                | GeneralName::RegisteredId(_) => {}
            }
        }
        uris.append(&mut domains);
        Self(uris)
    }

    /// The names, URIs first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// When a certificate ends to be valid.
pub(super) fn not_after(certificate: &CertificateDer<'_>) -> Option<DateTime<Utc>> {
    let read = Certificate::from_der(certificate).ok()?;
    let end = read.tbs_certificate.validity.not_after.to_unix_duration();
    DateTime::from_timestamp(i64::try_from(end.as_secs()).ok()?, 0)
}
