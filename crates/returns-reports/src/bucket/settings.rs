//! `[bucket]`: which bucket, and the keys to it.

use std::path::PathBuf;
use std::time::Duration;

use echeck_service::config::Section;
use echeck_service::privacy;
use secrecy::SecretString;

/// What `[bucket]` says.
#[derive(Debug, Clone)]
pub struct BucketSettings {
    pub(crate) place: BucketPlace,
    /// How long the server may be silent.
    pub timeout: Duration,
}

/// Which kind of bucket, and where.
#[derive(Debug, Clone)]
pub(crate) enum BucketPlace {
    /// A folder of this machine, or one that all replicas mount.
    Folder(PathBuf),
    /// On an S3 server.
    S3(S3Bucket),
}

/// A bucket on an S3 server.
#[derive(Debug, Clone)]
pub(crate) struct S3Bucket {
    pub(crate) bucket: String,
    /// What every key begins with, without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    /// The server; `None` for Amazon's.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) keys: AccessKeys,
    pub(crate) allow_http: bool,
}

/// The keys to a bucket.
#[derive(Debug, Clone)]
pub(crate) struct AccessKeys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: BucketSecret,
    pub(crate) session_token: Option<BucketSecret>,
}

/// A secret of `[bucket]`. One that is in a file may be rotated while the service runs: the file
/// is read again whenever the secret is needed.
#[derive(Debug, Clone)]
pub(crate) enum BucketSecret {
    Configured(SecretString),
    File(PathBuf),
}

impl BucketSecret {
    /// The secret under `key`, or in the file that `key` with `_file` after it names. The file is
    /// read once here, so that a missing one is a fault of the configuration.
    fn read(section: &Section<'_>, key: &str) -> Option<Self> {
        let secret = section.secret(key)?;
        let file = section.optional_string(&format!("{key}_file"));
        Some(file.map_or(Self::Configured(secret), |file| Self::File(file.into())))
    }

    /// The secret as it is now.
    pub(crate) fn now(&self) -> std::io::Result<SecretString> {
        match self {
            Self::Configured(secret) => Ok(secret.clone()),
            Self::File(file) => privacy::read_secret(file).map_err(std::io::Error::other),
        }
    }
}

impl BucketSettings {
    /// Reads `[bucket]`; `None` when it is absent, or after a fault.
    pub fn read(root: &Section<'_>) -> Option<Self> {
        if !root.has("bucket") {
            return None;
        }
        let section = root.section("bucket");
        let url = section.string("url");
        let timeout = section.duration_ms_or("timeout_ms", 8_000, 100..=600_000);
        let place = match url.split_once("://") {
            Some(("file", folder)) => folder_place(&section, folder),
            Some(("s3", rest)) => s3_place(&section, rest),
            Some(_) | None => {
                if !url.is_empty() {
                    section.fault("url", "must begin with s3:// or file:///");
                }
                None
            }
        }?;
        Some(Self { place, timeout })
    }
}

fn folder_place(section: &Section<'_>, folder: &str) -> Option<BucketPlace> {
    if !folder.starts_with('/') || folder == "/" {
        section.fault("url", "must name a folder from the root on: file:///folder");
        return None;
    }
    Some(BucketPlace::Folder(PathBuf::from(folder)))
}

fn s3_place(section: &Section<'_>, rest: &str) -> Option<BucketPlace> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let endpoint = section.optional_string("endpoint");
    let allow_http = section.bool_or("allow_http", false);
    let region = section.string_or("region", "us-east-1");
    let access_key_id = section.string("access_key_id");
    if !section.has("secret_access_key") && !section.has("secret_access_key_file") {
        // Says what is missing.
        section.required_secret("secret_access_key");
    }
    let secret_access_key = BucketSecret::read(section, "secret_access_key");
    let session_token = BucketSecret::read(section, "session_token");
    let name_fits = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
        });
    if !name_fits {
        section.fault(
            "url",
            "must name a bucket of 3 to 63 lower-case letters, digits, dots and hyphens: \
             s3://bucket/prefix",
        );
        return None;
    }
    let prefix = prefix.trim_matches('/');
    if !prefix
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
    {
        section.fault(
            "url",
            "must have a prefix of letters, digits, dots, hyphens, underscores and slashes",
        );
        return None;
    }
    if let Some(endpoint) = &endpoint {
        let https = endpoint.starts_with("https://");
        let http = endpoint.starts_with("http://");
        if !https && !http {
            section.fault("endpoint", "must begin with https:// (or http://)");
        } else if endpoint.contains('@') {
            section.fault("endpoint", "must not have a user or password in it");
        } else if http && !allow_http {
            section.fault(
                "endpoint",
                "begins with http://, which anybody on the way can read and change; set \
                 allow_http = true if that is meant",
            );
        }
    }
    Some(BucketPlace::S3(S3Bucket {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        endpoint,
        region,
        keys: AccessKeys {
            access_key_id,
            secret_access_key: secret_access_key?,
            session_token,
        },
        allow_http,
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use echeck_service::config::{ConfigError, Settings};
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(text: &str) -> Result<Option<BucketSettings>, ConfigError> {
        let settings = Settings::from_toml(text).unwrap();
        let read = BucketSettings::read(&settings.root());
        settings.finish().map(|()| read)
    }

    #[test]
    fn a_secret_that_was_changed_on_disk_is_read_again_and_must_still_be_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let write = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("first\n", 0o600);
        let secret = BucketSecret::File(file.clone());
        assert_eq!(secret.now().unwrap().expose_secret(), "first");
        write("second\n", 0o600);
        assert_eq!(secret.now().unwrap().expose_secret(), "second");
        write("third\n", 0o644);
        let refused = secret.now().unwrap_err().to_string();
        assert!(
            refused.contains("open to other users") && !refused.contains("third"),
            "{refused}"
        );
        write("", 0o600);
        assert!(secret.now().unwrap_err().to_string().contains("is empty"));
    }

    #[test]
    fn without_a_section_there_is_no_bucket() {
        assert!(read("").unwrap().is_none());
    }

    #[test]
    fn a_bucket_is_a_folder_or_a_name_with_a_prefix() {
        let folder = read("[bucket]\nurl = \"file:///var/bucket\"")
            .unwrap()
            .unwrap();
        let BucketPlace::Folder(path) = folder.place else {
            panic!("it is a folder")
        };
        assert_eq!(path.to_str(), Some("/var/bucket"));
        let s3 = read(
            "[bucket]\nurl = \"s3://returns/a/b/\"\naccess_key_id = \"K\"\n\
             secret_access_key = \"CANARY\"\nsession_token = \"CANARY\"\n\
             endpoint = \"http://127.0.0.1:1\"\nallow_http = true",
        );
        let s3 = s3.unwrap().unwrap();
        assert!(!format!("{s3:?}").contains("CANARY"), "{s3:?}");
        let BucketPlace::S3(S3Bucket {
            bucket,
            prefix,
            region,
            ..
        }) = s3.place
        else {
            panic!("it is no folder")
        };
        assert_eq!(
            (bucket.as_str(), prefix.as_str(), region.as_str()),
            ("returns", "a/b", "us-east-1")
        );
    }

    #[test]
    fn what_is_wrong_is_said_by_its_key_and_without_the_secret() {
        let keys = "access_key_id = \"K\"\nsecret_access_key = \"CANARY\"";
        for (text, key) in [
            ("url = \"gs://x\"".to_owned(), "bucket.url"),
            ("url = \"file://relative\"".to_owned(), "bucket.url"),
            ("url = \"s3://returns\"".to_owned(), "bucket.access_key_id"),
            (
                "url = \"s3://returns\"".to_owned(),
                "bucket.secret_access_key",
            ),
            (format!("url = \"s3://R\"\n{keys}"), "bucket.url"),
            (format!("url = \"s3://returns/ä\"\n{keys}"), "bucket.url"),
            (
                format!("url = \"s3://returns\"\nendpoint = \"http://x\"\n{keys}"),
                "bucket.endpoint",
            ),
            (
                format!("url = \"s3://returns\"\nendpoint = \"https://a:CANARY@x\"\n{keys}"),
                "bucket.endpoint",
            ),
        ] {
            let said = read(&format!("[bucket]\n{text}")).unwrap_err().to_string();
            assert!(said.contains(key), "{key} is missing in: {said}");
            assert!(!said.contains("CANARY"), "{said}");
        }
    }
}
