//! The certificates of an embedded stack: a CA of its own, and one certificate for each program and
//! for whoever runs it. They are made again when they are about to expire. The CA's key is never
//! written, so that nobody can issue another one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, Duration, Utc};
use echeck_service::privacy;
use echeck_service::tls::{ClientTls, ClientTlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use secrecy::SecretString;

/// How long the certificates are valid.
const VALID: Duration = Duration::days(365);

/// With less than this left, they are made again.
const LEAST: Duration = Duration::days(30);

/// Who has a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The returns service.
    Returns,
    /// The adapter of the core gateway's database.
    GatewayAdapter,
    /// The adapter of the RallyPay database.
    RallypayAdapter,
    /// Whoever runs the stack.
    Operator,
}

impl Holder {
    const ALL: [Self; 4] = [
        Self::Returns,
        Self::GatewayAdapter,
        Self::RallypayAdapter,
        Self::Operator,
    ];

    /// The name of its files.
    const fn name(self) -> &'static str {
        match self {
            Self::Returns => "returns-service",
            Self::GatewayAdapter => "gateway-adapter",
            Self::RallypayAdapter => "rallypay-adapter",
            Self::Operator => "operator",
        }
    }

    /// The name in its certificate, which is its identity.
    pub fn identity(self) -> String {
        format!("spiffe://echeck.local/{}", self.name())
    }
}

/// The folder of the certificates.
#[derive(Debug, Clone)]
pub struct OwnTrust {
    folder: PathBuf,
}

impl OwnTrust {
    /// The certificates of the stack whose data is in `data`.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join("tls"),
        }
    }

    /// Opens the folder, and makes what is missing or about to expire.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn open(data: &Path, now: DateTime<Utc>) -> Result<Self> {
        let trust = Self::of(data);
        let shown = trust.folder.display().to_string();
        privacy::private_folder(&trust.folder)
            .with_context(|| format!("{shown} cannot be made private"))?;
        if trust.lasts(now) {
            return Ok(trust);
        }
        trust
            .make(now)
            .with_context(|| format!("certificates cannot be made in {shown}"))?;
        Ok(trust)
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Somebody's certificate and key.
    pub fn certificate(&self, holder: Holder) -> (PathBuf, PathBuf) {
        let name = holder.name();
        (
            self.folder.join(format!("{name}.pem")),
            self.folder.join(format!("{name}.key")),
        )
    }

    /// What a caller shows and trusts.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn client(&self, holder: Holder) -> Result<ClientTls> {
        let files = ClientTlsFiles {
            ca: self.ca(),
            certificate: Some(self.certificate(holder)),
        };
        Ok(ClientTls::new(files)?)
    }

    /// The section `[server.tls]` of a program.
    pub(super) fn server_section(&self, holder: Holder) -> String {
        let (certificate, key) = self.certificate(holder);
        let ca = self.ca();
        format!(
            "[server.tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n\
             client_ca_file = {ca:?}\n"
        )
    }

    /// Whether all are there, and valid for a while.
    fn lasts(&self, now: DateTime<Utc>) -> bool {
        let until = fs::read_to_string(self.until()).ok();
        let until = until.and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok());
        let lasts = until.is_some_and(|until| until.to_utc() - now > LEAST);
        let are_there = Holder::ALL.iter().all(|holder| {
            let (certificate, key) = self.certificate(*holder);
            certificate.exists() && key.exists()
        });
        lasts && are_there && self.ca().exists()
    }

    /// The file that says until when the certificates are valid. It is written last.
    fn until(&self) -> PathBuf {
        self.folder.join("valid_until")
    }

    fn make(&self, now: DateTime<Utc>) -> Result<()> {
        let until = now + VALID;
        let mut params = params("echeck's own CA", now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let ca = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        for holder in Holder::ALL {
            self.issue(holder, &issuer, now)?;
        }
        fs::write(self.ca(), ca.pem())?;
        fs::write(self.until(), until.to_rfc3339())?;
        Ok(())
    }

    fn issue(
        &self,
        holder: Holder,
        issuer: &Issuer<'_, KeyPair>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut params = params(holder.name(), now)?;
        params.subject_alt_names = vec![
            SanType::URI(holder.identity().try_into()?),
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress([127, 0, 0, 1].into()),
        ];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, issuer)?;
        let (certificate_file, key_file) = self.certificate(holder);
        remove(&key_file)?;
        privacy::create_secret(&key_file, &SecretString::from(key.serialize_pem()))?;
        fs::write(certificate_file, certificate.pem())?;
        Ok(())
    }
}

fn params(name: &str, now: DateTime<Utc>) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    // Valid since yesterday, so that a clock that is a little behind finds it so.
    let (year, month, day) = date(now - Duration::days(1))?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now + VALID)?;
    params.not_after = date_time_ymd(year, month, day);
    Ok(params)
}

/// The day of a moment.
fn date(at: DateTime<Utc>) -> Result<(i32, u8, u8)> {
    Ok((
        at.year(),
        u8::try_from(at.month())?,
        u8::try_from(at.day())?,
    ))
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
