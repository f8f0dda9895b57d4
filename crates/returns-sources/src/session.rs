//! A session at a source. The work blocks, so it has a thread of its own, which takes orders
//! one by one and sends signs of life in between; a caller that waits for an answer
//! holds up no other.

use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use echeck_service::clock::SharedClock;
use returns_import::{KeptFile, Source, Spool};
use returns_store::metrics::{SOURCE_CALLS, outcome};
use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;

use super::archive_remote::{RemoteArchival, SourceDirectory, archive_remote};
use super::awaited::Awaited;
use super::error::SourceError;
use super::fetch::Fetch;
use super::folder::Folder;
use super::listing::{
    Completeness, Listing, RemoteEntry, RemoteFile, SortedEntries, at_once, compare, sort_out,
};
use super::location::{LocationKind, RemoteLocation};
use super::sftp::SftpConnection;

/// What the thread is asked to do. It answers by itself.
type Order = Box<dyn FnOnce(&SourceConnection) + Send>;

/// An open session. Dropped in the middle of something, it breaks off.
pub(crate) struct Session {
    location: RemoteLocation,
    orders: Sender<Order>,
    ended: oneshot::Receiver<()>,
    /// The socket, where there is one.
    socket: Option<TcpStream>,
}

impl Session {
    pub(super) async fn open(
        location: RemoteLocation,
        awaited: Awaited,
    ) -> Result<Self, SourceError> {
        let (orders, to_do) = channel();
        let (opened, opening) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let for_thread = location.clone();
        std::thread::Builder::new()
            .name("source".to_owned())
            .spawn(move || {
                // When nobody waits any more, there are no orders either.
                let _ = match SourceConnection::open(&for_thread, awaited) {
                    Ok(connection) => {
                        let sent = opened.send(Ok(connection.socket()));
                        connection.work(&to_do);
                        sent
                    }
                    Err(error) => opened.send(Err(error)),
                };
                let _ = end.send(());
            })
            .map_err(|error| SourceError::Refused {
                what: "the start of a thread for the session".to_owned(),
                why: error.to_string(),
            })?;
        let socket = answer_of(opening).await?;
        Ok(Self {
            location,
            orders,
            ended,
            socket,
        })
    }

    /// Everything in the directory, as it is now.
    pub(crate) async fn list(&mut self) -> Result<Vec<RemoteEntry>, SourceError> {
        let listed = self.order(SourceConnection::list).await;
        SOURCE_CALLS.add(1, &[&self.location.source, "list", outcome(&listed)]);
        listed
    }

    /// What is there to be taken. Where a file counts as complete when it no longer grows, this
    /// lists twice and waits in between, as long as there is anything to wait for.
    pub(crate) async fn list_complete(&mut self) -> Result<Listing, SourceError> {
        let first = self.list_sorted().await?;
        match self.location.completeness {
            Completeness::Stable { settle } if first.matches() > 0 => {
                tokio::time::sleep(settle).await;
                Ok(compare(&first, self.list_sorted().await?))
            }
            _ => Ok(at_once(first)),
        }
    }

    async fn list_sorted(&mut self) -> Result<SortedEntries, SourceError> {
        let entries = self.list().await?;
        let RemoteLocation {
            pattern,
            completeness,
            ..
        } = &self.location;
        Ok(sort_out(entries, pattern, completeness))
    }

    /// Takes a file into the spool, opened where it is wrapped: one file, or several where it is
    /// an archive. They are not recorded yet: [`KeptFile::record`] does that. `nonce` keeps two
    /// files apart that are received at once.
    ///
    /// # Errors
    /// When the file does not come as it was listed, cannot be opened, or does not fit. Nothing
    /// of it is left in the spool then.
    pub(crate) async fn fetch(
        &mut self,
        file: &RemoteFile,
        spool: &Spool,
        source: &Source,
        limit_bytes: u64,
        nonce: Uuid,
        clock: &SharedClock,
    ) -> Result<Vec<KeptFile>, SourceError> {
        let fetch = Fetch {
            file: file.clone(),
            spool: spool.clone(),
            source: source.clone(),
            limit_bytes,
            nonce,
            clock: clock.clone(),
        };
        let location = self.location.clone();
        let span = tracing::info_span!("fetch", source = location.source);
        let fetched = self
            .order(move |connection| connection.fetch(&fetch, &location))
            .instrument(span)
            .await;
        SOURCE_CALLS.add(1, &[&self.location.source, "fetch", outcome(&fetched)]);
        fetched
    }

    /// Moves or deletes a file as the configuration says, once its import is committed. It may be
    /// called again for the same file.
    ///
    /// # Errors
    /// [`SourceError::NotArchivedRemotely`] when the source refuses.
    pub(crate) async fn archive_remote(
        &mut self,
        file: &RemoteFile,
    ) -> Result<RemoteArchival, SourceError> {
        let (file, location) = (file.clone(), self.location.clone());
        let archived = self
            .order(move |connection| connection.archive_remote(&file, &location))
            .await;
        SOURCE_CALLS.add(1, &[&self.location.source, "archive", outcome(&archived)]);
        archived
    }

    /// Ends the session in good order. It takes a second at most.
    pub(crate) async fn close(mut self) {
        self.socket = None;
        let (nobody, _) = channel();
        drop(std::mem::replace(&mut self.orders, nobody));
        // A server that does not take the goodbye is left without one.
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut self.ended).await;
    }

    /// Has the thread do some work. When nobody waits for what comes of it, it is dropped: a file
    /// in the spool goes with it.
    async fn order<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SourceConnection) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let (answer, answered) = oneshot::channel();
        let order: Order = Box::new(move |connection| {
            // A caller that is gone needs no answer.
            drop(answer.send(work(connection)));
        });
        let sent = self.orders.send(order);
        sent.map_err(|_| SourceError::worker_gone())?;
        answer_of(answered).await
    }
}

async fn answer_of<T>(
    answered: oneshot::Receiver<Result<T, SourceError>>,
) -> Result<T, SourceError> {
    let answer = answered.await;
    answer.unwrap_or_else(|_| Err(SourceError::worker_gone()))
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(socket) = &self.socket {
            // The thread stops waiting.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// The thread's end of a session.
enum SourceConnection {
    Sftp(Box<SftpConnection>),
    Folder(Folder),
}

impl SourceConnection {
    fn open(location: &RemoteLocation, awaited: Awaited) -> Result<Self, SourceError> {
        let directory = PathBuf::from(&location.directory);
        Ok(match &location.kind {
            LocationKind::Sftp(server) => {
                let opened = SftpConnection::open(server.clone(), directory, awaited)?;
                Self::Sftp(Box::new(opened))
            }
            LocationKind::Folder => Self::Folder(Folder::open(directory)?),
        })
    }

    fn socket(&self) -> Option<TcpStream> {
        match self {
            Self::Sftp(connection) => connection.socket(),
            Self::Folder(_) => None,
        }
    }

    /// Takes orders until the session is closed or dropped.
    fn work(self, orders: &Receiver<Order>) {
        while let Some(order) = self.next(orders) {
            order(&self);
        }
        match self {
            Self::Sftp(connection) => connection.close(),
            Self::Folder(_) => {}
        }
    }

    fn next(&self, orders: &Receiver<Order>) -> Option<Order> {
        let Self::Sftp(connection) = self else {
            return orders.recv().ok();
        };
        loop {
            match orders.recv_timeout(connection.keepalive()) {
                Ok(order) => return Some(order),
                Err(RecvTimeoutError::Timeout) => connection.keep_alive(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn list(&self) -> Result<Vec<RemoteEntry>, SourceError> {
        match self {
            Self::Sftp(connection) => connection.list(),
            Self::Folder(folder) => folder.list(),
        }
    }

    fn fetch(
        &self,
        fetch: &Fetch,
        location: &RemoteLocation,
    ) -> Result<Vec<KeptFile>, SourceError> {
        let pgp = location.pgp.as_ref();
        match self {
            Self::Sftp(connection) => fetch.run(&mut connection.download(&fetch.file)?, pgp),
            Self::Folder(folder) => fetch.run(&mut folder.read(&fetch.file)?, pgp),
        }
    }

    fn archive_remote(
        &self,
        file: &RemoteFile,
        location: &RemoteLocation,
    ) -> Result<RemoteArchival, SourceError> {
        let directory: &dyn SourceDirectory = match self {
            Self::Sftp(connection) => connection.at_usual_pace(),
            Self::Folder(folder) => folder,
        };
        archive_remote(directory, file, &location.after, &location.completeness)
    }
}
