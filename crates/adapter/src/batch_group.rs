//! Changes that are written together. No transfer is named twice in a group, so a few statements
//! can write it whatever its size. When something is wrong with a row, the group is undone and
//! written again without it.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::batch::{Step, TransferChange, UpdateEffect};
use crate::dialect::{DbError, TargetSession};
use crate::mapping::{Mapping, Obstacle};
use crate::progress::StepException;
use crate::schema::{ColumnKind, MappedColumn};

/// A change and the position of its step.
#[derive(Clone, Copy)]
pub(crate) struct PositionedChange<'a> {
    position: i64,
    change: &'a TransferChange,
}

type Group<'a> = Vec<PositionedChange<'a>>;

/// Why a group was not written.
pub(crate) enum GroupError {
    /// One of its rows aborted the transaction, which cannot be undone alone.
    TransactionAborted(String),
    Db(DbError),
}

impl From<DbError> for GroupError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Cuts steps into groups. Changes that name the same transfer are in different groups, in their
/// order; others may be written in any order. So a batch has about as many groups as the longest
/// history of one transfer in it has steps.
///
/// In a `key` of UUIDs one transfer has two names: the id that the journal has, and the UUID. A group
/// has at most `most_bytes` of text, which a statement binds.
pub(crate) fn groups<'a>(
    key: Option<&MappedColumn>,
    steps: &'a [Step],
    most_bytes: usize,
) -> Vec<Group<'a>> {
    let uuids = key.filter(|key| key.kind() == ColumnKind::Uuid);
    let shown = |name: &'a str| match uuids {
        Some(key) => Cow::Owned(key.shown_id(name)),
        None => Cow::Borrowed(name),
    };
    let mut groups: Vec<Group<'_>> = Vec::new();
    // The first group that may name a transfer again.
    let mut free: HashMap<Cow<'_, str>, usize> = HashMap::new();
    for step in steps {
        let Some(change) = step.change.as_ref().filter(|_| step.blocked.is_none()) else {
            continue;
        };
        let position = step.position;
        let names: Vec<Cow<'_, str>> = change.names().map(shown).collect();
        let taken = names.iter().filter_map(|name| free.get(name));
        let at = taken.max().copied().unwrap_or(0);
        free.extend(names.into_iter().map(|name| (name, at + 1)));
        groups.resize_with(groups.len().max(at + 1), Vec::new);
        groups[at].push(PositionedChange { position, change });
    }
    let bounded = |group| bounded(group, most_bytes);
    groups.into_iter().flat_map(bounded).collect()
}

/// Cuts a group into pieces of a bounded size. Rows in the order of their keys are near each
/// other in the index.
fn bounded(mut group: Group<'_>, most_bytes: usize) -> Vec<Group<'_>> {
    group.sort_by_key(|one| one.change.transfer_id());
    let mut pieces = Vec::new();
    let (mut piece, mut bytes) = (Vec::new(), 0);
    for one in group {
        let size = text_bytes(one.change);
        if bytes + size > most_bytes && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        bytes += size;
        piece.push(one);
    }
    pieces.push(piece);
    pieces
}

/// Roughly the bytes of text of a change.
fn text_bytes(change: &TransferChange) -> usize {
    let lines = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    let more = match change {
        TransferChange::Release(release) => release.returned_transfer_id.len(),
        TransferChange::Update(update) => {
            update.reason.description.len()
                + match &update.effect {
                    UpdateEffect::Fail { messages, raw_json } => lines(messages) + raw_json.len(),
                    UpdateEffect::Return { messages } => lines(messages),
                    UpdateEffect::Reverse(new)
                    | UpdateEffect::Restore(new)
                    | UpdateEffect::Reapply(new) => {
                        let tags = new.tags.iter().map(|(name, tag)| name.len() + tag.len());
                        200 + tags.sum::<usize>()
                    }
                }
        }
    };
    200 + change.transfer_id().len() + more
}

/// Writes a group; returns the changes that were not written. Groups get smaller with every turn,
/// so that the loop ends.
pub(crate) async fn write(
    session: &mut dyn TargetSession,
    mapping: &dyn Mapping,
    group: Group<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<StepException>, GroupError> {
    let mut exceptions = Vec::new();
    let mut todo = vec![group];
    while let Some(group) = todo.pop() {
        let changes: Vec<&TransferChange> = group.iter().map(|one| one.change).collect();
        session.set_savepoint().await?;
        let refused = match mapping.write(session, &changes, now).await {
            Ok(true) => {
                session.release_savepoint().await?;
                continue;
            }
            Ok(false) => None,
            Err(DbError::Refused(why)) => Some(why),
            Err(error) => return Err(error.into()),
        };
        undo(session, refused.as_deref()).await?;
        if refused.is_none() {
            let obstacles = mapping.examine(session, &changes).await?;
            let rest = without_obstacles(&group, obstacles, &mut exceptions);
            if rest.len() < group.len() {
                todo.extend(Some(rest).filter(|rest| !rest.is_empty()));
                continue;
            }
        }
        // One of them is the cause, and nothing says which.
        match group.as_slice() {
            [] => {}
            [PositionedChange { position, change }] => {
                let obstacle = Obstacle::refused(refused.unwrap_or_else(|| ignored(change)));
                exceptions.push(StepException::new(*position, change, obstacle));
            }
            several => {
                let (first, second) = several.split_at(several.len() / 2);
                todo.extend([second.to_vec(), first.to_vec()]);
            }
        }
    }
    Ok(exceptions)
}

async fn undo(session: &mut dyn TargetSession, refused: Option<&str>) -> Result<(), GroupError> {
    match session.roll_back_to_savepoint().await {
        Ok(()) => Ok(()),
        Err(DbError::Refused(why)) => {
            let why = refused.map_or(why, ToOwned::to_owned);
            Err(GroupError::TransactionAborted(why))
        }
        Err(error) => Err(error.into()),
    }
}

/// The changes without those that have an obstacle, which become exceptions.
fn without_obstacles<'a>(
    group: &[PositionedChange<'a>],
    obstacles: Vec<Option<Obstacle>>,
    exceptions: &mut Vec<StepException>,
) -> Group<'a> {
    let mut rest = Vec::new();
    for (one, obstacle) in group.iter().zip(obstacles) {
        match obstacle {
            Some(obstacle) => {
                exceptions.push(StepException::new(one.position, one.change, obstacle));
            }
            None => rest.push(*one),
        }
    }
    rest
}

fn ignored(change: &TransferChange) -> String {
    format!(
        "the row of transfer {} is as the change needs it, but the target ignored the change; \
         look at its triggers",
        change.transfer_id()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{
        AddedTransfer, ExpectedState, ReleaseToSettlement, ReturnReason, RowHash, TransferState,
        Update,
    };

    const MAX_BYTES: usize = 1 << 20;

    fn new_transfer(id: &str, parent_id: &str) -> AddedTransfer {
        AddedTransfer {
            id: id.to_owned(),
            trace_id: String::new(),
            parent_id: parent_id.to_owned(),
            amount_minor: 500,
            currency: "USD".to_owned(),
            tags: std::collections::BTreeMap::new(),
        }
    }

    fn update(transfer_id: &str, effect: UpdateEffect) -> TransferChange {
        TransferChange::Update(Update {
            transfer_id: transfer_id.to_owned(),
            expected: ExpectedState {
                state: TransferState::Succeeded,
                in_deposit: None,
            },
            reason: ReturnReason {
                code: String::new(),
                description: String::new(),
                returned_on: None,
                decided_at: DateTime::UNIX_EPOCH,
            },
            effect,
        })
    }

    #[test]
    fn a_group_is_cut_by_the_bytes_of_its_texts() {
        let failed = |id: &str, bytes: usize| Step {
            position: 1,
            hash: RowHash::from_bytes(&[0; 32]).unwrap(),
            change: Some(update(
                id,
                UpdateEffect::Fail {
                    messages: vec!["m".repeat(bytes)],
                    raw_json: "r".repeat(bytes),
                },
            )),
            blocked: None,
        };
        let pieces = |bytes: usize| {
            let steps = ["A", "B", "C"].map(|id| failed(id, bytes));
            let groups = groups(None, &steps, MAX_BYTES);
            groups.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(pieces(1_200), [3]);
        assert_eq!(pieces(MAX_BYTES / 4), [1, 1, 1]);
        assert_eq!(pieces(MAX_BYTES / 5), [2, 1]);
    }

    fn reverse(transfer_id: &str) -> TransferChange {
        let reversal = new_transfer(&format!("RV_{transfer_id}"), transfer_id);
        update(transfer_id, UpdateEffect::Reverse(reversal))
    }

    fn release(transfer_id: &str, returned: &str) -> TransferChange {
        TransferChange::Release(ReleaseToSettlement {
            transfer_id: transfer_id.to_owned(),
            returned_transfer_id: returned.to_owned(),
            ready_to_settle_at: DateTime::UNIX_EPOCH,
            decided_at: DateTime::UNIX_EPOCH,
        })
    }

    /// The positions in each group.
    fn cut(changes: Vec<TransferChange>) -> Vec<Vec<i64>> {
        let steps: Vec<Step> = changes
            .into_iter()
            .zip(1..)
            .map(|(change, position)| Step {
                position,
                hash: RowHash::from_bytes(&[0; 32]).unwrap(),
                change: Some(change),
                blocked: None,
            })
            .collect();
        let positions = |group: Group<'_>| group.into_iter().map(|one| one.position).collect();
        groups(None, &steps, MAX_BYTES)
            .into_iter()
            .map(positions)
            .collect()
    }

    #[test]
    fn a_reversal_is_created_before_it_is_released() {
        // A mirror knows it by the transfer that was returned, the gateway by its own id.
        for returned in ["TR1", "TR9"] {
            assert_eq!(
                cut(vec![reverse("TR1"), release("RV_TR1", returned)]),
                [[1], [2]]
            );
        }
    }

    #[test]
    fn the_whole_history_of_a_transfer_is_written_in_its_order() {
        let restore = UpdateEffect::Restore(new_transfer("RS", "RV_TR1"));
        let reapply = UpdateEffect::Reapply(new_transfer("RA", "RS"));
        let history = vec![
            reverse("TR1"),
            release("RV_TR1", "TR1"),
            update("TR1", restore),
            update("TR1", reapply),
            release("RS", "TR1"),
            release("RA", "TR1"),
        ];
        assert_eq!(cut(history), [[1], [2], [3], [4], [5], [6]]);
    }

    #[test]
    fn histories_that_take_turns_still_share_their_groups() {
        let history = ["TR1", "TR2", "TR3"];
        let changes = history.map(|id| [reverse(id), release(&format!("RV_{id}"), id)]);
        assert_eq!(cut(changes.concat()), [[1, 3, 5], [2, 4, 6]]);
    }

    #[test]
    fn a_transfer_is_not_written_together_with_what_undoes_it() {
        // Neither is about the other's transfer, but the second refers to what the first creates.
        let restore = UpdateEffect::Restore(new_transfer("RS", "RV_TR1"));
        assert_eq!(
            cut(vec![reverse("TR1"), update("TR2", restore)]),
            [[1], [2]]
        );
    }

    #[test]
    fn the_size_of_a_change_counts_every_text_of_it() {
        let size = |change: &TransferChange| text_bytes(change);
        assert_eq!(size(&release("TR1", "TR99")), 200 + 3 + 4);
        let messages = vec!["ab".to_owned(), "c".to_owned()];
        let raw_json = "{}".to_owned();
        let returned = UpdateEffect::Return { messages };
        assert_eq!(size(&update("TR1", returned.clone())), 200 + 3 + 3);
        let TransferChange::Update(mut described) = update("TR1", returned) else {
            unreachable!("it is an update");
        };
        described.reason.description = "12345".to_owned();
        assert_eq!(size(&TransferChange::Update(described)), 200 + 3 + 5 + 3);
        let messages = vec!["ab".to_owned()];
        let failed = UpdateEffect::Fail { messages, raw_json };
        assert_eq!(size(&update("TR1", failed)), 200 + 3 + 2 + 2);
        let mut tagged = new_transfer("RV", "TR1");
        tagged.tags.insert("name".to_owned(), "tag".to_owned());
        let reversed = update("TR1", UpdateEffect::Reverse(tagged));
        assert_eq!(size(&reversed), 200 + 3 + 200 + 7);
    }

    #[test]
    fn a_group_of_exactly_the_limit_is_one_piece_and_of_one_byte_more_two() {
        let half = |id: &str, more: usize| {
            let messages = vec!["x".repeat(MAX_BYTES / 2 - 203 + more)];
            update(id, UpdateEffect::Return { messages })
        };
        assert_eq!(cut(vec![half("TR1", 0), half("TR2", 0)]), [[1, 2]]);
        assert_eq!(cut(vec![half("TR1", 0), half("TR2", 1)]), [[1], [2]]);
    }

    #[test]
    fn a_group_of_many_bytes_is_written_in_pieces() {
        let long = |id: &str| {
            let messages = vec!["x".repeat(MAX_BYTES / 2)];
            update(id, UpdateEffect::Return { messages })
        };
        assert_eq!(
            cut(vec![long("TR1"), long("TR2"), long("TR3")]),
            [[1], [2], [3]]
        );
        assert_eq!(cut(Vec::new()), Vec::<Vec<i64>>::new());
    }
}
