//! `echeck incidents`: what keeps jobs from working, who is working on it, and whether people
//! were notified.

use std::io;

use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use proto::{AlertState, IncidentState};

use super::RequestId;
use super::connect::{Client, pages};
use super::show::time;
use super::{Failure, Note, Words as _, exit};
use crate::output::{Columns, Table, bold, out};

/// Which incidents to list, or what to do with them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck incidents\n  echeck incidents show inc_…\n  \
    echeck incidents ack inc_… --note 'asking the acquirer'\n  echeck incidents test-alert\n\n\
    Exit codes: 0 done, 2 an incident is open or a channel did not accept the test, \
    4 there is no such incident",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct IncidentArguments {
    #[command(subcommand)]
    action: Option<IncidentAction>,
    #[command(flatten)]
    list: ListIncidentsArguments,
}

/// Which incidents to list.
#[derive(Debug, Args)]
struct ListIncidentsArguments {
    /// Also list closed ones.
    #[arg(long)]
    all: bool,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
enum IncidentAction {
    /// List open incidents.
    List(ListIncidentsArguments),
    /// Show one incident as an alert shows it, with its history and its alerts.
    Show {
        /// The incident.
        incident_id: String,
    },
    /// Acknowledge that you are working on it, so that it is not escalated.
    Ack {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        note: Note,
    },
    /// Close it. If it is observed again, it reopens.
    Close {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        note: Note,
    },
    /// Send a test to every alert channel, and show the result of each.
    TestAlert {
        #[command(flatten)]
        request: RequestId,
    },
}

pub(super) async fn run(arguments: IncidentArguments, service: &Client) -> Result<u8, Failure> {
    match arguments.action {
        None => list(arguments.list, service).await,
        Some(IncidentAction::List(arguments)) => list(arguments, service).await,
        Some(IncidentAction::Show { incident_id }) => show(incident_id, service).await,
        Some(IncidentAction::Ack { incident_id, note }) => {
            let ask = proto::AcknowledgeIncidentRequest {
                incident_id,
                request_id: note.request.request_id,
                note: note.note,
            };
            let answer = service.incidents().acknowledge_incident(ask).await?;
            service.show_one("incident", answer.into_inner().incident, columns)
        }
        Some(IncidentAction::Close { incident_id, note }) => {
            let ask = proto::CloseIncidentRequest {
                incident_id,
                request_id: note.request.request_id,
                note: note.note,
            };
            let answer = service.incidents().close_incident(ask).await?;
            service.show_one("incident", answer.into_inner().incident, columns)
        }
        Some(IncidentAction::TestAlert { request }) => test(request, service).await,
    }
}

async fn list(
    ListIncidentsArguments { all }: ListIncidentsArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let (state, none) = if all {
        (IncidentState::Unspecified, "No incidents.")
    } else {
        (IncidentState::Open, "No open incidents.")
    };
    let mut from_memory = false;
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = proto::ListIncidentsRequest {
            state: state.into(),
            page_size,
            page_token,
        };
        let answer = service.incidents().list_incidents(ask).await?;
        let answer = answer.into_inner();
        from_memory |= answer.from_memory;
        Ok((answer.incidents, answer.next_page_token))
    })
    .await?;
    if from_memory && !service.json {
        writeln!(
            out(),
            "The returns database is unavailable: these incidents are from memory."
        )?;
    }
    service.show_all(&found, none, columns)?;
    let open = found.iter().any(|one| one.state() == IncidentState::Open);
    Ok(exit::ok_if(!open, exit::NEEDS_ATTENTION))
}

fn columns(incident: &proto::Incident) -> Columns {
    let state = match incident.closes_at.as_ref() {
        Some(at) => format!("recovering, closes {}", time(Some(at))),
        None => incident.state().words(),
    };
    let state = match incident.acknowledged_by.as_str() {
        actor if incident.state() == IncidentState::Open && !actor.is_empty() => {
            format!("{state} ({actor})")
        }
        _ => state,
    };
    vec![
        ("INCIDENT", incident.incident_id.to_string()),
        ("STATE", state.to_string()),
        ("SEVERITY", incident.severity().words()),
        ("SINCE", time(incident.opened_at.as_ref())),
        (">SEEN", incident.observed_count.to_string()),
        ("ALERTS", alerts(incident)),
        ("WHAT", incident.headline.to_string()),
    ]
}

/// Whether people were notified, in a word or two.
fn alerts(incident: &proto::Incident) -> String {
    let undelivered: Vec<&str> = incident
        .alerts
        .iter()
        .filter(|alert| match alert.state() {
            AlertState::Pending | AlertState::Undeliverable => true,
            AlertState::Sent | AlertState::Superseded | AlertState::Unspecified => false,
        })
        .map(|alert| alert.channel.as_str())
        .collect();
    match (incident.alerts.is_empty(), undelivered.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => "delivered".to_owned(),
        (false, false) => format!("not to {}", undelivered.join(", ")),
    }
}

async fn show(incident_id: String, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetIncidentRequest { incident_id };
    let answer = service.incidents().get_incident(ask).await?;
    service.show(&answer.into_inner(), print)
}

fn print(answer: &proto::GetIncidentResponse) -> io::Result<()> {
    let mut lines = answer.alert_text.lines();
    writeln!(out(), "{}", bold(lines.next().unwrap_or_default()))?;
    lines.try_for_each(|line| writeln!(out(), "{line}"))?;
    writeln!(out())?;
    let history = Table::of(&answer.events, |event| {
        vec![
            ("AT", time(event.at.as_ref())),
            ("WHAT", event.kind.to_string()),
            ("BY", event.actor.to_string()),
            ("NOTE", event.note.to_string()),
        ]
    });
    history.print()?;
    let alerts = answer.incident.as_ref().map(|incident| &incident.alerts);
    if let Some(alerts) = alerts.filter(|alerts| !alerts.is_empty()) {
        writeln!(out())?;
        Table::of(alerts, alert_columns).print()?;
    }
    Ok(())
}

fn alert_columns(alert: &proto::Alert) -> Columns {
    vec![
        ("CHANNEL", alert.channel.to_string()),
        ("ALERT", alert.kind.to_string()),
        ("STATE", alert.state().words()),
        (">ATTEMPTS", alert.attempts.to_string()),
        ("SENT", time(alert.sent_at.as_ref())),
        ("NEXT ATTEMPT", time(alert.next_attempt_at.as_ref())),
        ("LAST ERROR", alert.last_error.to_string()),
    ]
}

async fn test(RequestId { request_id }: RequestId, service: &Client) -> Result<u8, Failure> {
    let ask = proto::SendTestAlertRequest { request_id };
    let answer = service.incidents().send_test_alert(ask).await?;
    let channels = answer.into_inner().channels;
    let none = "No alert channel is configured: add [alerts.channels.NAME].";
    service.show_all(&channels, none, channel_columns)?;
    let delivered = channels.iter().all(|channel| channel.delivered);
    Ok(exit::ok_if(delivered, exit::NEEDS_ATTENTION))
}

fn channel_columns(channel: &proto::ChannelTest) -> Columns {
    let result = if channel.delivered {
        "delivered"
    } else {
        &channel.error
    };
    vec![
        ("CHANNEL", channel.channel.to_string()),
        ("KIND", channel.kind.to_string()),
        ("TO", channel.target.to_string()),
        (">MS", channel.took_ms.to_string()),
        ("RESULT", result.to_string()),
    ]
}
