//! Answers as JSON. The field names are the protos'; enums are their names without the
//! prefix that protobuf needs.

use echeck_proto::returns::v1 as proto;
use prost_types::Timestamp;
use serde_json::{Value, json};

/// A time as RFC 3339, or null.
pub(super) fn time(at: Option<&Timestamp>) -> Value {
    at.and_then(|at| {
        let nanos = u32::try_from(at.nanos).ok()?;
        chrono::DateTime::from_timestamp(at.seconds, nanos)
    })
    .map_or(Value::Null, |at| {
        json!(at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    })
}

/// Text, or null when it is empty.
pub(super) fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        json!(text)
    }
}

/// The name of an enum's value without the prefix of its type.
pub(super) fn name(full: &str, prefix: &str) -> String {
    full.strip_prefix(prefix)
        .unwrap_or(full)
        .to_ascii_lowercase()
}

pub(super) fn state(import: &proto::Import) -> String {
    name(import.state().as_str_name(), "IMPORT_STATE_")
}

pub(crate) fn effect(found: &proto::AchReturn) -> String {
    name(found.effect().as_str_name(), "EFFECT_")
}

pub(super) fn reason(hold: &proto::Hold) -> String {
    name(hold.reason().as_str_name(), "HOLD_REASON_")
}

pub(super) fn hold_state(hold: &proto::Hold) -> String {
    name(hold.state().as_str_name(), "HOLD_STATE_")
}

pub(super) fn database_state(state: proto::DatabaseState) -> String {
    name(state.as_str_name(), "DATABASE_STATE_")
}

fn tally(tally: Option<proto::Tally>) -> Value {
    let tally = tally.unwrap_or_default();
    json!({"count": tally.count, "amount_minor": tally.amount_minor})
}

fn databases(databases: &[proto::DatabaseProgress]) -> Value {
    databases
        .iter()
        .map(|one| {
            json!({
                "database": one.database,
                "state": database_state(one.state()),
                "rows_passed": one.rows_passed,
                "exceptions": one.exceptions,
                "fault": text(&one.fault),
            })
        })
        .collect()
}

fn rejection(line: &proto::Rejection) -> Value {
    json!({
        "line": line.line,
        "byte": line.byte,
        "field": text(&line.field),
        "why": line.why,
        "looks_like": text(&line.looks_like),
    })
}

pub(super) fn import(import: &proto::Import) -> Value {
    let totals = import.totals.unwrap_or_default();
    json!({
        "import_id": import.import_id,
        "source": import.source,
        "file_name": import.file_name,
        "sha256": import.sha256,
        "size_bytes": import.size_bytes,
        "state": state(import),
        "rejection": import.rejection.as_ref().map(rejection),
        "totals": {
            "read": tally(totals.read),
            "returned": tally(totals.returned),
            "reversed": tally(totals.reversed),
            "failed": tally(totals.failed),
            "corrected": tally(totals.corrected),
            "duplicate": tally(totals.duplicate),
            "held": tally(totals.held),
            "rejected": tally(totals.rejected),
            "debit_minor": totals.debit_minor,
            "credit_minor": totals.credit_minor,
        },
        "entries_total": import.entries_total,
        "entries_done": import.entries_done,
        "emptiness": match import.emptiness() {
            proto::Emptiness::Unspecified => Value::Null,
            how => json!(name(how.as_str_name(), "EMPTINESS_")),
        },
        "rejected_lines": import.rejected_lines.iter().map(rejection).collect::<Vec<_>>(),
        "findings": import.findings.iter().map(|finding| json!({
            "line": finding.line, "field": finding.field, "what": finding.what,
            "count": finding.count,
        })).collect::<Vec<_>>(),
        "databases": databases(&import.databases),
        "first_position": import.first_position,
        "last_position": import.last_position,
        "reissued": import.reissued,
        "received_at": time(import.received_at.as_ref()),
        "decided_at": time(import.decided_at.as_ref()),
        "applied_at": time(import.applied_at.as_ref()),
        "fault": text(&import.fault),
        "archive_key": text(&import.archive_key),
        "report_key": text(&import.report_key),
        "reported_at": time(import.reported_at.as_ref()),
    })
}

pub(super) fn report(report: &proto::ReportHeader) -> Value {
    json!({
        "key": report.key,
        "sha256": report.sha256,
        "size_bytes": report.size_bytes,
        "rows": report.rows,
        "outcomes": report.outcomes.iter()
            .map(|one| (one.outcome.clone(), tally(one.tally)))
            .collect::<serde_json::Map<_, _>>(),
        "databases": report.databases.iter().map(|one| json!({
            "database": one.database,
            "applied": tally(one.applied),
            "corrected": tally(one.corrected),
            "exception": tally(one.exception),
            "duplicate": tally(one.duplicate),
            "held": tally(one.held),
            "dismissed": tally(one.dismissed),
            "rejected": tally(one.rejected),
        })).collect::<Vec<_>>(),
        "ties_out": report.ties_out,
        "differences": report.differences,
        "totals_key": report.totals_key,
        "reported_at": time(report.reported_at.as_ref()),
    })
}

fn ground(ground: &proto::DishonorGround) -> Value {
    json!({
        "code": ground.code,
        "fields": text(&ground.fields),
        "last_day": ground.last_day,
        "why": ground.why,
    })
}

pub(super) fn dishonorable(found: &proto::Dishonorable) -> Value {
    json!({
        "grounds": found.grounds.iter().map(ground).collect::<Vec<_>>(),
        "last_day": found.last_day,
        "banking_days_left": found.banking_days_left,
        "return_code": found.return_code,
        "amount_minor": found.amount_minor,
        "currency": text(&found.currency),
        "transfer_id": text(&found.transfer_id),
        "ach_return_id": text(&found.ach_return_id),
        "hold_id": text(&found.hold_id),
        "settlement_date": text(&found.settlement_date),
        "import_id": found.import_id,
        "line": found.line,
        "marked_at": time(found.marked_at.as_ref()),
    })
}

pub(super) fn ach_return(found: &proto::AchReturn) -> Value {
    json!({
        "ach_return_id": found.ach_return_id,
        "return_code": text(&found.return_code),
        "return_title": text(&found.return_title),
        "return_description": text(&found.return_description),
        "acquirer_text": text(&found.acquirer_text),
        "transfer_id": found.transfer_id,
        "effect": effect(found),
        "amount_minor": found.amount_minor,
        "currency": found.currency,
        "reversal_id": text(&found.reversal_id),
        "settlement_date": text(&found.settlement_date),
        "issued_on": text(&found.issued_on),
        "received_on": text(&found.received_on),
        "original_settlement_date": text(&found.original_settlement_date),
        "deadline": text(&found.deadline),
        "timeliness": match found.timeliness() {
            proto::Timeliness::Unspecified => Value::Null,
            timeliness => json!(name(timeliness.as_str_name(), "TIMELINESS_")),
        },
        "representment": match found.representment() {
            proto::Representment::Unspecified => Value::Null,
            rule => json!(name(rule.as_str_name(), "REPRESENTMENT_")),
        },
        "represent_until": text(&found.represent_until),
        "represent_attempts_used": found.represent_attempts_used,
        "represent_attempts_left": found.represent_attempts_left,
        "represent_attempts_are_bounds": found.represent_attempts_are_bounds,
        "dishonor_grounds": found.dishonor_grounds.iter().map(ground).collect::<Vec<_>>(),
        "recommended_action": text(&found.recommended_action),
        "account_effect": text(&found.account_effect),
        "rate_category": text(&found.rate_category),
        "original_trace": text(&found.original_trace),
        "return_trace": text(&found.return_trace),
        "case_id": text(&found.case_id),
        "account_tail": text(&found.account_tail),
        "import_id": found.import_id,
        "line": found.line,
        "position": found.position,
        "supersedes_position": match found.supersedes_position {
            0 => Value::Null,
            position => json!(position),
        },
        "decided_at": time(found.decided_at.as_ref()),
        "databases": databases(&found.databases),
        "stage": match found.stage() {
            proto::AchReturnStage::Unspecified => Value::Null,
            stage => json!(name(stage.as_str_name(), "ACH_RETURN_STAGE_")),
        },
        "transfer_state": text(&found.transfer_state),
        "corrected": found.corrected.iter()
            .map(|one| json!({"field": one.field, "value": one.value}))
            .collect::<Vec<_>>(),
    })
}

pub(super) fn transfer(transfer: &proto::Transfer) -> Value {
    let raw = serde_json::from_str(&transfer.raw_json).unwrap_or(Value::Null);
    json!({
        "id": transfer.id,
        "amount_minor": transfer.amount_minor,
        "currency": transfer.currency,
        "state": transfer.state,
        "type": transfer.r#type,
        "subtype": text(&transfer.subtype),
        "trace_id": text(&transfer.trace_id),
        "tags": sorted(&transfer.tags),
        "messages": transfer.messages,
        "raw": raw,
        "application": text(&transfer.application),
        "source": text(&transfer.source),
        "destination": text(&transfer.destination),
        "ready_to_settle_at": time(transfer.ready_to_settle_at.as_ref()),
        "fee_minor": transfer.fee_minor,
        "statement_descriptor": text(&transfer.statement_descriptor),
        "created_at": time(transfer.created_at.as_ref()),
        "updated_at": time(transfer.updated_at.as_ref()),
        "idempotency_id": text(&transfer.idempotency_id),
        "merchant_identity": text(&transfer.merchant_identity),
        "failure_code": text(&transfer.failure_code),
        "failure_message": text(&transfer.failure_message),
        "parent_id": text(&transfer.parent_id),
        "links": sorted(&transfer.links),
        "has_ach_return": transfer.has_ach_return,
        "ach_return": transfer.ach_return.as_ref().map(ach_return),
        "reversal_ids": transfer.reversal_ids,
        "databases": databases(&transfer.databases),
        "open_hold_ids": transfer.open_hold_ids,
    })
}

/// A map in the order of its keys, so that the same answer is the same text.
fn sorted(map: &std::collections::HashMap<String, String>) -> Value {
    let map: std::collections::BTreeMap<_, _> = map.iter().collect();
    json!(map)
}

pub(super) fn hold(hold: &proto::Hold) -> Value {
    json!({
        "hold_id": hold.hold_id,
        "reason": reason(hold),
        "detail": hold.detail,
        "state": hold_state(hold),
        "import_id": hold.import_id,
        "line": hold.line,
        "entry_kind": hold.entry_kind,
        "code": text(&hold.code),
        "amount_minor": hold.amount_minor,
        "currency": text(&hold.currency),
        "keys": sorted(&hold.keys),
        "transfer_ids": hold.transfer_ids,
        "failed_position": hold.failed_position,
        "database": text(&hold.database),
        "attempts": hold.attempts,
        "next_attempt_at": time(hold.next_attempt_at.as_ref()),
        "held_at": time(hold.held_at.as_ref()),
        "closed_at": time(hold.closed_at.as_ref()),
        "closed_by": text(&hold.closed_by),
        "note": text(&hold.note),
        "resolved_position": hold.resolved_position,
    })
}

pub(super) fn status(status: &proto::GetStatusResponse) -> Value {
    json!({
        "journal_id": status.journal_id,
        "head_position": status.head_position,
        "open_holds": status.open_holds,
        "open_imports": status.open_imports,
        "followers": status.followers.iter().map(|one| json!({
            "database": one.database,
            "system_of_record": one.system_of_record,
            "position": one.position,
            "state": database_state(one.state()),
            "fault": text(&one.fault),
            "fault_since": time(one.fault_since.as_ref()),
        })).collect::<Vec<_>>(),
        "sources": status.sources.iter().map(|one| json!({
            "name": one.name, "format": one.format, "imports": one.imports,
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn adoption(answer: &proto::AdoptCursorResponse) -> Value {
    let point = |point: &Option<proto::JournalPoint>| {
        point.as_ref().map(|point| {
            json!({
                "journal_id": point.journal_id,
                "position": point.position,
                "hash": point.hash,
            })
        })
    };
    json!({
        "adoption_id": answer.adoption_id,
        "from": point(&answer.from),
        "to": point(&answer.to),
    })
}

pub(super) fn journal_row(row: &proto::JournalRow) -> Value {
    json!({
        "position": row.position,
        "hash": row.hash,
        "payload": serde_json::from_str::<Value>(&row.payload_json).unwrap_or(Value::Null),
        "recorded_at": time(row.recorded_at.as_ref()),
    })
}

pub(super) fn outcome(outcome: proto::JobOutcome) -> String {
    name(outcome.as_str_name(), "JOB_OUTCOME_")
}

pub(super) fn trigger(trigger: proto::JobTrigger) -> String {
    name(trigger.as_str_name(), "JOB_TRIGGER_")
}

pub(super) fn days(days: proto::ScheduleDays) -> String {
    name(days.as_str_name(), "SCHEDULE_DAYS_")
}

/// A time for people; a dash when there is none.
pub(super) fn moment(at: Option<&Timestamp>) -> String {
    at.and_then(|at| chrono::DateTime::from_timestamp(at.seconds, 0))
        .map_or("-".to_owned(), |at| {
            at.format("%Y-%m-%d %H:%M:%SZ").to_string()
        })
}

/// A span in whole milliseconds.
pub(super) fn milliseconds(span: Option<&prost_types::Duration>) -> i64 {
    span.map_or(0, |span| {
        span.seconds
            .saturating_mul(1_000)
            .saturating_add(i64::from(span.nanos) / 1_000_000)
    })
}

pub(super) fn run(run: &proto::JobRun) -> Value {
    let files: Value = run
        .files
        .iter()
        .map(|file| {
            json!({
                "name": file.name,
                "size_bytes": file.size_bytes,
                "import_id": text(&file.import_id),
                "outcome": outcome(file.outcome()),
                "what": file.what,
            })
        })
        .collect();
    let ended = run.ended_at.is_some().then(|| outcome(run.outcome()));
    json!({
        "run_id": run.run_id,
        "source": run.source,
        "slot": run.slot,
        "trigger": trigger(run.trigger()),
        "actor": text(&run.actor),
        "started_at": time(run.started_at.as_ref()),
        "ended_at": time(run.ended_at.as_ref()),
        "outcome": ended,
        "summary": text(&run.summary),
        "cause": text(&run.cause),
        "files": files,
    })
}

pub(super) fn source(source: &proto::JobSource) -> Value {
    let schedule = source.schedule.as_ref().map(|schedule| {
        json!({
            "cron": schedule.cron,
            "time_zone": schedule.time_zone,
            "days": days(schedule.days()),
            "due": text(&schedule.due),
            "grace_minutes": schedule.grace_minutes,
        })
    });
    json!({
        "name": source.name,
        "place": source.place,
        "pattern": source.pattern,
        "schedule": schedule,
        "schedule_set": source.schedule_set,
        "next_run_at": time(source.next_run_at.as_ref()),
        "paused_at": time(source.paused_at.as_ref()),
        "paused_by": text(&source.paused_by),
        "pause_reason": text(&source.pause_reason),
        "last_run": source.last_run.as_ref().map(run),
        "version": source.version,
    })
}

pub(super) fn audit(record: &proto::AuditRecord) -> Value {
    json!({
        "audit_id": record.audit_id,
        "at": time(record.at.as_ref()),
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "before": text(&record.before),
        "after": text(&record.after),
        "reason": record.reason,
    })
}

pub(super) fn diagnosis(answer: &proto::DiagnoseResponse) -> Value {
    let checks: Value = answer
        .checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "of": check.of,
                "source": text(&check.source),
                "state": name(check.state().as_str_name(), "CHECK_STATE_"),
                "evidence": check.evidence,
                "cause": text(&check.cause),
                "took_ms": milliseconds(check.took.as_ref()),
            })
        })
        .collect();
    json!({
        "at": time(answer.at.as_ref()),
        "healthy": answer.healthy,
        "headline": text(&answer.headline),
        "cause": text(&answer.cause),
        "meaning": text(&answer.meaning),
        "to_do": answer.to_do,
        "checks": checks,
    })
}

pub(super) fn severity(incident: &proto::Incident) -> String {
    name(incident.severity().as_str_name(), "SEVERITY_")
}

pub(super) fn incident_state(incident: &proto::Incident) -> String {
    name(incident.state().as_str_name(), "INCIDENT_STATE_")
}

pub(super) fn alert_state(alert: &proto::Alert) -> String {
    name(alert.state().as_str_name(), "ALERT_STATE_")
}

pub(super) fn incident(incident: &proto::Incident) -> Value {
    let checks = incident.checks.iter().map(|check| {
        json!({
            "name": check.name,
            "of": check.of,
            "outcome": name(check.outcome().as_str_name(), "CHECK_OUTCOME_"),
            "evidence": check.evidence,
            "took_ms": check.took_ms,
        })
    });
    let alerts = incident.alerts.iter().map(|alert| {
        json!({
            "alert_id": alert.alert_id,
            "channel": alert.channel,
            "kind": alert.kind,
            "state": alert_state(alert),
            "attempts": alert.attempts,
            "created_at": time(alert.created_at.as_ref()),
            "next_attempt_at": time(alert.next_attempt_at.as_ref()),
            "sent_at": time(alert.sent_at.as_ref()),
            "last_error": text(&alert.last_error),
            "fallback_of": text(&alert.fallback_of),
        })
    });
    json!({
        "incident_id": incident.incident_id,
        "cause": incident.cause,
        "subject": incident.subject,
        "severity": severity(incident),
        "state": incident_state(incident),
        "headline": incident.headline,
        "met_as": text(&incident.met_as),
        "meaning": incident.meaning,
        "to_do": incident.to_do,
        "checks": checks.collect::<Vec<_>>(),
        "source": text(&incident.source),
        "import_id": text(&incident.import_id),
        "run_id": text(&incident.run_id),
        "seen": incident.seen,
        "reopened": incident.reopened,
        "opened_at": time(incident.opened_at.as_ref()),
        "last_seen_at": time(incident.last_seen_at.as_ref()),
        "next_try_at": time(incident.next_try_at.as_ref()),
        "quiet_since": time(incident.quiet_since.as_ref()),
        "money_at_stake": text(&incident.money_at_stake),
        "data_expires": text(&incident.data_expires),
        "last_good_run": text(&incident.last_good_run),
        "command": text(&incident.command),
        "acknowledged_at": time(incident.acknowledged_at.as_ref()),
        "acknowledged_by": text(&incident.acknowledged_by),
        "acknowledged_note": text(&incident.acknowledged_note),
        "closed_at": time(incident.closed_at.as_ref()),
        "closed_by": text(&incident.closed_by),
        "closed_note": text(&incident.closed_note),
        "escalations": incident.escalations,
        "alerts": alerts.collect::<Vec<_>>(),
    })
}

pub(super) fn incident_in_full(
    found: &proto::Incident,
    events: &[proto::IncidentEvent],
    told: &str,
) -> Value {
    let mut value = incident(found);
    if let Some(object) = value.as_object_mut() {
        let events = events.iter().map(|event| {
            json!({
                "at": time(event.at.as_ref()),
                "what": event.what,
                "actor": event.actor,
                "note": text(&event.note),
            })
        });
        object.insert("events".to_owned(), events.collect());
        object.insert("text".to_owned(), json!(told));
    }
    value
}

pub(super) fn channel_test(test: &proto::ChannelTest) -> Value {
    json!({
        "channel": test.channel,
        "kind": test.kind,
        "target": test.target,
        "delivered": test.delivered,
        "error": text(&test.error),
        "took_ms": test.took_ms,
    })
}
