//! Following the journal: every decision after a position, and each new one as it is made.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use echeck_service::server::deadline_of;
use returns_model::journal::JournalRow;
use returns_store::Topic;
use tokio::time::Instant;
use tonic::Request;

use super::errors::{self, ApiError};
use super::returns::merchant_of;
use super::stream::{MessageSender, ResponseStream, respond};
use super::{Api, details, door, page};

/// Rows that are read at once.
const ROWS: u32 = 200;

/// The longest time without a look at the journal: other replicas wake nobody here.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a stream may say nothing, in milliseconds: what is usual, and what may be asked for.
const USUAL_HEARTBEAT_MS: u32 = 15_000;
const HEARTBEAT_MS: std::ops::RangeInclusive<u32> = 1_000..=60_000;

/// What one caller follows.
struct Following {
    caller: Caller,
    journal_id: String,
    position: u64,
    heartbeat: Duration,
}

impl Api {
    pub(super) async fn stream_returns(
        &self,
        request: Request<proto::StreamReturnsRequest>,
    ) -> Result<ResponseStream<proto::StreamReturnsResponse>, ApiError> {
        let deadline = deadline_of(&request);
        let caller = Caller::of(request.extensions());
        let asked = door::admit(request.into_inner())?;
        let following = self.following(caller, &asked).await?;
        let api = self.clone();
        let late = "the time of the call is over; follow again from the last position";
        Ok(respond(deadline, late, |sender| async move {
            api.send_decisions(following, &sender).await
        }))
    }

    /// Checks that the journal has the position.
    async fn following(
        &self,
        caller: Caller,
        asked: &proto::StreamReturnsRequest,
    ) -> Result<Following, ApiError> {
        let position = page::number("after_position", asked.after_position)?;
        let heartbeat_ms = match asked.heartbeat_ms {
            0 => USUAL_HEARTBEAT_MS,
            given if HEARTBEAT_MS.contains(&given) => given,
            _ => {
                let (least, most) = HEARTBEAT_MS.into_inner();
                let what = format!("must be between {least} and {most}");
                return Err(errors::invalid("heartbeat_ms", what));
            }
        };
        let head = self.store.head().await?;
        let journal_id = head.journal_id.to_string();
        if !asked.journal_id.is_empty() && asked.journal_id != journal_id {
            let what = format!(
                "position {position} is of journal {}, and this is {journal_id}; begin again at 0",
                asked.journal_id
            );
            return Err(errors::precondition("ANOTHER_JOURNAL", what));
        }
        if position > head.position {
            return Err(errors::beyond_head(position, head.position));
        }
        Ok(Following {
            caller,
            journal_id,
            position,
            heartbeat: Duration::from_millis(heartbeat_ms.into()),
        })
    }

    async fn send_decisions(
        &self,
        mut following: Following,
        sender: &MessageSender<proto::StreamReturnsResponse>,
    ) -> Result<(), ApiError> {
        let mut sent_at = Instant::now();
        loop {
            let seen = self.notifier.seen();
            let rows = self.store.rows_after(following.position, ROWS).await?;
            let is_behind = !rows.is_empty();
            let mut messages = self.messages(&mut following, &rows).await?;
            if messages.is_empty() && sent_at.elapsed() >= following.heartbeat {
                messages.push(following.message(None));
            }
            for message in messages {
                if !sender.send(message).await {
                    return Ok(());
                }
                sent_at = Instant::now();
            }
            if is_behind {
                continue;
            }
            let until = (sent_at + following.heartbeat).saturating_duration_since(Instant::now());
            let pause = until.min(LONGEST_PAUSE);
            tokio::select! {
                () = sender.closed() => return Ok(()),
                () = self.shutdown.cancelled() => return Err(errors::stopping()),
                () = self.notifier.wait(seen, &[Topic::Journal], pause, &self.shutdown) => {}
            }
        }
    }

    /// The messages about some rows, and the position after them.
    async fn messages(
        &self,
        following: &mut Following,
        rows: &[JournalRow],
    ) -> Result<Vec<proto::StreamReturnsResponse>, ApiError> {
        let is_theirs = |row: &&JournalRow| {
            row.row.effect.decided().is_some()
                && !row.row.is_repeat()
                && following.caller.merchants().include(merchant_of(row))
        };
        let theirs = rows.iter().filter(is_theirs);
        let mut returns: Vec<proto::AchReturn> = theirs.map(details::ach_return).collect();
        if !returns.is_empty() {
            self.add_grounds(&mut returns).await?;
        }
        let mut messages = Vec::with_capacity(returns.len());
        for found in returns {
            following.position = found.position;
            messages.push(following.message(Some(found)));
        }
        if let Some(last) = rows.last() {
            following.position = last.position;
        }
        Ok(messages)
    }
}

impl Following {
    fn message(&self, ach_return: Option<proto::AchReturn>) -> proto::StreamReturnsResponse {
        proto::StreamReturnsResponse {
            position: self.position,
            ach_return,
            journal_id: self.journal_id.clone(),
        }
    }
}
