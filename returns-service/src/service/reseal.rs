//! What is stored is encrypted to the newest key. Each step can be repeated: a crash leaves a thing in the
//! old way or in the new one, and both keys still open it.

use returns_import::Spool;
use returns_model::keyring::KeyRing;
use returns_store::Store;

use uuid::Uuid;

use super::ServiceError;
use crate::config::Config;

/// How many texts are read at a time.
const BATCH: u32 = 500;

/// What was encrypted again.
#[derive(Debug, Default)]
struct Resealed {
    files: u64,
    texts: u64,
}

/// Encrypts what is stored once more, to the newest key of the spool: its files, the keys of endpoints, and
/// the answers that can be repeated. A service that runs meanwhile goes on.
///
/// # Errors
/// When the database or the spool cannot be used, or none of the keys opens something.
pub async fn re_encrypt(config: Config) -> Result<(), ServiceError> {
    let keys = KeyRing::read(&config.spool_identity);
    let keys = keys.map_err(|error| ServiceError::Spool(error.to_string()))?;
    let spool = Spool::open(&config.spool_folder, &config.spool_identity)?
        .with_recipients(&config.spool_recipients);
    let store = returns_store::open(&config.store, Uuid::new_v4()).await?;
    let done = all(&*store, &spool, &keys).await?;
    let (files, texts) = (done.files, done.texts);
    tracing::info!(files, texts, "everything is encrypted to the newest key");
    Ok(())
}

/// Encrypts everything again.
async fn all(store: &dyn Store, spool: &Spool, keys: &KeyRing) -> Result<Resealed, ServiceError> {
    let mut done = Resealed::default();
    loop {
        let before = store.sealed_before(&keys.newest_id(), BATCH).await?;
        if before.is_empty() {
            break;
        }
        for text in before {
            let of_text = |error| ServiceError::Spool(format!("{:?}: {error}", text.place));
            let plain = keys.open(&text.sealed).map_err(of_text)?;
            let sealed = keys.seal(&plain).map_err(of_text)?;
            // One that has changed meanwhile comes again.
            if store.reseal(&text, &sealed).await? {
                done.texts += 1;
            }
        }
    }
    for name in spool.encrypted_before()? {
        let in_folder = spool.clone();
        let old = name.clone();
        let again = tokio::task::spawn_blocking(move || in_folder.encrypt_again(&old)).await;
        let new = again.map_err(|error| ServiceError::Spool(error.to_string()))??;
        if store.respool(&name, &new).await? {
            spool.forget(&name)?;
            done.files += 1;
        } else {
            // It is being received, or was archived just now.
            spool.forget(&new)?;
        }
    }
    Ok(done)
}
