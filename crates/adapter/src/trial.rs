//! `--check --try`: everything that an adapter can do to one transfer, in a transaction that is
//! rolled back. Each chain of changes begins at the transfer as it is now.

use chrono::{DateTime, Utc};
use echeck_proto::adapter::v1::{Transfer, TransferType};

use crate::batch::{
    AddedTransfer, ExpectedState, KeyKind, LookupKey, ReleaseToSettlement, ReturnReason,
    TransferChange, TransferState, Update, UpdateEffect,
};
use crate::check::TargetCheck;
use crate::dialect::{DbError, Dialect, SqlStatement, TargetSession};
use crate::mapping::{LookupError, Mapping, MappingNeeds};

/// Ids as the returns service makes them: letters and 24 hexadecimal digits.
const REVERSAL: &str = "TR000000000000000000000001";
const RESTORATION: &str = "TR000000000000000000000002";
const SECOND_REVERSAL: &str = "TR000000000000000000000003";

/// One change of a chain.
struct Attempt {
    name: &'static str,
    change: TransferChange,
}

/// The transfer that is tried, and what its changes have in common.
struct Trial<'a> {
    transfer: &'a Transfer,
    now: DateTime<Utc>,
}

/// Where changes are tried, and when.
#[derive(Clone, Copy)]
pub(crate) struct TrialGround<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) mapping: &'a dyn Mapping,
    pub(crate) now: DateTime<Utc>,
}

/// Tries everything with a transfer; what failed becomes a fault.
pub(crate) async fn try_transfer(
    session: &mut dyn TargetSession,
    ground: TrialGround<'_>,
    id: &str,
    found: &mut TargetCheck,
) -> Result<(), DbError> {
    let TrialGround { mapping, now, .. } = ground;
    let transfer = match find(session, mapping, id).await? {
        Ok(transfer) => transfer,
        Err(why) => {
            found.faults.push(format!("--try {id}: {why}"));
            return Ok(());
        }
    };
    let trial = Trial {
        transfer: &transfer,
        now,
    };
    let needs = mapping.needs();
    for chain in trial.chains() {
        session.set_savepoint().await?;
        let outcome = run(session, ground, &chain, found).await;
        session.roll_back_to_savepoint().await?;
        let Some((at, why)) = outcome? else {
            continue;
        };
        let key = key_of(&why, &needs).map_or_else(String::new, |key| format!("{key}: "));
        let rest: Vec<&str> = chain.iter().skip(at + 1).map(|one| one.name).collect();
        let untried = match rest.join(", ") {
            rest if rest.is_empty() => rest,
            rest => format!(" (not tried because of it: {rest})"),
        };
        let name = chain[at].name;
        found
            .faults
            .push(format!("--try {id}: {name}: {key}{why}{untried}"));
    }
    Ok(())
}

/// The transfer, or why it cannot be tried. A mirror does not look transfers up; there the state
/// and the amount of a transfer do not matter.
async fn find(
    session: &mut dyn TargetSession,
    mapping: &dyn Mapping,
    id: &str,
) -> Result<Result<Transfer, String>, DbError> {
    let key = LookupKey {
        kind: KeyKind::TransferId,
        value: id.to_owned(),
    };
    let found = match mapping.lookup(session, &[key]).await {
        Ok(found) => found.into_iter().flat_map(|found| found.transfers).next(),
        Err(LookupError::Unsupported) => Some(Transfer {
            id: id.to_owned(),
            amount_minor: 1,
            currency: "USD".to_owned(),
            state: TransferState::Succeeded.to_proto().into(),
            ..Transfer::default()
        }),
        Err(LookupError::Db(error)) => return Err(error),
        Err(error @ LookupError::NotMapped { .. }) => return Ok(Err(error.to_string())),
    };
    let Some(transfer) = found else {
        return Ok(Err("the target has no such transfer".to_owned()));
    };
    if !transfer.unreadable.is_empty() {
        return Ok(Err(transfer.unreadable));
    }
    if TransferState::from_proto(transfer.state()).is_none() {
        return Ok(Err(format!(
            "its state {:?} is not one of the configured ones",
            transfer.state_text
        )));
    }
    Ok(Ok(transfer))
}

/// Makes the changes of a chain; which of them failed, and why.
async fn run(
    session: &mut dyn TargetSession,
    ground: TrialGround<'_>,
    chain: &[Attempt],
    found: &mut TargetCheck,
) -> Result<Option<(usize, String)>, DbError> {
    let TrialGround {
        dialect,
        mapping,
        now,
    } = ground;
    for (at, attempt) in chain.iter().enumerate() {
        let changes = [&attempt.change];
        let why = match mapping.write(session, &changes, now).await {
            Ok(true) => deferred(session, dialect).await?,
            Ok(false) => {
                let obstacles = mapping.examine(session, &changes).await?;
                let obstacle = obstacles.into_iter().flatten().next();
                let ignored = "the target ignored the change; look at its triggers";
                Some(obstacle.map_or_else(|| ignored.to_owned(), |one| one.message))
            }
            Err(error @ DbError::Conflict(_)) => return Err(error),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            return Ok(Some((at, why)));
        }
        found.tried.push(attempt.name);
    }
    Ok(None)
}

/// Why a constraint that waits for the commit refuses what was written. Only PostgreSQL can be
/// asked before.
async fn deferred(
    session: &mut dyn TargetSession,
    dialect: Dialect,
) -> Result<Option<String>, DbError> {
    if dialect != Dialect::Postgres {
        return Ok(None);
    }
    let statement = SqlStatement::Text {
        sql: "SET CONSTRAINTS ALL IMMEDIATE".to_owned(),
        parameter: None,
    };
    match session.execute(statement).await {
        Ok(_) => Ok(None),
        Err(DbError::Refused(why)) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

/// The key of the column that a database's message names: the longest name, since `id` is a part
/// of `parent_id`.
fn key_of<'a>(message: &str, needs: &MappingNeeds<'a>) -> Option<&'a str> {
    let columns = needs.inserted.iter().chain(&needs.updated);
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let named = columns.filter(|column| {
        let name = column.name().as_str();
        message.match_indices(name).any(|(at, _)| {
            // The name of a constraint: transfers_state_check.
            let before = message[..at].chars().next_back();
            let after = message[at + name.len()..].chars().next();
            let ends = |letter: Option<char>| letter.is_none_or(|one| !is_word(one) || one == '_');
            ends(before) && ends(after)
        })
    });
    let longest = named.max_by_key(|column| column.name().as_str().len());
    longest.map(|column| (*column).key())
}

impl Trial<'_> {
    /// What can happen to a transfer: it fails; it is returned; or it is reversed, with the later
    /// stages of a return.
    fn chains(&self) -> [Vec<Attempt>; 3] {
        let now = TransferState::from_proto(self.transfer.state());
        let now = now.unwrap_or(TransferState::Succeeded);
        let returned = TransferState::Returned;
        let fail = UpdateEffect::Fail {
            messages: vec!["ReasonCode: R01".to_owned()],
            raw_json: "{}".to_owned(),
        };
        let give_back = UpdateEffect::Return {
            messages: vec!["ReasonCode: R01".to_owned()],
        };
        let id = self.transfer.id.as_str();
        let reapply = || UpdateEffect::Reapply(self.added(SECOND_REVERSAL, RESTORATION));
        let mut failed = vec![self.update("fail", now, fail)];
        // Only a payout that came back can be restored: a debit that failed was never sent.
        if self.transfer.r#type() == TransferType::Credit {
            let state = TransferState::Failed;
            failed.push(self.update("restore a payout", state, self.restore(id)));
            failed.push(self.update("take the payout back again", state, reapply()));
        }
        [
            failed,
            vec![
                self.update("return", now, give_back),
                self.update("restore a return", returned, self.restore(id)),
                self.update("reapply a return", returned, reapply()),
            ],
            vec![
                self.update(
                    "reverse",
                    now,
                    UpdateEffect::Reverse(self.added(REVERSAL, id)),
                ),
                self.release("release the reversal", REVERSAL),
                self.update("restore", now, self.restore(REVERSAL)),
                self.update("reapply", now, reapply()),
                self.release("release what was restored", RESTORATION),
            ],
        ]
    }

    fn restore(&self, parent: &str) -> UpdateEffect {
        UpdateEffect::Restore(self.added(RESTORATION, parent))
    }

    fn update(&self, name: &'static str, state: TransferState, effect: UpdateEffect) -> Attempt {
        let change = TransferChange::Update(Update {
            transfer_id: self.transfer.id.clone(),
            expected: ExpectedState {
                state,
                in_deposit: self.transfer.in_deposit,
            },
            reason: ReturnReason {
                code: "R01".to_owned(),
                description: "Insufficient Funds".to_owned(),
                returned_on: Some(self.now.date_naive()),
                decided_at: self.now,
            },
            effect,
        });
        Attempt { name, change }
    }

    fn release(&self, name: &'static str, id: &str) -> Attempt {
        let change = TransferChange::Release(ReleaseToSettlement {
            transfer_id: id.to_owned(),
            returned_transfer_id: self.transfer.id.clone(),
            ready_to_settle_at: self.now,
            decided_at: self.now,
        });
        Attempt { name, change }
    }

    fn added(&self, id: &str, parent: &str) -> AddedTransfer {
        AddedTransfer {
            id: id.to_owned(),
            trace_id: id.replacen("TR", "FNX", 1),
            parent_id: parent.to_owned(),
            amount_minor: self.transfer.amount_minor,
            currency: self.transfer.currency.clone(),
            tags: [("result_message_0".to_owned(), "ReasonCode: R01".to_owned())].into(),
        }
    }
}
