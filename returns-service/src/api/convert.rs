//! The domain's types as protobuf has them.

use ach::decision::HoldReason;
use ach::format::{Emptiness, FileRejected, Rejected};
use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use prost_types::Timestamp;
use returns_feed::timestamp;
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::import::{ImportRecord, Phase, Tally, Totals};
use returns_model::report::FilesRecord;

fn at(time: Option<DateTime<Utc>>) -> Option<Timestamp> {
    time.map(timestamp)
}

pub(super) fn import(record: &ImportRecord) -> proto::Import {
    let checked = record.phase.checked();
    let (decided_at, applied_at) = match &record.phase {
        Phase::Checking | Phase::Rejected { .. } | Phase::Deciding { .. } => (None, None),
        Phase::Decided { decided_at, .. } => (Some(*decided_at), None),
        Phase::Applied {
            decided_at,
            applied_at,
            ..
        } => (Some(*decided_at), Some(*applied_at)),
    };
    proto::Import {
        import_id: record.import_id.clone(),
        source: record.new.source.clone(),
        file_name: record.new.file_name.clone(),
        sha256: record.new.sha256.clone(),
        size_bytes: record.new.size_bytes,
        state: state(&record.phase).into(),
        rejection: match &record.phase {
            Phase::Rejected { why, .. } => Some(rejection(why)),
            Phase::Checking
            | Phase::Deciding { .. }
            | Phase::Decided { .. }
            | Phase::Applied { .. } => None,
        },
        totals: Some(proto::ImportTotals {
            debit_minor: checked.map_or(0, |checked| checked.debit_minor),
            credit_minor: checked.map_or(0, |checked| checked.credit_minor),
            ..totals(&record.totals)
        }),
        entries_total: checked.map_or(0, |checked| checked.items),
        entries_done: record.done,
        emptiness: emptiness(checked.and_then(|checked| checked.emptiness)).into(),
        rejected_lines: Vec::new(),
        findings: checked
            .map(|checked| checked.findings.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|finding| proto::Finding {
                line: finding.at.map_or(0, |at| at.line),
                field: finding.field.clone(),
                message: finding.what.clone(),
                count: finding.count,
            })
            .collect(),
        databases: Vec::new(),
        first_position: 0,
        last_position: 0,
        reissued: record.reissued,
        received_at: Some(timestamp(record.new.received_at)),
        decided_at: at(decided_at),
        applied_at: at(applied_at),
        fault: String::new(),
        archive_key: String::new(),
        report_key: String::new(),
        reported_at: None,
        left_out: checked.map_or(0, |checked| checked.left_out),
    }
}

/// Adds what of an import is in the bucket.
pub(super) fn files(import: &mut proto::Import, files: FilesRecord) {
    if let Some(archive) = files.archive {
        import.archive_key = archive.key;
    }
    if let Some(report) = files.report {
        import.report_key = report.key;
        import.reported_at = Some(timestamp(report.at));
    }
}

fn state(phase: &Phase) -> proto::ImportState {
    match phase {
        Phase::Checking => proto::ImportState::Checking,
        Phase::Rejected { .. } => proto::ImportState::Rejected,
        Phase::Deciding { .. } => proto::ImportState::Deciding,
        Phase::Decided { .. } => proto::ImportState::Decided,
        Phase::Applied { .. } => proto::ImportState::Applied,
    }
}

fn emptiness(emptiness: Option<Emptiness>) -> proto::Emptiness {
    match emptiness {
        None => proto::Emptiness::Unspecified,
        Some(Emptiness::NoBytes) => proto::Emptiness::NoBytes,
        Some(Emptiness::HeaderOnly) => proto::Emptiness::HeaderOnly,
        Some(Emptiness::Sentence) => proto::Emptiness::Sentence,
        Some(Emptiness::LeftOut) => proto::Emptiness::LeftOut,
    }
}

fn rejection(why: &FileRejected) -> proto::Rejection {
    proto::Rejection {
        line: why.at.map_or(0, |at| at.line),
        byte_offset: why.at.map_or(0, |at| at.byte),
        field: why.field.clone().unwrap_or_default(),
        message: why.why.clone(),
        looks_like: why.looks_like.clone().unwrap_or_default(),
    }
}

pub(super) fn rejected(line: &Rejected) -> proto::Rejection {
    proto::Rejection {
        line: line.at.line,
        byte_offset: line.at.byte,
        field: line.field.clone().unwrap_or_default(),
        message: line.why.clone(),
        looks_like: String::new(),
    }
}

pub(super) fn tally(tally: Tally) -> Option<proto::Tally> {
    Some(proto::Tally {
        count: tally.count,
        amount_minor: tally.amount_minor,
    })
}

fn totals(totals: &Totals) -> proto::ImportTotals {
    proto::ImportTotals {
        read: tally(totals.read),
        returned: tally(totals.returned),
        reversed: tally(totals.reversed),
        failed: tally(totals.failed),
        corrected: tally(totals.corrected),
        restored: tally(totals.restored),
        reapplied: tally(totals.reapplied),
        duplicate: tally(totals.duplicate),
        held: tally(totals.held),
        rejected: tally(totals.rejected),
        debit_minor: 0,
        credit_minor: 0,
    }
}

pub(super) fn hold(hold: &HoldRecord) -> proto::Hold {
    let new = &hold.new;
    let keys = &new.entry.keys;
    let named = [
        ("original_trace", &keys.original_trace),
        ("return_trace", &keys.return_trace),
        ("payment_id", &keys.payment_id),
        ("order_id", &keys.order_id),
        ("transfer_request_id", &keys.transfer_request_id),
        ("case_id", &keys.case_id),
        ("individual_id", &keys.individual_id),
        ("check_serial_number", &keys.check_serial_number),
        ("company_id", &keys.company_id),
    ];
    let (database, failed_position) = new.failed.clone().unwrap_or_default();
    proto::Hold {
        hold_id: new.hold_id.clone(),
        reason: reason(new.reason).into(),
        detail: new.detail.clone(),
        state: hold_state(hold.state).into(),
        import_id: new.import_id.clone(),
        line: new.entry.at.line,
        entry_kind: new.entry.kind.as_str().to_owned(),
        code: new
            .entry
            .kind
            .code()
            .map(|(code, _)| code)
            .unwrap_or_default(),
        amount_minor: new.entry.amount.map(ach::money::Money::minor),
        currency: new
            .entry
            .amount
            .map(|amount| amount.currency().to_string())
            .unwrap_or_default(),
        keys: named
            .into_iter()
            .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value)))
            .collect(),
        transfer_ids: new.transfer_ids.clone(),
        failed_position,
        database,
        attempts: hold.attempts,
        next_attempt_at: at(new.next_attempt_at),
        held_at: Some(timestamp(hold.held_at)),
        closed_at: at(hold.closed_at),
        closed_by: hold.closed_by.clone().unwrap_or_default(),
        note: hold.note.clone().unwrap_or_default(),
        resolved_position: hold.resolved_position.unwrap_or_default(),
    }
}

fn hold_state(state: HoldState) -> proto::HoldState {
    match state {
        HoldState::Open => proto::HoldState::Open,
        HoldState::Resolved => proto::HoldState::Resolved,
        HoldState::Duplicate => proto::HoldState::Duplicate,
        HoldState::Dismissed => proto::HoldState::Dismissed,
    }
}

/// A state of a request; unspecified means open ones.
pub(super) fn hold_state_from(state: proto::HoldState) -> HoldState {
    match state {
        proto::HoldState::Unspecified | proto::HoldState::Open => HoldState::Open,
        proto::HoldState::Resolved => HoldState::Resolved,
        proto::HoldState::Duplicate => HoldState::Duplicate,
        proto::HoldState::Dismissed => HoldState::Dismissed,
    }
}

const REASONS: &[(HoldReason, proto::HoldReason)] = &[
    (
        HoldReason::UnknownTransfer,
        proto::HoldReason::UnknownTransfer,
    ),
    (
        HoldReason::AmbiguousTransfer,
        proto::HoldReason::AmbiguousTransfer,
    ),
    (HoldReason::AmountDiffers, proto::HoldReason::AmountDiffers),
    (
        HoldReason::CurrencyDiffers,
        proto::HoldReason::CurrencyDiffers,
    ),
    (HoldReason::StateConflict, proto::HoldReason::StateConflict),
    (
        HoldReason::WrongDirection,
        proto::HoldReason::WrongDirection,
    ),
    (HoldReason::SecondReturn, proto::HoldReason::SecondReturn),
    (
        HoldReason::DishonoredReturn,
        proto::HoldReason::DishonoredReturn,
    ),
    (
        HoldReason::ContestedReturn,
        proto::HoldReason::ContestedReturn,
    ),
    (
        HoldReason::RefusedCorrection,
        proto::HoldReason::RefusedCorrection,
    ),
    (HoldReason::UnknownCode, proto::HoldReason::UnknownCode),
    (
        HoldReason::UnsupportedType,
        proto::HoldReason::UnsupportedType,
    ),
    (
        HoldReason::DatabaseRefused,
        proto::HoldReason::DatabaseRefused,
    ),
    (
        HoldReason::UnexpectedValidationFailure,
        proto::HoldReason::UnexpectedValidationFailure,
    ),
    (HoldReason::IdsContradict, proto::HoldReason::IdsContradict),
    (
        HoldReason::ReturnedPrenote,
        proto::HoldReason::ReturnedPrenote,
    ),
    (
        HoldReason::UnreadableCorrection,
        proto::HoldReason::UnreadableCorrection,
    ),
];

fn reason(reason: HoldReason) -> proto::HoldReason {
    REASONS
        .iter()
        .find(|(ours, _)| *ours == reason)
        .map_or(proto::HoldReason::Unspecified, |(_, theirs)| *theirs)
}

/// A reason of a request; unspecified means all.
pub(super) fn hold_reason_from(reason: proto::HoldReason) -> Option<HoldReason> {
    REASONS
        .iter()
        .find(|(_, theirs)| *theirs == reason)
        .map(|(ours, _)| *ours)
}
