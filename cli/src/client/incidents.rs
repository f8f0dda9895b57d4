//! `echeck incidents`: what keeps jobs from being right, who looks after it, and whether people
//! were told.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;

use super::connect::{incidents, request};
use super::{Common, Failure, IncidentAction, IncidentList, exit, json};
use crate::output::{Table, bold, print_line};

pub(super) async fn list(list: &IncidentList) -> Result<u8, Failure> {
    let common = &list.common;
    let mut client = incidents(common).await?;
    let state = if list.all {
        proto::IncidentState::Unspecified
    } else {
        proto::IncidentState::Open
    };
    let mut ask = proto::ListIncidentsRequest {
        state: state.into(),
        page_size: 500,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    let from_memory = loop {
        let answer = client
            .list_incidents(request(common, ask.clone()))
            .await?
            .into_inner();
        found.extend(answer.incidents);
        if answer.next_page_token.is_empty() {
            break answer.from_memory;
        }
        ask.page_token = answer.next_page_token;
    };
    let open = found
        .iter()
        .any(|incident| incident.state() == proto::IncidentState::Open);
    let code = if open { exit::LOOK } else { exit::FINE };
    if common.json {
        for incident in &found {
            print_line(&json::incident(incident).to_string())?;
        }
        return Ok(code);
    }
    if from_memory {
        print_line("The returns database does not answer: these are known from memory.")?;
    }
    if found.is_empty() {
        print_line("No incident is open.")?;
        return Ok(code);
    }
    table(&found).print()?;
    Ok(code)
}

fn table(found: &[proto::Incident]) -> Table {
    let mut table = Table::new(&[
        "INCIDENT", "STATE", "SEVERITY", "SINCE", ">SEEN", "ALERTS", "WHAT",
    ]);
    for incident in found {
        let state = match incident.state() {
            proto::IncidentState::Open if !incident.acknowledged_by.is_empty() => {
                format!("open ({})", incident.acknowledged_by)
            }
            proto::IncidentState::Open
            | proto::IncidentState::Closed
            | proto::IncidentState::Unspecified => json::incident_state(incident),
        };
        table.row(vec![
            incident.incident_id.clone(),
            state,
            json::severity(incident),
            json::moment(incident.opened_at.as_ref()),
            incident.seen.to_string(),
            alerts(incident),
            incident.headline.clone(),
        ]);
    }
    table
}

/// Whether people were told, in a word or two.
fn alerts(incident: &proto::Incident) -> String {
    let undelivered: Vec<&str> = incident
        .alerts
        .iter()
        .filter(|alert| match alert.state() {
            proto::AlertState::Pending | proto::AlertState::Dead => true,
            proto::AlertState::Sent
            | proto::AlertState::Superseded
            | proto::AlertState::Unspecified => false,
        })
        .map(|alert| alert.channel.as_str())
        .collect();
    match (incident.alerts.is_empty(), undelivered.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => "delivered".to_owned(),
        (false, false) => format!("not to {}", undelivered.join(", ")),
    }
}

pub(super) async fn act(action: IncidentAction) -> Result<u8, Failure> {
    match action {
        IncidentAction::List(asked) => list(&asked).await,
        IncidentAction::Show {
            incident_id,
            common,
        } => show(incident_id, &common).await,
        IncidentAction::Ack { incident_id, who } => {
            let ask = proto::AcknowledgeIncidentRequest {
                incident_id,
                actor: who.actor,
                note: who.note,
            };
            let answer = incidents(&who.common)
                .await?
                .acknowledge_incident(request(&who.common, ask))
                .await?;
            changed(answer.into_inner().incident, &who.common)
        }
        IncidentAction::Close { incident_id, who } => {
            let ask = proto::CloseIncidentRequest {
                incident_id,
                actor: who.actor,
                note: who.note,
            };
            let answer = incidents(&who.common)
                .await?
                .close_incident(request(&who.common, ask))
                .await?;
            changed(answer.into_inner().incident, &who.common)
        }
        IncidentAction::TestAlert { actor, common } => test(actor, &common).await,
    }
}

fn changed(incident: Option<proto::Incident>, common: &Common) -> Result<u8, Failure> {
    let incident = incident.context("the service sent no incident")?;
    if common.json {
        print_line(&json::incident(&incident).to_string())?;
    } else {
        table(std::slice::from_ref(&incident)).print()?;
    }
    Ok(exit::FINE)
}

async fn show(incident_id: String, common: &Common) -> Result<u8, Failure> {
    let ask = proto::GetIncidentRequest { incident_id };
    let answer = incidents(common)
        .await?
        .get_incident(request(common, ask))
        .await?
        .into_inner();
    let incident = answer.incident.context("the service sent no incident")?;
    if common.json {
        print_line(&json::incident_in_full(&incident, &answer.events, &answer.text).to_string())?;
        return Ok(exit::FINE);
    }
    let mut lines = answer.text.lines();
    print_line(&bold(lines.next().unwrap_or_default()))?;
    lines.try_for_each(print_line)?;
    print_line("")?;
    let mut history = Table::new(&["AT", "WHAT", "BY", "NOTE"]);
    for event in &answer.events {
        history.row(vec![
            json::moment(event.at.as_ref()),
            event.what.clone(),
            event.actor.clone(),
            event.note.clone(),
        ]);
    }
    history.print()?;
    if incident.alerts.is_empty() {
        return Ok(exit::FINE);
    }
    print_line("")?;
    let mut alerts = Table::new(&[
        "CHANNEL",
        "ALERT",
        "STATE",
        ">TRIES",
        "SENT",
        "NEXT TRY",
        "LAST ERROR",
    ]);
    for alert in &incident.alerts {
        alerts.row(vec![
            alert.channel.clone(),
            alert.kind.clone(),
            json::alert_state(alert),
            alert.attempts.to_string(),
            json::moment(alert.sent_at.as_ref()),
            json::moment(alert.next_attempt_at.as_ref()),
            alert.last_error.clone(),
        ]);
    }
    alerts.print()?;
    Ok(exit::FINE)
}

async fn test(actor: String, common: &Common) -> Result<u8, Failure> {
    let ask = proto::SendTestAlertRequest { actor };
    let answer = incidents(common)
        .await?
        .send_test_alert(request(common, ask))
        .await?
        .into_inner();
    let failed = answer.channels.iter().any(|channel| !channel.delivered);
    let code = if failed { exit::LOOK } else { exit::FINE };
    if common.json {
        for channel in &answer.channels {
            print_line(&json::channel_test(channel).to_string())?;
        }
        return Ok(code);
    }
    if answer.channels.is_empty() {
        print_line("No channel is configured: add [alerts.channels.NAME].")?;
        return Ok(code);
    }
    let mut table = Table::new(&["CHANNEL", "KIND", "TO", ">MS", "RESULT"]);
    for channel in &answer.channels {
        table.row(vec![
            channel.channel.clone(),
            channel.kind.clone(),
            channel.target.clone(),
            channel.took_ms.to_string(),
            if channel.delivered {
                "delivered".to_owned()
            } else {
                channel.error.clone()
            },
        ]);
    }
    table.print()?;
    Ok(code)
}
