//! `echeck follow`: each new return as it is decided.

use std::time::Duration;

use clap::Args;
use echeck_proto::returns::v1 as proto;
use echeck_service::shutdown;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::connect::Client;
use super::returns::title;
use super::show::{or_dash, print_json};
use crate::exit;
use crate::failure::Failure;
use crate::output::{Screen, StreamColumn, StreamTable, Tone, note, out};
use crate::words::{Words as _, money, time};

/// How long the service may say nothing.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// After this much silence the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(45);

/// The pauses between attempts to connect again; the last one repeats.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Where to begin.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck follow\n  echeck follow --after 0 --json\n\n\
    After a lost connection it continues by itself: nothing is missed, and nothing comes twice.\n\
    Ctrl-C ends it with exit code 0, and it says where to continue."
)]
pub(crate) struct FollowArguments {
    /// Begin after this position of the journal; 0 begins with the first return. Default: only
    /// returns that are decided from now on.
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// End after so many returns. Default: never.
    #[arg(long)]
    limit: Option<u64>,
}

pub(super) async fn run(arguments: FollowArguments, service: &Client) -> Result<u8, Failure> {
    let stop = shutdown::on_signal();
    let mut follower = Follower::begin(&arguments, service).await?;
    let followed = tokio::select! {
        followed = follower.follow() => followed,
        () = stop.cancelled() => Ok(()),
    };
    followed?;
    if !service.json {
        let position = follower.position;
        note(&format!("continue with: echeck follow --after {position}"));
    }
    Ok(exit::OK)
}

/// What was seen so far.
struct Follower<'a> {
    service: &'a Client,
    position: u64,
    journal_id: String,
    /// How many returns are still wanted; `None` for all.
    left: Option<u64>,
    table: StreamTable<6>,
}

impl<'a> Follower<'a> {
    async fn begin(arguments: &FollowArguments, service: &'a Client) -> Result<Self, Failure> {
        let (position, journal_id) = match arguments.after {
            Some(position) => (position, String::new()),
            None => {
                let ask = proto::GetStatusRequest {};
                let status = service.operations().get_status(ask).await?.into_inner();
                (status.head_position, status.journal_id)
            }
        };
        let columns = [
            StreamColumn::new("DECIDED", 17).extra(1),
            StreamColumn::new("TRANSFER", 13),
            StreamColumn::new("CODE", 4),
            StreamColumn::new("EFFECT", 9),
            StreamColumn::new("AMOUNT", 13).right(),
            StreamColumn::new("REASON", 12),
        ];
        let table = StreamTable::new(columns, Screen::of_stdout());
        if !service.json {
            writeln!(out(), "{}", table.header())?;
        }
        Ok(Self {
            service,
            position,
            journal_id,
            left: arguments.limit,
            table,
        })
    }

    /// Follows until there are enough returns, over as many connections as it takes.
    async fn follow(&mut self) -> Result<(), Failure> {
        let mut attempts = 0;
        while self.left != Some(0) {
            let before = self.position;
            let lost = match self.one_connection().await {
                Ok(()) => "the service has ended the call".to_owned(),
                Err(Failure::Status(status)) if is_lost(&status) => status.message().to_owned(),
                Err(failure) => return Err(failure),
            };
            if self.left == Some(0) {
                break;
            }
            attempts = if self.position > before { 0 } else { attempts };
            if attempts == 0 && !self.service.json {
                note(&format!("connection lost ({lost}); connecting again"));
            }
            let pause = PAUSES.get(attempts).unwrap_or(&PAUSES[PAUSES.len() - 1]);
            tokio::time::sleep(*pause).await;
            attempts += 1;
        }
        Ok(())
    }

    /// Follows until the connection ends.
    async fn one_connection(&mut self) -> Result<(), Failure> {
        let ask = proto::StreamReturnsRequest {
            after_position: self.position,
            heartbeat_ms: u32::try_from(HEARTBEAT.as_millis()).unwrap_or(0),
            journal_id: self.journal_id.clone(),
        };
        let mut service = self.service.returns_without_deadline();
        let mut messages = service.stream_returns(ask).await?.into_inner();
        while self.left != Some(0) {
            // A connection that says nothing at all is lost, although nobody has closed it.
            let Ok(message) = tokio::time::timeout(SILENCE, messages.message()).await else {
                return Ok(());
            };
            let Some(message) = message? else {
                return Ok(());
            };
            self.position = message.position;
            message.journal_id.clone_into(&mut self.journal_id);
            if message.ach_return.is_some() {
                self.print(&message)?;
                self.left = self.left.map(|left| left - 1);
            }
        }
        Ok(())
    }

    fn print(&self, message: &proto::StreamReturnsResponse) -> Result<(), Failure> {
        if self.service.json {
            return print_json(message);
        }
        let one = message.ach_return.as_ref();
        let line = one.map(|one| self.table.line(cells(one)));
        Ok(writeln!(out(), "{}", line.unwrap_or_default())?)
    }
}

fn cells(one: &proto::AchReturn) -> [(String, Tone); 6] {
    let texts = [
        time(one.decided_at.as_ref()),
        one.transfer_id.clone(),
        or_dash(&one.return_code),
        one.effect().words(),
        money(one.amount_minor, &one.currency),
        title(one).to_owned(),
    ];
    texts.map(|text| (text, Tone::Plain))
}

/// Whether the connection is lost, rather than the call refused. A refusal that will not change says
/// what it is in its details; what a transport says has none.
fn is_lost(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
            true
        }
        Code::Unknown | Code::Internal => status.get_details_error_info().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    fn status(code: Code) -> Status {
        Status::with_error_details(code, "text", ErrorDetails::new())
    }

    #[test]
    fn a_broken_connection_is_tried_again_and_a_refusal_is_not() {
        for code in [Code::Unavailable, Code::Unknown, Code::Cancelled] {
            assert!(is_lost(&status(code)), "{code:?}");
        }
        for code in [
            Code::PermissionDenied,
            Code::OutOfRange,
            Code::FailedPrecondition,
        ] {
            assert!(!is_lost(&status(code)), "{code:?}");
        }
        let details = ErrorDetails::with_error_info("BUG", "echeck-returns", HashMap::new());
        let refused = Status::with_error_details(Code::Internal, "text", details);
        assert!(!is_lost(&refused));
    }
}
