//! The journal proves itself: whatever is changed in it shows, and each row says what it does.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use ach::decision::Effect;
use ach::entry::{Coded, Entry, EntryKind, FilePosition};
use chrono::{DateTime, Utc};
use returns_model::journal::{
    Checkpoint, Hash, Head, MadeKind, NewTransfer, Relation, Row, RowColumns, RowEffect, StoredRow,
    Verifier, chain,
};
use serde_json::json;
use uuid::Uuid;

const JOURNAL: Uuid = Uuid::from_u128(7);

fn at() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

fn made() -> NewTransfer {
    NewTransfer {
        id: "TR9".to_owned(),
        trace_id: "FNX9".to_owned(),
        tags: Vec::new(),
        parent_id: None,
    }
}

/// A row as its payload has it.
fn row() -> Row {
    let kind = EntryKind::Return {
        code: Coded::from("R01".to_owned()),
        date_of_death: None,
    };
    let entry = Entry::new(FilePosition { line: 1, byte: 0 }, kind);
    let row = json!({
        "schema": Row::SCHEMA,
        "return_id": "ret_1",
        "effect": { "return": { "messages": ["ReasonCode: R01"] } },
        "transfer": {
            "id": "TR1", "kind": "debit", "amount": ach::money::Money::cents(500),
            "trace_id": "FNX1", "parties": ach::decision::Parties::default(),
        },
        "expected": { "state": "pending", "in_deposit": null },
        "description": "Insufficient Funds",
        "entry": entry,
        "source": "worldpay",
        "import_id": "imp_1",
        "ordinal": 0,
        "decided_at": at(),
    });
    serde_json::from_value(row).unwrap()
}

/// A sound journal of so many rows.
fn journal(length: u64) -> Vec<StoredRow> {
    let mut previous = Hash::default();
    (1..=length)
        .map(|position| {
            let row = row();
            let payload = serde_json::to_string(&row).unwrap();
            previous = chain(JOURNAL, position, &previous, at(), &payload);
            StoredRow {
                position,
                hash: previous.clone(),
                payload,
                columns: RowColumns::of(&row),
                recorded_at: at(),
            }
        })
        .collect()
}

fn head(rows: &[StoredRow]) -> Head {
    let last = rows.last().unwrap();
    Head {
        journal_id: JOURNAL,
        position: last.position,
        hash: last.hash.clone(),
    }
}

fn checkpoint(position: u64, hash: &Hash) -> Checkpoint {
    Checkpoint {
        journal_id: JOURNAL,
        position,
        row_hash: hash.to_string(),
        audit_position: 0,
        audit_hash: String::new(),
        at: at(),
    }
}

/// What a journal's proof finds.
fn faults(rows: &[StoredRow], head: &Head, signed: &[Checkpoint]) -> Vec<String> {
    let mut verifier = Verifier::new(JOURNAL, signed.to_vec());
    for row in rows {
        verifier.check(row);
    }
    verifier.finish(head);
    verifier.faults().to_vec()
}

fn only(faults: &[String], start: &str) {
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with(start), "{faults:#?}");
}

#[test]
fn a_sound_journal_has_no_fault_and_is_proven_up_to_its_last_checkpoint() {
    let rows = journal(3);
    let signed = [checkpoint(2, &rows[1].hash)];
    assert!(faults(&rows, &head(&rows), &signed).is_empty());
    let mut verifier = Verifier::new(JOURNAL, signed);
    assert_eq!(verifier.reached(), (0, &Hash::default()));
    verifier.check(&rows[0]);
    assert_eq!(
        (verifier.reached(), verifier.proven()),
        ((1, &rows[0].hash), 0)
    );
    verifier.check(&rows[1]);
    assert_eq!(
        (verifier.reached(), verifier.proven()),
        ((2, &rows[1].hash), 2)
    );
}

#[test]
fn a_row_that_is_missing_or_changed_is_one_fault() {
    let rows = journal(3);
    let gap = [rows[0].clone(), rows[2].clone()];
    let found = faults(&gap, &head(&rows), &[]);
    assert_eq!(found[0], "position 3 follows 1");

    let mut changed = rows.clone();
    changed[1].payload = changed[1].payload.replace("Insufficient", "Sufficient");
    let found = faults(&changed, &head(&rows), &[]);
    only(&found, "position 2: the row does not fit its hash");

    let mut unreadable = journal(1);
    unreadable[0].payload = "{}".to_owned();
    unreadable[0].hash = chain(JOURNAL, 1, &Hash::default(), at(), "{}");
    let found = faults(&unreadable, &head(&unreadable), &[]);
    only(&found, "position 1 cannot be read: ");

    let mut newer = journal(1);
    let payload = serde_json::to_string(&Row { schema: 9, ..row() }).unwrap();
    newer[0].hash = chain(JOURNAL, 1, &Hash::default(), at(), &payload);
    newer[0].payload = payload;
    let found = faults(&newer, &head(&newer), &[]);
    only(&found, "position 1: schema 9 is not known");
}

#[test]
fn every_column_is_compared_with_the_payload() {
    let columns = RowColumns::of(&row());
    let changes = [
        (
            "transfer_id",
            RowColumns {
                transfer_id: "TR2".into(),
                ..columns.clone()
            },
        ),
        (
            "return_id",
            RowColumns {
                return_id: "ret_2".into(),
                ..columns.clone()
            },
        ),
        (
            "code",
            RowColumns {
                code: None,
                ..columns.clone()
            },
        ),
        (
            "import_id",
            RowColumns {
                import_id: String::new(),
                ..columns.clone()
            },
        ),
        (
            "supersedes",
            RowColumns {
                supersedes: Some(1),
                ..columns.clone()
            },
        ),
        (
            "repeats",
            RowColumns {
                repeats: Some(1),
                ..columns
            },
        ),
    ];
    for (column, columns) in changes {
        let mut rows = journal(1);
        rows[0].columns = columns;
        let found = faults(&rows, &head(&rows), &[]);
        only(&found, &format!("position 1: its column {column} is "));
        if column == "code" {
            assert!(
                found[0].ends_with("is nothing, its payload says \"R01\""),
                "{found:?}"
            );
        }
    }
}

#[test]
fn what_was_signed_is_missed_when_it_was_changed_or_cut_off() {
    let rows = journal(2);
    let found = faults(&rows, &head(&rows), &[checkpoint(2, &rows[0].hash)]);
    only(&found, "position 2: the row has the hash ");
    let found = faults(
        &rows[..1],
        &head(&rows[..1]),
        &[checkpoint(2, &rows[1].hash)],
    );
    only(
        &found,
        "the journal ends at position 1, but the checkpoint signed on ",
    );
}

#[test]
fn the_head_must_be_where_the_rows_end() {
    let rows = journal(2);
    let right = head(&rows);
    for wrong in [
        Head {
            position: 3,
            ..right.clone()
        },
        Head {
            hash: rows[0].hash.clone(),
            ..right
        },
    ] {
        only(
            &faults(&rows, &wrong, &[]),
            "the journal's head says position ",
        );
    }
}

#[test]
fn a_hundred_faults_are_described_and_no_more() {
    let mut verifier = Verifier::new(JOURNAL, []);
    for number in 0..150 {
        verifier.fault(format!("fault {number}"));
    }
    assert_eq!(verifier.faults().len(), 100);
    assert_eq!(verifier.faults()[99], "fault 99");
}

#[test]
fn a_hash_is_shown_in_hexadecimal_and_a_checkpoint_is_signed_with_all_it_says() {
    let hash = Hash::from_bytes(vec![1, 0xab]);
    assert_eq!(hash.as_bytes(), [1, 0xab]);
    assert_eq!(
        (hash.to_string(), format!("{hash:?}")),
        ("01ab".into(), "01ab".into())
    );
    assert_eq!(
        checkpoint(2, &hash).signed_text(),
        "echeck checkpoint 2\n00000000-0000-0000-0000-000000000007\n2\n01ab\n0\n\n\
         2026-11-20T06:00:00Z\n"
    );
}

/// What is known of an effect: what was decided, what it makes, which return it is about, and
/// whether it is a return or a later stage.
type Known<'a> = (Option<Effect>, Option<MadeKind>, Option<&'a str>, [bool; 2]);

#[test]
fn each_effect_says_what_it_is() {
    let messages = Vec::new;
    let of_return = || "ret_1".to_owned();
    let (no, is_return, is_later) = ([false, false], [true, false], [false, true]);
    let reversal = Some(MadeKind::Reversal);
    let table: [(RowEffect, Known<'_>); 7] = [
        (
            RowEffect::Fail {
                messages: messages(),
            },
            (Some(Effect::Fail), None, None, is_return),
        ),
        (
            RowEffect::Return {
                messages: messages(),
            },
            (Some(Effect::Return), None, None, is_return),
        ),
        (
            RowEffect::Reverse { reversal: made() },
            (Some(Effect::Reverse), reversal, None, is_return),
        ),
        (
            RowEffect::Correct {},
            (Some(Effect::Correct), None, None, no),
        ),
        (
            RowEffect::Restore {
                of_return: of_return(),
                restoration: made(),
            },
            (
                Some(Effect::Restore),
                Some(MadeKind::Restoration),
                Some("ret_1"),
                is_later,
            ),
        ),
        (
            RowEffect::Reapply {
                of_return: of_return(),
                reversal: made(),
            },
            (Some(Effect::Reapply), reversal, Some("ret_1"), is_later),
        ),
        (
            RowEffect::ReleaseToSettlement {
                kind: MadeKind::Reversal,
                made: made(),
                ready_to_settle_at: at(),
            },
            (None, None, None, no),
        ),
    ];
    for (effect, (decided, makes, about, [is_return, is_later])) in table {
        assert_eq!(effect.decided(), decided);
        let made = made();
        assert_eq!(effect.made(), makes.map(|kind| (kind, &made)));
        assert_eq!(effect.of_return(), about);
        assert_eq!(
            (effect.is_return(), effect.is_later_stage()),
            (is_return, is_later)
        );
        assert_eq!(effect.is_release(), decided.is_none());
    }
    assert_eq!(MadeKind::Reversal.as_str(), "REVERSAL");
    assert_eq!(MadeKind::Restoration.as_str(), "RESTORATION");
}

#[test]
fn a_row_says_its_code_its_import_and_what_it_replaces_or_repeats() {
    let related = |relation| Row { relation, ..row() };
    assert_eq!(row().code().as_deref(), Some("R01"));
    let database = || "rallypay".to_owned();
    for (relation, is_repeat, of_import, supersedes) in [
        (None, false, Some("imp_1"), None),
        (
            Some(Relation::Supersedes { position: 5 }),
            false,
            Some("imp_1"),
            Some(5),
        ),
        (Some(Relation::Follows { position: 5 }), false, None, None),
        (
            Some(Relation::Repeats {
                position: 5,
                database: database(),
            }),
            true,
            Some("imp_1"),
            None,
        ),
    ] {
        let row = related(relation);
        assert_eq!(row.is_repeat(), is_repeat);
        assert_eq!(row.of_import(), of_import);
        assert_eq!(row.supersedes(), supersedes);
    }
}
