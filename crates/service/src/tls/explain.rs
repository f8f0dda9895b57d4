//! Why a connection with TLS failed, in a sentence that says what to do.

use std::error::Error;
use std::io;

use chrono::{DateTime, Utc};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

/// The sentence for the fault of TLS inside an error, if there is one. It is told from the side of
/// whoever connects.
pub fn explain(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<rustls::Error>() {
            return Some(sentence(fault));
        }
        // An I/O error shows the source of what it holds, and not that itself.
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

fn sentence(fault: &rustls::Error) -> String {
    match fault {
        rustls::Error::InvalidCertificate(fault) => of_certificate(fault),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(_) => {
            "the server does not speak TLS there; use http:// and no certificates, or the port with \
             TLS"
                .to_owned()
        }
        rustls::Error::NoApplicationProtocol => NO_HTTP_2.to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

const NO_HTTP_2: &str =
    "the server speaks TLS, but not HTTP/2, which gRPC needs; is it another one?";

fn of_certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the server's certificate expired on {}; it must be renewed",
            shown(*not_after)
        ),
        CertificateError::Expired => {
            "the server's certificate has expired; it must be renewed".to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the server's certificate is not valid before {}; compare the clocks",
            shown(*not_before)
        ),
        CertificateError::NotValidYet => {
            "the server's certificate is not valid yet; compare the clocks".to_owned()
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is not from the CA that is trusted here; name the right CA file"
                .to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the server's certificate is for {} and not for {:?}; use the right name in the address",
            match presented.is_empty() {
                true => "no name".to_owned(),
                false => presented.join(", "),
            },
            expected.to_str(),
        ),
        CertificateError::NotValidForName => {
            "the server's certificate is for another name; use the right name in the address"
                .to_owned()
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        other => format!("the server's certificate is not accepted: {other}"),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server wants a certificate from its callers; name one, with its key".to_owned()
        }
        AlertDescription::UnknownCA => {
            "the server does not accept our certificate: it is not from the CA that the server trusts"
                .to_owned()
        }
        AlertDescription::CertificateExpired => {
            "the server does not accept our certificate: it has expired, or is not valid yet"
                .to_owned()
        }
        AlertDescription::CertificateRevoked => {
            "the server does not accept our certificate: it was revoked".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError => {
            "the server does not accept our certificate; its log says why".to_owned()
        }
        AlertDescription::NoApplicationProtocol => NO_HTTP_2.to_owned(),
        AlertDescription::ProtocolVersion => {
            "the server and we have no version of TLS in common; 1.2 and 1.3 are spoken here"
                .to_owned()
        }
        other => format!("the server ended TLS: {other:?}"),
    }
}

fn shown(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = DateTime::<Utc>::from_timestamp(seconds, 0);
    time.map_or_else(
        || "an unknown day".to_owned(),
        |time| time.format("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
