//! Answers in many messages, each sent by a task of its own.

use std::pin::Pin;

use echeck_service::server::Deadline;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::errors::{self, ApiError};

/// The messages of an answer.
pub(super) type ResponseStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Where a task sends its messages.
pub(super) struct MessageSender<T>(mpsc::Sender<Result<T, Status>>);

impl<T> MessageSender<T> {
    /// Sends a message; false when the caller has gone.
    pub(super) async fn send(&self, message: T) -> bool {
        self.0.send(Ok(message)).await.is_ok()
    }

    /// Waits until the caller has gone.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

/// The answer that `work` sends, until the caller's deadline. `late` says what to do when that
/// passes first.
pub(super) fn respond<T: Send + 'static, F>(
    deadline: Option<Deadline>,
    late: &'static str,
    work: impl FnOnce(MessageSender<T>) -> F,
) -> ResponseStream<T>
where
    F: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(4);
    let working = work(MessageSender(sender.clone()));
    tokio::spawn(async move {
        let ended = match deadline {
            Some(Deadline(at)) => tokio::time::timeout_at(at, working)
                .await
                .unwrap_or_else(|_| Err(errors::deadline_exceeded(late))),
            None => working.await,
        };
        if let Err(error) = ended {
            // A caller that has gone needs no answer.
            let _ = sender.send(Err(error.into())).await;
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}
