//! The bucket: where received files are archived and reports are stored. An S3 server or, on a
//! laptop, a folder. What is in it is never overwritten; a failure is reported by its
//! cause, at once, because we try again ourselves.

mod capped;
mod error;
mod keys;
mod probe;
mod settings;
mod transfer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use echeck_service::clock::ToldTime;
use echeck_service::machine;
use echeck_service::outbound::install_tls_provider;
use echeck_service::privacy;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use capped::CappedConnector;
pub use error::BucketError;
use keys::KeysNow;
pub use probe::{BucketClock, BucketProbe};
pub use settings::BucketSettings;
pub(crate) use settings::{BucketPlace, S3Bucket};
pub use transfer::{Bytes, Digest, Digesting};

/// The longest time to connect; after it the server counts as unreachable.
const LONGEST_CONNECT: Duration = Duration::from_secs(3);

/// The bucket, opened. Opening asks nothing of a server; the first use does.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// What every key begins with; empty for none.
    prefix: Key,
    place: Arc<BucketLocation>,
    /// The server's time, as its answers tell it.
    told: ToldTime,
}

/// What errors say about where the bucket is. Nothing in it is secret.
#[derive(Debug)]
struct BucketLocation {
    /// The bucket's name, or the folder.
    name: String,
    /// The server's address, or the folder.
    endpoint: String,
    /// The folder, when it is one.
    folder: Option<PathBuf>,
    timeout: Duration,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({} at {})", self.place.name, self.place.endpoint)
    }
}

impl Bucket {
    /// Opens the bucket; a folder is made if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made, or the settings do not fit together.
    pub fn open(settings: &BucketSettings) -> Result<Self, BucketError> {
        match &settings.place {
            BucketPlace::Folder(folder) => Self::folder(folder, settings.timeout),
            BucketPlace::S3(bucket) => Self::s3(bucket, settings.timeout),
        }
    }

    fn folder(folder: &Path, timeout: Duration) -> Result<Self, BucketError> {
        let shown = folder.display().to_string();
        let place = Arc::new(BucketLocation {
            name: shown.clone(),
            endpoint: shown,
            folder: Some(folder.to_owned()),
            timeout,
        });
        let store = privacy::private_folder(folder)
            .map_err(|source| object_store::Error::Generic {
                store: "folder",
                source: Box::new(source),
            })
            .and_then(|()| LocalFileSystem::new_with_prefix(folder))
            .map_err(|error| place.error("be opened", &error))?;
        Ok(Self {
            store: Arc::new(store.with_fsync(true).with_automatic_cleanup(true)),
            prefix: Key::default(),
            place,
            told: ToldTime::default(),
        })
    }

    fn s3(settings: &S3Bucket, timeout: Duration) -> Result<Self, BucketError> {
        install_tls_provider();
        let told = ToldTime::default();
        let connect = timeout.min(LONGEST_CONNECT);
        let client = ClientOptions::new()
            .with_allow_http(settings.allow_http)
            .with_connect_timeout(connect)
            // A large file may take its time, but never without a sign of life.
            .with_timeout_disabled()
            .with_read_timeout(timeout);
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(CappedConnector(told.clone()))
            .with_client_options(client)
            .with_allow_http(settings.allow_http)
            .with_retry(RetryConfig {
                max_retries: 0,
                retry_timeout: Duration::ZERO,
                ..RetryConfig::default()
            })
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_credentials(Arc::new(KeysNow(settings.keys.clone())))
            // The bucket's name in the path and not in the host's name: every server can.
            .with_virtual_hosted_style_request(false);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let amazon = || format!("https://s3.{}.amazonaws.com", settings.region);
        let place = Arc::new(BucketLocation {
            name: settings.bucket.clone(),
            endpoint: settings.endpoint.clone().unwrap_or_else(amazon),
            folder: None,
            timeout,
        });
        let store = builder
            .build()
            .map_err(|error| place.error("be opened", &error))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Key::from(settings.prefix.as_str()),
            place,
            told,
        })
    }

    /// A bucket on a store of the test's own.
    #[cfg(test)]
    pub fn on(store: Arc<dyn ObjectStore>, name: &str) -> Self {
        Self {
            store,
            prefix: Key::default(),
            place: Arc::new(BucketLocation {
                name: name.to_owned(),
                endpoint: name.to_owned(),
                folder: None,
                timeout: Duration::from_secs(5),
            }),
            told: ToldTime::default(),
        }
    }

    /// Whether its server is this machine.
    pub(crate) fn is_this_machine(&self) -> bool {
        machine::is_in_url(&self.place.endpoint)
    }

    /// Its server has not answered for so long.
    pub(crate) fn silent(&self, waited: Duration) -> BucketError {
        BucketError::Unreachable {
            endpoint: self.place.endpoint.clone(),
            why: format!("no answer within {} ms", waited.as_millis()),
        }
    }

    /// Where the bucket is, for people.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// A key of ours as the store has it.
    pub(crate) fn path(&self, key: &str) -> Key {
        if self.prefix.as_ref().is_empty() {
            Key::from(key)
        } else {
            Key::from(format!("{}/{key}", self.prefix))
        }
    }
}
