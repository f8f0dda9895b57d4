//! `echeck incidents`: what keeps jobs from working, who is working on it, and whether people
//! were notified.

use std::io;

use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use proto::{AlertState, IncidentState};

use super::arguments::{OptionalChange, RequestId};
use super::connect::{Client, pages};
use crate::exit;
use crate::explain::cause_name;
use crate::failure::Failure;
use crate::output::{Columns, Table, Tone, bold, field, grouped, out};
use crate::words::{Words as _, plain, since, time};

/// Which incidents to list, or what to do with them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck incidents\n  echeck incidents show inc_…\n  \
    echeck incidents ack inc_… --reason 'asking the acquirer'\n  echeck incidents test-alert\n\n\
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
        change: OptionalChange,
    },
    /// Close it. If it is observed again, it reopens.
    Close {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        change: OptionalChange,
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
        Some(IncidentAction::Ack {
            incident_id,
            change,
        }) => {
            let ask = proto::AcknowledgeIncidentRequest {
                incident_id,
                request_id: change.request.request_id,
                note: change.reason,
            };
            let answer = service.incidents().acknowledge_incident(ask).await?;
            service.show_one("incident", answer.into_inner().incident, columns)
        }
        Some(IncidentAction::Close {
            incident_id,
            change,
        }) => {
            let ask = proto::CloseIncidentRequest {
                incident_id,
                request_id: change.request.request_id,
                note: change.reason,
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
    service.show_list(&found, none, columns)?;
    let open = found
        .items
        .iter()
        .any(|one| one.state() == IncidentState::Open);
    Ok(exit::ok_if(!open, exit::NEEDS_ATTENTION))
}

fn columns(incident: &proto::Incident) -> Columns {
    let state = incident.state();
    let words = match (incident.closes_at.as_ref(), &*incident.acknowledged_by) {
        (Some(at), _) => format!("recovering, closes {}", time(Some(at))),
        (None, "") => state.words(),
        (None, actor) if state == IncidentState::Open => format!("{} ({actor})", state.words()),
        (None, _) => state.words(),
    };
    let severity = incident.severity();
    let age = since(incident.opened_at.as_ref(), SystemClock.now());
    vec![
        field("INCIDENT", &incident.incident_id),
        field("STATE", words).text().tone(state.tone()),
        field("SEVERITY", severity.words())
            .tone(severity.tone())
            .extra(1),
        field("AGE", age),
        field("SINCE", time(incident.opened_at.as_ref())).extra(3),
        field("SEEN", grouped(incident.observed_count))
            .right()
            .extra(4),
        field("ALERTS", alerts(incident)).text().extra(2),
        field("WHAT", &incident.headline).text(),
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
    let incident = answer.incident.clone().unwrap_or_default();
    // The name by which people and `echeck explain` know the cause.
    let text = match incident.cause.as_str() {
        "" => answer.alert_text.clone(),
        cause => answer.alert_text.replace(cause, &cause_name(cause)),
    };
    let mut lines = text.lines();
    writeln!(out(), "{}", bold(lines.next().unwrap_or_default()))?;
    lines.try_for_each(|line| writeln!(out(), "{line}"))?;
    writeln!(out())?;
    let history = Table::of(&answer.events, |event| {
        vec![
            field("AT", time(event.at.as_ref())),
            field("WHAT", plain(&event.kind)),
            field("BY", &event.actor).text(),
            field("NOTE", &event.note).text(),
        ]
    });
    history.print()?;
    if !incident.alerts.is_empty() {
        writeln!(out())?;
        Table::of(&incident.alerts, alert_columns).print()?;
    }
    Ok(())
}

fn alert_columns(alert: &proto::Alert) -> Columns {
    vec![
        field("CHANNEL", &alert.channel),
        field("ALERT", plain(&alert.kind)),
        field("STATE", alert.state().words()).tone(alert.state().tone()),
        field("ATTEMPTS", alert.attempts).right(),
        field("SENT", time(alert.sent_at.as_ref())),
        field("NEXT ATTEMPT", time(alert.next_attempt_at.as_ref())).extra(2),
        field("LAST ERROR", &alert.last_error).text().extra(1),
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
    let (result, tone) = match channel.delivered {
        true => ("delivered", Tone::Good),
        false => (&*channel.error, Tone::Bad),
    };
    vec![
        field("CHANNEL", &channel.channel),
        field("KIND", &channel.kind),
        field("TO", &channel.target).text(),
        field("MS", grouped(channel.took_ms)).right().extra(1),
        field("RESULT", result).text().tone(tone),
    ]
}
