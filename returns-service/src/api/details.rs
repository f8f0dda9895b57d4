//! A return with everything that follows from it: deadline, advice, who has it.

use ach::advice::{Advice, Payment, advice};
use ach::code::{self, CorrectionCode, ReturnCodeInfo};
use ach::correction_clock::correction_clock;
use ach::deadline::return_deadline;
use ach::entry::{Coded, Corrected, EntryKind};
use chrono::NaiveDate;
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_model::journal::{JournalRow, MadeKind, RowEffect};

fn date(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// The return that a journal row stands for. Which databases have it is for the caller to add.
pub(super) fn ach_return(found: &JournalRow) -> proto::AchReturn {
    let row = &found.row;
    let entry = &row.entry;
    let settled = entry.own_date();
    let original = entry.original_settled_on(row.transfer.settled_on);
    let mut answer = proto::AchReturn {
        ach_return_id: row.return_id.clone(),
        return_description: row.description.clone(),
        acquirer_text: entry.description.clone().unwrap_or_default(),
        transfer_id: row.transfer.id.clone(),
        effect: effect(&row.effect).into(),
        amount_minor: row.transfer.amount.minor(),
        currency: row.transfer.amount.currency().to_string(),
        reversal_id: made_id(&row.effect, MadeKind::Reversal),
        settlement_date: date(entry.settlement_date),
        issued_on: date(entry.issued_on),
        received_on: date(entry.received_on),
        original_settlement_date: date(original),
        original_trace: entry.keys.original_trace.clone().unwrap_or_default(),
        return_trace: entry.keys.return_trace.clone().unwrap_or_default(),
        case_id: entry.keys.case_id.clone().unwrap_or_default(),
        account_tail: entry
            .account_tail
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        import_id: row.import_id.clone(),
        line: entry.at.line,
        position: found.position,
        supersedes_position: row.supersedes().unwrap_or_default(),
        related_return_id: row.effect.of_return().unwrap_or_default().to_owned(),
        restoration_id: made_id(&row.effect, MadeKind::Restoration),
        decided_at: Some(timestamp(row.decided_at)),
        ..proto::AchReturn::default()
    };
    match &entry.kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => {
            answer.return_code = code.to_string();
            if let Some(info) = entry.code_info() {
                add_rules(&mut answer, info, original, entry.settlement_date);
            }
            answer.questionable = entry.is_questionable();
            let payment = Payment {
                kind: row.transfer.kind,
                original_settlement: original,
                return_settlement: settled,
                is_conforming: row.is_conforming,
            };
            if let Some(advice) = advice(entry, payment) {
                add_advice(&mut answer, &advice);
            }
        }
        EntryKind::Correction { code, corrected }
        | EntryKind::RefusedCorrection {
            code, corrected, ..
        } => {
            answer.return_code = code.to_string();
            if let Coded::Known(code) = code {
                add_correction(&mut answer, *code);
            }
            if let Some(clock) = entry.settlement_date.and_then(correction_clock) {
                answer.correction_told_by = clock.told_by.to_string();
                answer.correction_changed_by = clock.changed_by.to_string();
                answer.correction_refused_by = clock.refused_by.to_string();
            }
            answer.corrected_fields = corrected.iter().map(corrected_field).collect();
        }
        // What never entered the network has no return code, no deadline and no advice.
        EntryKind::ValidationFailure { .. } => {}
    }
    answer
}

fn effect(effect: &RowEffect) -> proto::Effect {
    match effect {
        RowEffect::Fail { .. } => proto::Effect::Fail,
        RowEffect::Return { .. } => proto::Effect::Return,
        RowEffect::Reverse { .. } => proto::Effect::Reverse,
        RowEffect::Correct {} => proto::Effect::Correct,
        RowEffect::Restore { .. } => proto::Effect::Restore,
        RowEffect::Reapply { .. } => proto::Effect::Reapply,
        RowEffect::ReleaseToSettlement { .. } => proto::Effect::ReleaseToSettlement,
    }
}

/// The id of the transfer that a row made, if it made one of this kind.
fn made_id(effect: &RowEffect, kind: MadeKind) -> String {
    let made = effect.made().filter(|(made, _)| *made == kind);
    made.map(|(_, made)| made.id.clone()).unwrap_or_default()
}

/// Everything that the code table and the calendar say. Whether a return came in time depends only
/// on `settled`, the day on which it settled: the days on which it was issued or received are not
/// a ground for a dishonor.
fn add_rules(
    answer: &mut proto::AchReturn,
    info: &ReturnCodeInfo,
    original: Option<NaiveDate>,
    settled: Option<NaiveDate>,
) {
    answer.return_title = info.title.to_owned();
    answer.return_description = info.meaning.to_owned();
    answer.recommended_action = info.recommended_action.as_str().to_owned();
    answer.account_effect = info.account_effect.as_str().to_owned();
    answer.rate_category = info.rate_category.as_str().to_owned();
    answer.representment = representment(info.representment).into();
    if let Some(deadline) = original.and_then(|original| return_deadline(info, original)) {
        answer.deadline = deadline.available_by.to_string();
        if let Some(settled) = settled {
            let timeliness = if deadline.is_past(settled) {
                proto::Timeliness::PastDeadline
            } else {
                proto::Timeliness::InTime
            };
            answer.timeliness = timeliness.into();
        }
    }
}

/// Whether and how often the payment may be presented again.
fn add_advice(answer: &mut proto::AchReturn, advice: &Advice) {
    answer.represent_until = date(advice.until);
    answer.represent_attempts_used = advice.attempts.map(|attempts| attempts.used.into());
    answer.represent_attempts_left = advice.left.map(Into::into);
    answer.represent_attempts_are_bounds =
        advice.attempts.is_some_and(|attempts| attempts.at_least);
    answer.return_fee_allowed = advice.fee.is_some();
    answer.return_fee_until = date(advice.fee.and_then(|fee| fee.until));
}

fn add_correction(answer: &mut proto::AchReturn, code: CorrectionCode) {
    let info = code.info();
    answer.return_title = info.title.to_owned();
    answer.return_description = info.meaning.to_owned();
}

fn representment(rule: code::Representment) -> proto::Representment {
    match rule {
        code::Representment::Allowed { .. } => proto::Representment::TwiceIn180Days,
        code::Representment::WithNewConsent => proto::Representment::WithNewConsent,
        code::Representment::AfterRemedy => proto::Representment::AfterRemedy,
        code::Representment::NewEntryCorrected { .. } => proto::Representment::CorrectedNewEntry,
        code::Representment::No => proto::Representment::No,
        code::Representment::NotApplicable => proto::Representment::Unspecified,
    }
}

fn corrected_field(corrected: &Corrected) -> proto::CorrectedField {
    proto::CorrectedField {
        field: corrected.field().to_owned(),
        value: corrected.to_string(),
    }
}
