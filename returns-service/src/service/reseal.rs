//! What is stored is encrypted to the newest key. Each step can be repeated: a crash leaves a thing in the
//! old way or in the new one, and both keys still open it.

use returns_import::Spool;
use returns_model::keyring::KeyRing;
use returns_store::Store;

use super::ServiceError;

/// How many texts are read at a time.
const BATCH: u32 = 500;

/// What was encrypted again.
#[derive(Debug, Default)]
pub(super) struct Resealed {
    pub(super) files: u64,
    pub(super) texts: u64,
}

/// Encrypts everything again.
pub(super) async fn all(
    store: &dyn Store,
    spool: &Spool,
    keys: &KeyRing,
) -> Result<Resealed, ServiceError> {
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
