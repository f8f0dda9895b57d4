//! What went wrong with the bucket, read down to its cause. Servers answer with XML that has a code
//! and sometimes our token, so only code and message are taken from it.

use std::error::Error as _;
use std::io::ErrorKind;
use std::path::PathBuf;

use echeck_service::innermost;
use object_store::client::{HttpError, HttpErrorKind};
use returns_model::incident::Cause;

use super::BucketLocation;

/// The longest explanation that is taken from a server.
const LONGEST_WHY: usize = 300;

/// Why something could not be done with the bucket.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BucketError {
    /// The server does not know the key id.
    #[error("the server of bucket {bucket:?} does not know our access key id")]
    KeyIdUnknown { bucket: String },
    /// The secret does not belong to the key id.
    #[error("the secret access key for bucket {bucket:?} is wrong")]
    SecretWrong { bucket: String },
    /// The session token has run out.
    #[error("the session token for bucket {bucket:?} has expired")]
    TokenExpired { bucket: String },
    /// The bucket is not there.
    #[error("there is no bucket {bucket:?}")]
    Missing { bucket: String },
    /// The keys are right, but may not do this.
    #[error("our access key may not {action} in the bucket {bucket:?}")]
    Forbidden { bucket: String, action: String },
    /// Nobody answers.
    #[error("the bucket's server {endpoint} cannot be reached: {why}")]
    Unreachable { endpoint: String, why: String },
    /// There is no room for it.
    #[error("there is no room left in {path}")]
    DiskFull { path: String },
    /// There is no such object.
    #[error("the bucket {bucket:?} has no object {key:?}")]
    NoObject { bucket: String, key: String },
    /// Another object has the key already. It is left as it is.
    #[error("the bucket {bucket:?} has another object under {key:?}; it was not overwritten")]
    Taken { bucket: String, key: String },
    /// What was read back is not what was written.
    #[error(
        "{key:?} reads back from the bucket {bucket:?} differently than it was written: {what}"
    )]
    ReadsBackDifferently {
        bucket: String,
        key: String,
        what: String,
    },
    /// The file to be put could not be read.
    #[error("{path} could not be read: {why}", path = path.display())]
    Local { path: PathBuf, why: String },
    /// The settings do not fit together.
    #[error("{0}")]
    Settings(String),
    /// Anything else.
    #[error("the bucket {bucket:?} did not {action}: {why}")]
    Failed {
        bucket: String,
        action: String,
        why: String,
    },
}

impl BucketError {
    /// The cause, as an incident names it. A line per error, where rustfmt would make six of some.
    #[rustfmt::skip]
    pub fn cause(&self) -> Cause {
        let failed = |bucket, action: &str, why| Cause::BucketFailed { bucket, action: action.to_owned(), why };
        match self.clone() {
            Self::KeyIdUnknown { bucket } => Cause::BucketKeyIdUnknown { bucket },
            Self::SecretWrong { bucket } => Cause::BucketSecretWrong { bucket },
            Self::TokenExpired { bucket } => Cause::BucketTokenExpired { bucket },
            Self::Missing { bucket } => Cause::BucketMissing { bucket },
            Self::Forbidden { bucket, action } => Cause::BucketForbidden { bucket, action },
            Self::Unreachable { endpoint, why } => Cause::BucketUnreachable { endpoint, why },
            Self::DiskFull { path } => Cause::DiskFull { path },
            Self::NoObject { bucket, key } => failed(bucket, "have an object of ours", format!("{key:?} is gone")),
            Self::Taken { bucket, key } => failed(bucket, "take an object of ours", format!(
                "another object has the key {key:?}, and it was not overwritten"
            )),
            Self::ReadsBackDifferently { bucket, key, what } => failed(
                bucket, "return an object as it was written", format!("{key:?}: {what}"),
            ),
            Self::Local { path, why } => Cause::SpoolFailed { path: path.display().to_string(), why },
            Self::Settings(why) => failed(String::new(), "open", why),
            Self::Failed { bucket, action, why } => failed(bucket, &action, why),
        }
    }

    /// Whether nothing else would work either just now, so that it is not worth trying.
    pub(crate) fn is_of_the_whole_bucket(&self) -> bool {
        match self {
            Self::KeyIdUnknown { .. }
            | Self::SecretWrong { .. }
            | Self::TokenExpired { .. }
            | Self::Missing { .. }
            | Self::Unreachable { .. } => true,
            Self::Forbidden { .. }
            | Self::DiskFull { .. }
            | Self::NoObject { .. }
            | Self::Taken { .. }
            | Self::ReadsBackDifferently { .. }
            | Self::Local { .. }
            | Self::Settings(_)
            | Self::Failed { .. } => false,
        }
    }
}

impl BucketLocation {
    /// Reads an error of the store down to its cause. `action` completes "may not …".
    pub(super) fn error(&self, action: &str, error: &object_store::Error) -> BucketError {
        let bucket = self.name.clone();
        let failed = |why: String| BucketError::Failed {
            bucket: self.name.clone(),
            action: action.to_owned(),
            why,
        };
        let forbidden = || BucketError::Forbidden {
            bucket: self.name.clone(),
            action: action.to_owned(),
        };
        if let Some(said) = S3Error::of(error) {
            return match said.code.as_str() {
                "InvalidAccessKeyId" | "NotSignedUp" => BucketError::KeyIdUnknown { bucket },
                "SignatureDoesNotMatch" => BucketError::SecretWrong { bucket },
                "ExpiredToken" | "TokenRefreshRequired" => BucketError::TokenExpired { bucket },
                "NoSuchBucket" => BucketError::Missing { bucket },
                "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => forbidden(),
                "NoSuchKey" => BucketError::NoObject {
                    bucket,
                    key: path_of(error).unwrap_or_default(),
                },
                code if is_word(code) => failed(format!("{} ({code})", said.message)),
                // Whatever it is, it is shown as it came.
                odd => failed(format!("its answer has the code {odd:?}")),
            };
        }
        if let Some(error) = find::<HttpError>(error) {
            return self.unanswered(error).unwrap_or_else(|| failed(why(error)));
        }
        if let Some(io) = find::<std::io::Error>(error) {
            match io.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    return BucketError::DiskFull {
                        path: self.endpoint.clone(),
                    };
                }
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => return forbidden(),
                _ => {}
            }
        }
        match error {
            object_store::Error::NotFound { path, .. } => match &self.folder {
                Some(folder) if !folder.is_dir() => BucketError::Missing { bucket },
                Some(_) | None => BucketError::NoObject {
                    bucket,
                    key: path.clone(),
                },
            },
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => forbidden(),
            other => failed(status_of(other).unwrap_or_else(|| why(other))),
        }
    }

    /// A request without an answer.
    fn unanswered(&self, error: &HttpError) -> Option<BucketError> {
        let why = match error.kind() {
            HttpErrorKind::Timeout => format!("no answer within {} ms", self.timeout.as_millis()),
            HttpErrorKind::Connect | HttpErrorKind::Request | HttpErrorKind::Interrupted => {
                why(error)
            }
            _ => return None,
        };
        Some(BucketError::Unreachable {
            endpoint: self.endpoint.clone(),
            why,
        })
    }
}

/// What a server's XML says.
struct S3Error {
    code: String,
    message: String,
}

impl S3Error {
    /// The first answer with a code among an error and its sources.
    fn of(error: &object_store::Error) -> Option<Self> {
        let text = error.to_string();
        let code = element(&text, "Code").filter(|code| !code.is_empty())?;
        let message = element(&text, "Message").unwrap_or_default();
        Some(Self {
            code: shortened(code),
            message: shortened(message),
        })
    }
}

/// A code is a word.
fn is_word(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The text of the first element of a name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>"))
        .map(|(inner, _)| inner.trim())
}

fn shortened(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_WHY)
        .collect()
}

/// The first source of a type.
fn find<E: std::error::Error + 'static>(error: &object_store::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

/// What the last of the sources says; the ones before it repeat it with their own words.
fn why(error: &(dyn std::error::Error + 'static)) -> String {
    shortened(&innermost(error).to_string())
}

/// The status of an answer without a code.
fn status_of(error: &object_store::Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    let status = rest.split(':').next().unwrap_or(rest);
    Some(format!("it answered {}", shortened(status)))
}

fn path_of(error: &object_store::Error) -> Option<String> {
    match error {
        object_store::Error::NotFound { path, .. } => Some(path.clone()),
        _ => None,
    }
}
