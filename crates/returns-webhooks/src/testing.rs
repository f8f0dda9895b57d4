//! What the tests of events are about: one of each thing that can happen.

use ach::code::{CorrectionCode, ReturnCode};
use ach::decision::{
    Decision, Effect, FundingPolicy, Hold, HoldReason, Parties, Resolution, Transfer,
    TransferState, TransferType, decide, failure_messages, return_messages, reversal_tags,
};
use ach::entry::{AccountTail, Coded, Corrected, Direction, Entry, EntryKind, FilePosition};
use ach::money::Money;
use chrono::{DateTime, Duration, Utc};
use echeck_test_fixtures::now;
use returns_model::endpoint::PayloadVersion;
use returns_model::event::{EventRecord, NewEvent};
use returns_model::hold::{HoldRecord, HoldState, NewHold};
use returns_model::ids;
use returns_model::journal::{
    Hash, JournalRow, NewTransfer, Relation, Row, RowEffect, TransferFacts,
};

use super::publisher::{event_of_hold, event_of_row};
use super::render;

/// What a row or a hold is about, and the rows before it.
pub(super) struct EventCase {
    pub(super) name: &'static str,
    pub(super) new: NewEvent,
}

impl EventCase {
    /// The case as an event with a sequence.
    pub(super) fn record(&self) -> EventRecord {
        record(7, self.new.clone())
    }

    /// Each message, with the payload_version and the event type.
    pub(super) fn bodies(&self) -> Vec<(PayloadVersion, String, String)> {
        let record = self.record();
        let messages = record.new.messages.iter();
        messages
            .map(|(payload_version, event_type)| {
                let body = render::body(&record, *payload_version, event_type).unwrap();
                (*payload_version, event_type.clone(), body)
            })
            .collect()
    }
}

pub(super) fn record(sequence: u64, new: NewEvent) -> EventRecord {
    EventRecord {
        sequence,
        new,
        recorded_at: now(),
    }
}

/// Whether a text has the word that an older version must not see.
pub(super) fn names_returned(text: &str) -> bool {
    text.to_ascii_uppercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .any(|word| word == "RETURNED")
}

/// The moment of a position.
pub(super) fn at(position: u64) -> DateTime<Utc> {
    now() + Duration::seconds(i64::try_from(position).unwrap())
}

pub(super) fn transfer(id: &str, kind: TransferType, state: TransferState) -> Transfer {
    let parties = |source: &str, destination: &str, subtype: &str| Parties {
        merchant: "ID1".into(),
        application: "AP1".into(),
        source: source.into(),
        destination: destination.into(),
        subtype: subtype.into(),
    };
    Transfer {
        id: id.into(),
        kind,
        state,
        in_deposit: None,
        amount: Money::cents(500),
        trace_id: format!("FNX{id}"),
        settled_on: None,
        payment_id: None,
        ach_trace: None,
        individual_id: None,
        parties: match kind {
            TransferType::Debit | TransferType::Other => parties("PIbuyer", "", "API"),
            TransferType::Credit => parties("", "PIseller", "SETTLEMENT_MERCHANT"),
            TransferType::Refund => parties("", "PIbuyer", "API"),
        },
        unnamed: String::new(),
    }
}

pub(super) fn entry(kind: EntryKind) -> Entry {
    Entry {
        amount: Some(Money::cents(500)),
        direction: Direction::Unknown,
        ..Entry::new(FilePosition { line: 2, byte: 90 }, kind)
    }
}

pub(super) fn returned(code: ReturnCode) -> EntryKind {
    EntryKind::Return {
        code: Coded::Known(code),
        date_of_death: None,
    }
}

pub(super) fn dishonored(code: ReturnCode) -> EntryKind {
    EntryKind::Dishonored {
        code: Coded::Known(code),
        return_code: Some(Coded::Known(ReturnCode::R01)),
        return_settled_on: None,
    }
}

pub(super) fn contested(code: ReturnCode) -> EntryKind {
    EntryKind::Contested {
        code: Coded::Known(code),
        return_code: None,
        dishonor_code: None,
        dishonor_trace: None,
        return_settled_on: None,
    }
}

pub(super) fn validation_failure() -> EntryKind {
    EntryKind::ValidationFailure {
        code: Some("900".into()),
    }
}

fn title(kind: &EntryKind) -> Option<String> {
    match kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => code.known().map(|code| code.info().title.into()),
        EntryKind::Correction { code, .. } | EntryKind::RefusedCorrection { code, .. } => {
            code.known().map(|code| code.info().title.into())
        }
        EntryKind::ValidationFailure { .. } => None,
    }
}

/// The row of a decision about `transfer`, the `ordinal`-th of its ids.
pub(super) fn row(transfer: &Transfer, effect: Effect, entry: &Entry, ordinal: usize) -> Row {
    let return_id = ids::return_id(&transfer.id, ordinal);
    let made = |id| NewTransfer {
        id,
        trace_id: ids::reversal_trace_id(&return_id),
        tags: reversal_tags(entry, transfer),
        parent_id: None,
    };
    let reversal = || made(ids::reversal_id(&return_id));
    let of_return = String::new();
    let effect = match effect {
        Effect::Fail => RowEffect::Fail {
            messages: failure_messages(entry, transfer),
        },
        Effect::Return => RowEffect::Return {
            messages: return_messages(entry),
        },
        Effect::Reverse => RowEffect::Reverse {
            reversal: reversal(),
        },
        Effect::Correct => RowEffect::Correct {},
        Effect::Restore => RowEffect::Restore {
            of_return,
            restoration: made(ids::reversal_id(&return_id)),
        },
        Effect::Reapply => RowEffect::Reapply {
            of_return,
            reversal: reversal(),
        },
    };
    Row {
        effect,
        transfer: TransferFacts::from(transfer),
        description: title(&entry.kind)
            .or_else(|| entry.description.clone())
            .unwrap_or_default(),
        entry: entry.clone(),
        return_id,
        ..echeck_test_fixtures::row("imp_1", &transfer.id)
    }
}

/// The row of a later stage of what `first` returned; `undone` is the transfer that it undoes.
pub(super) fn later(
    first: &Row,
    transfer: &Transfer,
    effect: Effect,
    kind: EntryKind,
    (ordinal, undone): (usize, Option<&str>),
) -> Row {
    let mut row = row(transfer, effect, &entry(kind), ordinal);
    if let RowEffect::Restore {
        of_return,
        restoration: made,
    }
    | RowEffect::Reapply {
        of_return,
        reversal: made,
    } = &mut row.effect
    {
        of_return.clone_from(&first.return_id);
        made.parent_id = undone.map(str::to_owned);
    }
    row
}

/// The transfer that a row made.
pub(super) fn made(row: &Row) -> &NewTransfer {
    row.effect.made().unwrap().1
}

/// The row that releases what `maker` made.
pub(super) fn ready(maker: &Row, position: u64, from: DateTime<Utc>) -> Row {
    let (kind, made) = maker.effect.made().unwrap();
    Row {
        effect: RowEffect::ReleaseToSettlement {
            kind,
            made: made.clone(),
            ready_to_settle_at: from,
        },
        relation: Some(Relation::Follows { position }),
        import_id: String::new(),
        ..maker.clone()
    }
}

/// A row in its place.
pub(super) fn placed(position: u64, row: Row) -> JournalRow {
    JournalRow {
        position,
        hash: Hash::from_bytes(vec![u8::try_from(position % 256).unwrap()]),
        payload: String::new(),
        row: Row {
            decided_at: at(position),
            ..row
        },
        recorded_at: at(position),
        superseded_by: None,
    }
}

pub(super) fn hold(
    entry: Entry,
    transfer_ids: &[&str],
    state: HoldState,
    why: &Hold,
) -> HoldRecord {
    let closed = state != HoldState::Open;
    HoldRecord {
        new: NewHold {
            hold_id: "hold_1".into(),
            source: "worldpay".into(),
            import_id: "imp_1".into(),
            ordinal: 0,
            reason: why.reason,
            detail: why.detail.clone(),
            entry,
            transfer_ids: transfer_ids.iter().map(|id| (*id).to_owned()).collect(),
            failed: None,
            next_attempt_at: None,
        },
        state,
        attempts: 1,
        held_at: at(1),
        closed_at: closed.then(|| at(60)),
        closed_by: closed.then(|| "ann".into()),
        note: None,
        resolved_position: None,
    }
}

/// Rows and holds with an entry that `alter` has changed, one case of each kind.
pub(super) fn cases(alter: impl Fn(&mut Entry)) -> Vec<EventCase> {
    let mut cases = row_cases(&alter);
    let mut held = entry(returned(ReturnCode::R01));
    held.keys.order_id = Some("FNX0042".into());
    alter(&mut held);
    let open = hold(
        held.clone(),
        &[],
        HoldState::Open,
        &decided(&held, &Resolution::Unknown),
    );
    let closed = hold(
        held.clone(),
        &["TR1"],
        HoldState::Resolved,
        &open_words(&open),
    );
    let ended = transfer("TR1", TransferType::Debit, TransferState::Returned);
    let conflict = decided(&held, &Resolution::One(ended));
    let refused = Hold {
        reason: HoldReason::DatabaseRefused,
        detail: format!(
            "gateway did not take journal row 5: transfer TR1 is RETURNED, not SUCCEEDED as it was \
             decided on; decided again: {}",
            conflict.detail
        ),
    };
    let conflict = hold(held.clone(), &["TR1"], HoldState::Open, &conflict);
    let refused = hold(held, &["TR1"], HoldState::Open, &refused);
    for (name, hold, merchant) in [
        ("opened", open, ""),
        ("closed", closed, "ID1"),
        ("state_conflict", conflict, "ID1"),
        ("database_refused", refused, "ID1"),
    ] {
        let new = event_of_hold(&hold, merchant.to_owned()).unwrap();
        cases.push(EventCase { name, new });
    }
    cases
}

fn open_words(hold: &HoldRecord) -> Hold {
    Hold {
        reason: hold.new.reason,
        detail: hold.new.detail.clone(),
    }
}

/// The hold that is decided on for an entry.
fn decided(entry: &Entry, found: &Resolution) -> Hold {
    let decision = decide(entry, found, &[], FundingPolicy::State, now().date_naive());
    match decision {
        Decision::Hold(hold) => hold,
        other => panic!("{other:?}"),
    }
}

fn row_cases(alter: &impl Fn(&mut Entry)) -> Vec<EventCase> {
    let changed = |kind, description: &str, raw: &[(&str, &str)]| {
        let mut entry = entry(kind);
        entry.description = Some(description.to_owned()).filter(|text| !text.is_empty());
        entry.raw = raw
            .iter()
            .map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()))
            .collect();
        alter(&mut entry);
        entry
    };
    let pending = transfer("TR1", TransferType::Debit, TransferState::Pending);
    let funded = transfer("TR1", TransferType::Debit, TransferState::Succeeded);
    let settlement = transfer("TR1", TransferType::Credit, TransferState::Succeeded);
    let mut payout = settlement.clone();
    payout.parties.subtype = "API".into();
    let refund = transfer("TR1", TransferType::Refund, TransferState::Succeeded);

    let invalid = changed(
        validation_failure(),
        "Invalid Bank Routing Number",
        &PROCESSOR,
    );
    let r01 = changed(returned(ReturnCode::R01), "Insufficient Funds", &[]);
    let r03 = "No Account/Unable to Locate Account";
    let r03 = changed(returned(ReturnCode::R03), r03, &FUNDING_REJECT);
    let r02 = changed(returned(ReturnCode::R02), "", &[]);
    let corrected = vec![
        Corrected::Routing("021000021".into()),
        Corrected::Account(AccountTail::of("123456789").unwrap()),
    ];
    let correction = changed(
        EntryKind::Correction {
            code: Coded::Known(CorrectionCode::C03),
            corrected,
        },
        "",
        &[],
    );

    let reversed = row(&funded, Effect::Reverse, &r01, 1);
    let dishonored = later(
        &reversed,
        &funded,
        Effect::Restore,
        dishonored(ReturnCode::R68),
        (2, Some(&made(&reversed).id)),
    );
    let contested = later(
        &reversed,
        &funded,
        Effect::Reapply,
        contested(ReturnCode::R73),
        (3, Some(&made(&dishonored).id)),
    );
    let life = [
        ("returned_after_funding", reversed.clone()),
        ("reversal_ready", ready(&reversed, 1, at(86_400))),
        ("return_dishonored", dishonored),
        ("dishonor_contested", contested),
    ];
    let life: Vec<(&str, JournalRow)> = life
        .into_iter()
        .zip(1..)
        .map(|((name, row), position)| (name, placed(position, row)))
        .collect();
    let alone = [
        (
            "validation_failure",
            row(&pending, Effect::Fail, &invalid, 1),
        ),
        (
            "settlement_returned",
            row(&settlement, Effect::Fail, &r03, 1),
        ),
        ("payout_returned", row(&payout, Effect::Fail, &r03, 1)),
        ("refund_returned", row(&refund, Effect::Fail, &r02, 1)),
        (
            "returned_before_funding",
            row(&pending, Effect::Return, &r01, 1),
        ),
        ("correction", row(&funded, Effect::Correct, &correction, 1)),
    ];
    let alone = alone.into_iter().map(|(name, row)| (name, placed(1, row)));
    let standing: Vec<JournalRow> = life.iter().map(|(_, row)| row.clone()).collect();
    let standing = [("TR1".to_owned(), standing)].into();
    alone
        .chain(life)
        .map(|(name, row)| EventCase {
            name,
            new: event_of_row(&row, &standing).unwrap().unwrap(),
        })
        .collect()
}

/// What a processor answers to an eCheck with wrong data.
const PROCESSOR: [(&str, &str); 7] = [
    ("id", "FNX0001"),
    ("report_group", "AP1"),
    ("litle_txn_id", "84568456123456789"),
    ("order_id", "FNX0001"),
    ("response", "900"),
    ("response_time", "2026-11-20T14:07:00"),
    ("message", "Invalid Bank Routing Number"),
];

/// A row of the report on payouts that came back.
const FUNDING_REJECT: [(&str, &str); 15] = [
    ("Return Date", "11/20/2026"),
    ("Original Date", "11/17/2026"),
    ("Attempted Funds Transfer Date", "11/18/2026"),
    ("Merchant Name", "Rally Org"),
    ("Sub Merchant Business Name", "Rally Chapter 12"),
    ("Funding Sub Merchant ID", "012345678"),
    ("Funds Transfer Request ID", "FNXTR1"),
    ("Vantiv Payment ID", "84568456123456789"),
    ("Txn Type", "FISC"),
    ("Funds Transfer Amount", "500.00"),
    ("Reason Code", "R03"),
    ("Reason Message", "No Account/Unable to Locate Account"),
    ("Routing Number", "021000021"),
    ("Account Number", "***6789"),
    ("Account Name", "Rally Chapter 12"),
];

/// Tests that stand outside this crate have facts as they are recorded here.
#[test]
fn the_facts_of_the_fixtures_are_what_is_recorded() {
    let pending = transfer("TR1", TransferType::Debit, TransferState::Pending);
    let row = row(
        &pending,
        Effect::Return,
        &entry(returned(ReturnCode::R01)),
        1,
    );
    let event = event_of_row(&placed(1, row), &[].into()).unwrap().unwrap();
    assert_eq!(event.facts, echeck_test_fixtures::facts("TR1"));
}
