//! Following imports. However many callers follow one, it is read once after each change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_service::server::deadline_of;
use proto::{ImportState, WaitLevel};
use returns_store::Topic;
use tokio::sync::watch;
use tonic::Request;

use super::errors::{self, ApiError};
use super::stream::{MessageSender, ResponseStream, respond};
use super::{Api, door};

/// The pause between two reads of an import: it changes with every batch, and people read no
/// faster.
const BETWEEN_READS: Duration = Duration::from_millis(100);

/// The longest time without a read: other replicas wake nobody here.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What was read of an import last; `None` before the first time.
type Latest = Option<Result<proto::Import, ApiError>>;

/// The imports that somebody follows, each with the one who reads it for all.
#[derive(Clone, Default)]
pub(crate) struct Watches(Arc<Mutex<HashMap<String, Weak<watch::Sender<Latest>>>>>);

impl Watches {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<watch::Sender<Latest>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Api {
    /// What is read of an import from now on. The first to ask starts the reading.
    fn follow(&self, import_id: &str) -> watch::Receiver<Latest> {
        let mut watches = self.watches.lock();
        if let Some(sender) = watches.get(import_id).and_then(Weak::upgrade) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        let sender = Arc::new(sender);
        watches.insert(import_id.to_owned(), Arc::downgrade(&sender));
        let (api, import_id) = (self.clone(), import_id.to_owned());
        tokio::spawn(async move { api.read_for_all(&import_id, &sender).await });
        receiver
    }

    /// Reads an import after each change, until it has ended or nobody follows it any more.
    async fn read_for_all(&self, import_id: &str, sender: &watch::Sender<Latest>) {
        let topics = [Topic::Import, Topic::Database, Topic::Hold, Topic::Report];
        loop {
            let seen = self.notifier.seen();
            let read = self.whole_import(import_id).await;
            let is_last = read.as_ref().map_or(true, has_ended);
            sender.send_if_modified(|latest| {
                let is_new = match (&*latest, &read) {
                    (Some(Ok(before)), Ok(now)) => before != now,
                    (Some(Err(_)) | None, _) | (_, Err(_)) => true,
                };
                if is_new {
                    *latest = Some(read);
                }
                is_new
            });
            if is_last || self.shutdown.is_cancelled() {
                self.watches.lock().remove(import_id);
                return;
            }
            tokio::select! {
                () = sender.closed() => {}
                () = self.notifier.wait(seen, &topics, LONGEST_PAUSE, &self.shutdown) => {
                    tokio::time::sleep(BETWEEN_READS).await;
                }
            }
            let mut watches = self.watches.lock();
            if sender.receiver_count() == 0 {
                watches.remove(import_id);
                return;
            }
        }
    }

    /// Waits until the import is as far as requested. The deadline of the call, which the server
    /// enforces, ends the wait; the import continues.
    pub(super) async fn wait(
        &self,
        import_id: &str,
        level: WaitLevel,
    ) -> Result<proto::Import, ApiError> {
        if level == WaitLevel::Unspecified {
            return self.whole_import(import_id).await;
        }
        let mut latest = self.follow(import_id);
        loop {
            let read = latest.borrow_and_update().clone();
            if let Some(import) = read.transpose()?
                && is_enough(level, &import)
            {
                return Ok(import);
            }
            self.next(&mut latest).await?;
        }
    }

    /// Waits for the next read.
    async fn next(&self, latest: &mut watch::Receiver<Latest>) -> Result<(), ApiError> {
        tokio::select! {
            changed = latest.changed() => changed.map_err(|_| errors::stopping()),
            () = self.shutdown.cancelled() => Err(errors::stopping()),
        }
    }

    /// Sends the import whenever it has changed, until it can change no more.
    pub(super) async fn watch_import(
        &self,
        request: Request<proto::WatchImportRequest>,
    ) -> Result<ResponseStream<proto::WatchImportResponse>, ApiError> {
        let deadline = deadline_of(&request);
        let import_id = door::admit(request.into_inner())?.import_id;
        // An unknown id is the call's error, not the stream's.
        self.import_record(&import_id).await?;
        let api = self.clone();
        let late = "the import is not finished yet; watch it again";
        Ok(respond(deadline, late, |sender| async move {
            api.send_changes(&import_id, &sender).await
        }))
    }

    async fn send_changes(
        &self,
        import_id: &str,
        sender: &MessageSender<proto::WatchImportResponse>,
    ) -> Result<(), ApiError> {
        let mut latest = self.follow(import_id);
        loop {
            let read = latest.borrow_and_update().clone();
            if let Some(import) = read.transpose()? {
                let is_last = has_ended(&import);
                let message = proto::WatchImportResponse {
                    file_import: Some(import),
                };
                if !sender.send(message).await || is_last {
                    return Ok(());
                }
            }
            tokio::select! {
                () = sender.closed() => return Ok(()),
                next = self.next(&mut latest) => next?,
            }
        }
    }
}

/// Whether an import can change no more.
fn has_ended(import: &proto::Import) -> bool {
    matches!(import.state(), ImportState::Rejected | ImportState::Applied)
}

/// Whether an import is as far as requested.
fn is_enough(level: WaitLevel, import: &proto::Import) -> bool {
    match level {
        WaitLevel::Unspecified => true,
        WaitLevel::Decided => has_ended(import) || import.state() == ImportState::Decided,
        WaitLevel::Applied => has_ended(import),
    }
}
