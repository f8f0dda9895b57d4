//! The keys to the bucket as they are when a request is signed.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use secrecy::ExposeSecret as _;

use super::settings::{AccessKeys, BucketSecret};

/// Gives the keys for each request. What is in a file is read again, so that a rotated secret
/// needs no restart; a file is small, and a request to a bucket is slow.
#[derive(Debug)]
pub(super) struct KeysNow(pub(super) AccessKeys);

#[async_trait]
impl CredentialProvider for KeysNow {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let now = |secret: &BucketSecret| {
            secret
                .now()
                .map(|secret| secret.expose_secret().to_owned())
                .map_err(|source| object_store::Error::Generic {
                    store: "S3",
                    source: Box::new(source),
                })
        };
        Ok(Arc::new(AwsCredential {
            key_id: self.0.access_key_id.clone(),
            secret_key: now(&self.0.secret_access_key)?,
            token: self.0.session_token.as_ref().map(now).transpose()?,
        }))
    }
}
