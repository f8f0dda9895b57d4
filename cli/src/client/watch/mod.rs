//! `echeck watch`: a live view of sources, databases, holds and incidents.

mod changes;
mod frame;

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use echeck_service::shutdown;
use proto::IncidentState;
use serde_json::json;
use tonic::Code;

use super::connect::{Client, pages};
use super::json as message;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Live, Screen, out, print_json};

/// How often to look.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck watch\n  echeck watch --every-s 30 >> changes.log\n\n\
    On a terminal it refreshes in place. Elsewhere it prints a line for each change.\n\
    Ctrl-C ends it with exit code 0."
)]
pub(crate) struct WatchArguments {
    /// The seconds between two looks.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every_s: u64,
}

/// What is seen at one moment. A service that is unavailable is something to see, too.
#[derive(Debug, Clone, Default, PartialEq)]
struct Snapshot {
    status: proto::GetStatusResponse,
    sources: Vec<proto::JobSource>,
    incidents: Vec<proto::Incident>,
    /// Why the service did not answer; empty when it did.
    unavailable: String,
}

pub(super) async fn run(arguments: WatchArguments, service: &Client) -> Result<u8, Failure> {
    let stop = shutdown::on_signal();
    let watched = tokio::select! {
        watched = watch(&arguments, service) => watched,
        () = stop.cancelled() => Ok(()),
    };
    watched.map(|()| exit::OK)
}

async fn watch(arguments: &WatchArguments, service: &Client) -> Result<(), Failure> {
    let screen = Screen::of_stdout();
    let mut live = (screen.is_live && !service.json).then(|| Live::new(screen));
    let mut ticks = tokio::time::interval(Duration::from_secs(arguments.every_s));
    let mut last: Option<Snapshot> = None;
    loop {
        ticks.tick().await;
        let seen = Snapshot::take(service, last.as_ref()).await?;
        let now = SystemClock.now();
        match &mut live {
            Some(live) => live.draw(&frame::lines(&seen, now, screen))?,
            None => seen.print_changes(last.as_ref(), now, service.json)?,
        }
        last = Some(seen);
    }
}

impl Snapshot {
    /// Asks for everything. When the service is unavailable, what was seen last stays.
    async fn take(service: &Client, last: Option<&Self>) -> Result<Self, Failure> {
        match Self::ask(service).await {
            Ok(seen) => Ok(seen),
            Err(Failure::Status(status)) if is_temporary(status.code()) => Ok(Self {
                unavailable: status.message().to_owned(),
                ..last.cloned().unwrap_or_default()
            }),
            Err(failure) => Err(failure),
        }
    }

    async fn ask(service: &Client) -> Result<Self, Failure> {
        let ask = proto::GetStatusRequest {};
        let status = service.operations().get_status(ask).await?.into_inner();
        let ask = proto::ListSourcesRequest {};
        let sources = service.operations().list_sources(ask).await?.into_inner();
        let incidents = pages(u32::MAX, async |page_size, page_token| {
            let ask = proto::ListIncidentsRequest {
                state: IncidentState::Open.into(),
                page_size,
                page_token,
            };
            let answer = service.incidents().list_incidents(ask).await?.into_inner();
            Ok((answer.incidents, answer.next_page_token))
        });
        Ok(Self {
            status,
            sources: sources.sources,
            incidents: incidents.await?.items,
            unavailable: String::new(),
        })
    }

    fn print_changes(
        &self,
        last: Option<&Self>,
        now: DateTime<Utc>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let changes = changes::between(last, self);
        if changes.is_empty() {
            return Ok(());
        }
        if as_json {
            return self.print_json(&changes, now);
        }
        let at = now.format("%Y-%m-%d %H:%M:%SZ");
        for change in changes {
            writeln!(out(), "{at}  {change}")?;
        }
        Ok(())
    }

    fn print_json(&self, changes: &[String], now: DateTime<Utc>) -> Result<(), Failure> {
        let all = |messages: Vec<anyhow::Result<serde_json::Value>>| {
            messages.into_iter().collect::<anyhow::Result<Vec<_>>>()
        };
        print_json(&json!({
            "at": now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "changes": changes,
            "unavailable": self.unavailable,
            "status": message::of(&self.status)?,
            "sources": all(self.sources.iter().map(message::of).collect())?,
            "incidents": all(self.incidents.iter().map(message::of).collect())?,
        }))?;
        Ok(())
    }
}

/// Whether the service may answer again in a while.
fn is_temporary(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Unknown
            | Code::Internal
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted
    )
}
