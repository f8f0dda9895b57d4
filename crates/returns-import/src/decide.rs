//! From entries to journal rows: the lookup in the system of record, what the journal knows
//! already, and the pure decision, for a batch of entries at a time.

use std::collections::{BTreeSet, HashMap};

use ach::decision::{
    Act, Decision, Effect, Hold, PriorDecision, Resolution, Transfer, TransferKeyKind, decide,
    failure_messages, resolve, return_messages, reversal_tags, stage_tags,
};
use ach::entry::{Entry, EntryKind};
use chrono::{DateTime, Utc};
use echeck_service::planted::{self, Bug};
use returns_model::dishonor::DishonorMark;
use returns_model::ids;
use returns_model::journal::{JournalRow, Relation, Reversal, Row, TransferFacts};
use returns_store::{Known, Store, StoreError};

use super::adapter::{Adapter, AdapterError, Lookup};
use super::dishonor;
use crate::source::Source;

/// What can go wrong while deciding.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An entry and where it comes from.
#[derive(Debug, Clone)]
pub struct EntryToDecide<'a> {
    pub entry: &'a Entry,
    pub source: &'a Source,
    pub import_id: &'a str,
    pub ordinal: u64,
    /// A person's choice of the transfer, instead of the entry's ids.
    pub transfer_id: Option<&'a str>,
    pub relation: Option<Relation>,
    /// The return's id, when an earlier row that had no effect gave it one.
    pub return_id: Option<&'a str>,
    pub actor: Option<&'a str>,
}

impl<'a> EntryToDecide<'a> {
    /// An entry that is only looked up.
    pub fn of_entry(entry: &'a Entry, source: &'a Source) -> Self {
        Self {
            entry,
            source,
            import_id: "",
            ordinal: 0,
            transfer_id: None,
            relation: None,
            return_id: None,
            actor: None,
        }
    }
}

/// What is to be done about a case.
#[derive(Debug, Clone)]
pub enum EntryOutcome {
    /// Append this row.
    Act(Box<Row>),
    /// It is known already.
    Duplicate {
        transfer_id: String,
        of_return_id: String,
    },
    /// Hold it.
    Hold {
        hold: Hold,
        transfer_ids: Vec<String>,
    },
}

/// Outcomes, and the head of the journal that they were decided on.
#[derive(Debug, Clone)]
pub struct Decided {
    pub seen_position: u64,
    pub outcomes: Vec<EntryOutcome>,
    /// Those of the cases that may be dishonored.
    pub marks: Vec<DishonorMark>,
}

/// What earlier cases of the same run decided and the journal does not say yet.
#[derive(Debug, Default)]
pub struct PendingDecisions {
    priors: HashMap<String, Vec<PriorDecision>>,
    ids_given: HashMap<String, usize>,
}

/// Decides a batch of cases, in order. `pending` carries what the run has decided but not
/// appended; give a new one for each batch that is appended.
pub async fn decide_batch(
    store: &dyn Store,
    system_of_record: &Adapter,
    cases: &[EntryToDecide<'_>],
    pending: &mut PendingDecisions,
    now: DateTime<Utc>,
) -> Result<Decided, DecideError> {
    let lookup = look_up(system_of_record, cases).await?;
    let database = &system_of_record.database;
    Ok(decide_found(store, database, cases, &lookup, pending, now).await?)
}

/// Decides a batch of cases whose transfers were looked up. It does no harm when that was a
/// while ago: what the journal has decided since is read here, and what the owner of a
/// transfer has done since is found by the adapter.
pub async fn decide_found(
    store: &dyn Store,
    system_of_record: &str,
    cases: &[EntryToDecide<'_>],
    lookup: &Lookup,
    pending: &mut PendingDecisions,
    now: DateTime<Utc>,
) -> Result<Decided, StoreError> {
    let resolutions: Vec<Resolution> = cases
        .iter()
        .map(|case| resolve_case(case, lookup))
        .collect();
    let transfer_ids: Vec<String> = resolutions
        .iter()
        .filter_map(|resolution| match resolution {
            Resolution::One(transfer) => Some(transfer.id.clone()),
            Resolution::Unknown | Resolution::Ambiguous(_) => None,
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let known = store.known(&transfer_ids, system_of_record).await?;
    let mut outcomes = Vec::with_capacity(cases.len());
    let mut marks = Vec::new();
    for (case, resolution) in cases.iter().zip(&resolutions) {
        let outcome = decide_case(case, resolution, &known, pending, lookup, now);
        marks.extend(dishonor::mark(case, resolution, &outcome, |transfer_id| {
            priors_of(transfer_id, &known, pending)
        }));
        outcomes.push(outcome);
    }
    Ok(Decided {
        seen_position: known.head_position,
        outcomes,
        marks,
    })
}

/// Finds which transfer each case is about, and decides nothing.
pub async fn resolve_all(
    system_of_record: &Adapter,
    cases: &[EntryToDecide<'_>],
) -> Result<Vec<Resolution>, AdapterError> {
    let lookup = look_up(system_of_record, cases).await?;
    Ok(cases
        .iter()
        .map(|case| resolve_case(case, &lookup))
        .collect())
}

/// The key by which a case is looked up, or all of them.
fn keys_of(case: &EntryToDecide<'_>) -> Vec<(TransferKeyKind, String)> {
    match case.transfer_id {
        Some(id) => vec![(TransferKeyKind::TransferId, id.to_owned())],
        None => case
            .source
            .rules
            .iter()
            .filter_map(|rule| {
                rule.value(&case.entry.keys)
                    .map(|value| (rule.transfer, value.to_owned()))
            })
            .collect(),
    }
}

pub async fn look_up(
    adapter: &Adapter,
    cases: &[EntryToDecide<'_>],
) -> Result<Lookup, AdapterError> {
    // Sorted and each once: the same key may stand on many lines.
    let mut keys: Vec<(TransferKeyKind, String)> = cases.iter().flat_map(keys_of).collect();
    keys.sort_by(|a, b| (a.0 as u8, &a.1).cmp(&(b.0 as u8, &b.1)));
    keys.dedup();
    adapter.lookup(&keys).await
}

fn resolve_case(case: &EntryToDecide<'_>, lookup: &Lookup) -> Resolution {
    let find = |kind: TransferKeyKind, value: &str| -> Vec<Transfer> {
        lookup
            .found
            .get(&(kind, value.to_owned()))
            .cloned()
            .unwrap_or_default()
    };
    if let Some(id) = case.transfer_id {
        let mut found = find(TransferKeyKind::TransferId, id);
        return match found.len() {
            0 => Resolution::Unknown,
            1 => Resolution::One(found.remove(0)),
            _ => Resolution::Ambiguous(found.into_iter().map(|transfer| transfer.id).collect()),
        };
    }
    let found: Vec<_> = case
        .source
        .rules
        .iter()
        .filter_map(|rule| {
            rule.value(&case.entry.keys)
                .map(|value| (*rule, find(rule.transfer, value)))
        })
        .collect();
    resolve(case.entry, &found)
}

fn decide_case(
    case: &EntryToDecide<'_>,
    resolution: &Resolution,
    known: &Known,
    pending: &mut PendingDecisions,
    lookup: &Lookup,
    now: DateTime<Utc>,
) -> EntryOutcome {
    let mut priors = match resolution {
        Resolution::One(transfer) => priors_of(&transfer.id, known, pending),
        Resolution::Unknown | Resolution::Ambiguous(_) => Vec::new(),
    };
    if planted::has(Bug::RestoredTwice) && matches!(case.entry.kind, EntryKind::Dishonored { .. }) {
        priors.retain(|prior| prior.effect != Effect::Restore);
    }
    match decide(
        case.entry,
        resolution,
        &priors,
        lookup.policy,
        now.date_naive(),
    ) {
        Decision::Hold(hold) => EntryOutcome::Hold {
            hold,
            transfer_ids: candidates(resolution),
        },
        Decision::Duplicate { of } => EntryOutcome::Duplicate {
            transfer_id: candidates(resolution)
                .into_iter()
                .next()
                .unwrap_or_default(),
            of_return_id: of,
        },
        Decision::Act(act) => match resolution {
            Resolution::One(transfer) => {
                let return_id = match case.return_id {
                    Some(id) => id.to_owned(),
                    None => next_return_id(&transfer.id, known, pending),
                };
                pending
                    .priors
                    .entry(transfer.id.clone())
                    .or_default()
                    .push(prior(&return_id, act.effect, case.entry));
                EntryOutcome::Act(Box::new(row(case, transfer, act, return_id, now)))
            }
            // The decision acts only on one transfer; anything else it holds.
            Resolution::Unknown | Resolution::Ambiguous(_) => EntryOutcome::Hold {
                hold: Hold {
                    reason: ach::decision::HoldReason::AmbiguousTransfer,
                    detail: "decided without a transfer".to_owned(),
                },
                transfer_ids: candidates(resolution),
            },
        },
    }
}

fn candidates(resolution: &Resolution) -> Vec<String> {
    match resolution {
        Resolution::Unknown => Vec::new(),
        Resolution::One(transfer) => vec![transfer.id.clone()],
        Resolution::Ambiguous(ids) => ids.clone(),
    }
}

fn prior(return_id: &str, effect: Effect, entry: &Entry) -> PriorDecision {
    PriorDecision {
        return_id: return_id.to_owned(),
        effect,
        kind: entry.kind.clone(),
        return_trace: entry.keys.return_trace.clone(),
        case_id: entry.keys.case_id.clone(),
    }
}

fn priors_of(transfer_id: &str, known: &Known, pending: &PendingDecisions) -> Vec<PriorDecision> {
    let standing = known
        .standing
        .get(transfer_id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let pending = pending
        .priors
        .get(transfer_id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    standing
        .iter()
        // That a reversal may be settled tells nothing of the return.
        .filter(|row| row.row.effect != Effect::ReleaseToSettlement)
        .map(|row: &JournalRow| prior(&row.row.return_id, row.row.effect, &row.row.entry))
        .chain(pending.iter().cloned())
        .collect()
}

/// Ids count up per transfer, so that each return of a transfer has its own for good.
fn next_return_id(transfer_id: &str, known: &Known, pending: &mut PendingDecisions) -> String {
    let pending = pending.ids_given.entry(transfer_id.to_owned()).or_default();
    *pending += 1;
    let given = known
        .ids_given
        .get(transfer_id)
        .copied()
        .unwrap_or_default();
    ids::return_id(transfer_id, given + *pending)
}

fn row(
    case: &EntryToDecide<'_>,
    transfer: &Transfer,
    act: Act,
    return_id: String,
    now: DateTime<Utc>,
) -> Row {
    let made = Made::of(case.entry, transfer, &act, &return_id);
    Row {
        schema: Row::SCHEMA,
        return_id,
        effect: act.effect,
        transfer: TransferFacts::from(transfer),
        expected: act.expected,
        relation: case.relation.clone(),
        flags: act.flags,
        reversal: made.reversal,
        restoration: made.restoration,
        of_return: act.undone.map(|undone| undone.return_id),
        ready: None,
        messages: made.messages,
        description: description(case.entry),
        entry: case.entry.clone(),
        source: case.source.name.clone(),
        import_id: case.import_id.to_owned(),
        ordinal: case.ordinal,
        actor: case.actor.map(str::to_owned),
        decided_at: now,
    }
}

/// What an effect writes: lines for the transfer, or another transfer.
#[derive(Default)]
struct Made {
    messages: Vec<String>,
    reversal: Option<Reversal>,
    restoration: Option<Reversal>,
}

impl Made {
    fn of(entry: &Entry, transfer: &Transfer, act: &Act, return_id: &str) -> Self {
        match act.effect {
            Effect::Fail => Self {
                messages: failure_messages(entry, transfer),
                ..Self::default()
            },
            Effect::Return => Self {
                messages: return_messages(entry),
                ..Self::default()
            },
            Effect::Reverse => Self {
                reversal: Some(Reversal {
                    id: ids::reversal_id(return_id),
                    trace_id: ids::reversal_trace_id(return_id),
                    tags: reversal_tags(entry, transfer),
                    parent_id: None,
                }),
                ..Self::default()
            },
            Effect::Restore => Self {
                restoration: Some(Reversal {
                    id: ids::restoration_id(return_id),
                    trace_id: ids::restoration_trace_id(return_id),
                    tags: later_tags(entry, "Dishonor", act),
                    // Without a reversal it is the returned transfer that is made good.
                    parent_id: act.undone.as_ref().and_then(|undone| {
                        (undone.prior_effect == Effect::Reverse)
                            .then(|| ids::reversal_id(&undone.prior_id))
                    }),
                }),
                ..Self::default()
            },
            Effect::Reapply => Self {
                reversal: Some(Reversal {
                    id: ids::reversal_id(return_id),
                    trace_id: ids::reversal_trace_id(return_id),
                    tags: later_tags(entry, "Contested dishonor", act),
                    parent_id: act
                        .undone
                        .as_ref()
                        .map(|undone| ids::restoration_id(&undone.prior_id)),
                }),
                ..Self::default()
            },
            // These write nothing of their own.
            Effect::Correct | Effect::ReleaseToSettlement => Self::default(),
        }
    }
}

fn later_tags(entry: &Entry, stage: &str, act: &Act) -> Vec<(String, String)> {
    let undone = act.undone.as_ref();
    stage_tags(entry, stage, undone.map_or("", |undone| &undone.return_id))
}

/// What the reason means, in words that may be shown to a platform's users: the code's own
/// title where the table has it, since banks write anything into their text.
fn description(entry: &Entry) -> String {
    let title = match &entry.kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => code.known().map(|code| code.info().title),
        EntryKind::Correction { code, .. } | EntryKind::RefusedCorrection { code, .. } => {
            code.known().map(|code| code.info().title)
        }
        EntryKind::ValidationFailure { .. } => None,
    };
    title
        .map(str::to_owned)
        .or_else(|| entry.description.clone())
        .unwrap_or_else(|| "refused before it entered the network".to_owned())
}
