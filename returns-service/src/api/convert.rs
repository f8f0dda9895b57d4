//! The domain's types as protobuf has them.

use std::time::Duration;

use ach::format::{FileRejected, Rejected};
use ach::money::{Currency, Money};
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_model::hold::HoldRecord;
use returns_model::import::{ImportRecord, Phase, RejectedLine, Tally, Totals};
use returns_model::report::FilesRecord;

use super::enums::ToProto as _;

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
        controls_accepted_by: record.new.controls_accepted_by.clone().unwrap_or_default(),
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
            ..totals(&record.totals_now())
        }),
        entries_total: checked.map_or(0, |checked| checked.items),
        entries_done: record.done,
        emptiness: checked
            .and_then(|checked| checked.emptiness)
            .map(|how| how.to_proto().into())
            .unwrap_or_default(),
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
        reissued: record.reissued,
        received_at: Some(timestamp(record.new.received_at)),
        decided_at: decided_at.map(timestamp),
        applied_at: applied_at.map(timestamp),
        left_out: checked.map_or(0, |checked| checked.left_out),
        currencies: checked.map_or_else(Vec::new, |checked| currencies(&checked.currencies)),
        ..proto::Import::default()
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

fn rejection(why: &FileRejected) -> proto::Rejection {
    proto::Rejection {
        line: why.at.map_or(0, |at| at.line),
        byte_offset: why.at.map_or(0, |at| at.byte),
        field: why.field.clone().unwrap_or_default(),
        message: why.why.clone(),
        looks_like: why.looks_like.clone().unwrap_or_default(),
        looks_like_sources: Vec::new(),
    }
}

pub(super) fn rejected_line(line: RejectedLine) -> proto::Rejection {
    let Rejected { at, field, why, .. } = line.rejected;
    proto::Rejection {
        line: at.line,
        byte_offset: at.byte,
        field: field.unwrap_or_default(),
        message: why,
        ..proto::Rejection::default()
    }
}

pub(super) fn tally(tally: Tally) -> Option<proto::Tally> {
    Some(proto::Tally {
        count: tally.count,
        amount_minor: tally.amount_minor,
    })
}

pub(super) fn currencies(currencies: &[Currency]) -> Vec<String> {
    currencies.iter().map(ToString::to_string).collect()
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
        prenote: tally(totals.prenote),
        held: tally(totals.held),
        rejected: tally(totals.rejected),
        ..proto::ImportTotals::default()
    }
}

/// A duration, as the protos count it.
pub(super) fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn currency(amount: Money) -> String {
    amount.currency().to_string()
}

pub(super) fn hold(hold: &HoldRecord) -> proto::Hold {
    let new = &hold.new;
    let (entry, keys) = (&new.entry, &new.entry.keys);
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
        reason: new.reason.to_proto().into(),
        detail: new.detail.clone(),
        state: hold.state.to_proto().into(),
        import_id: new.import_id.clone(),
        line: entry.at.line,
        entry_kind: entry.kind.as_str().to_owned(),
        code: entry.kind.code().unzip().0.unwrap_or_default(),
        amount_minor: entry.amount.map(Money::minor),
        currency: entry.amount.map(currency).unwrap_or_default(),
        keys: named
            .into_iter()
            .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value)))
            .collect(),
        transfer_ids: new.transfer_ids.clone(),
        failed_position,
        database,
        attempts: hold.attempts,
        next_attempt_at: new.next_attempt_at.map(timestamp),
        held_at: Some(timestamp(hold.held_at)),
        closed_at: hold.closed_at.map(timestamp),
        closed_by: hold.closed_by.clone().unwrap_or_default(),
        note: hold.note.clone().unwrap_or_default(),
        resolved_position: hold.resolved_position.unwrap_or_default(),
    }
}
