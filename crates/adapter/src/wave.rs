//! Changes that are written together. No transfer is named twice in a wave, so that a few
//! statements can write it whatever its size. When something is wrong with a row, the wave is
//! undone and taken again without it.

use std::collections::HashMap;

use crate::batch::{Change, Effect, NewTransfer, Step};
use crate::dialect::{DbError, Session};
use crate::mapping::{ExceptionKind, Finding, Mapping};
use crate::progress::StepException;

/// So many bytes of texts are written by one statement: databases take no parameter of any
/// size (`max_allowed_packet` is 16 MiB where it is smallest), and memory is bounded too.
const MAX_BYTES: usize = 2 << 20;

/// A change and its position.
type Placed<'a> = (i64, &'a Change);

/// Why a wave was not taken.
pub(crate) enum WaveError {
    /// One of its rows spoiled the transaction in a way that cannot be undone alone.
    Spoiled(String),
    Db(DbError),
}

impl From<DbError> for WaveError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Cuts steps into waves. Changes that name the same transfer are in waves of their own, in
/// their order; others may be written in any order. So a batch has about as many waves as the
/// longest story of one transfer in it has steps.
pub(crate) fn waves(steps: &[Step]) -> Vec<Vec<Placed<'_>>> {
    let mut waves: Vec<Vec<Placed<'_>>> = Vec::new();
    // The first wave that may name a transfer again.
    let mut free: HashMap<&str, usize> = HashMap::new();
    for step in steps {
        let Some(change) = step.change.as_ref().filter(|_| step.withheld.is_none()) else {
            continue;
        };
        let taken = change.names().filter_map(|name| free.get(name));
        let at = taken.max().copied().unwrap_or(0);
        free.extend(change.names().map(|name| (name, at + 1)));
        match waves.get_mut(at) {
            Some(wave) => wave.push((step.position, change)),
            None => waves.push(vec![(step.position, change)]),
        }
    }
    waves.into_iter().flat_map(bounded).collect()
}

/// Cuts a wave into pieces of a bounded size. Rows in the order of their keys are near each
/// other in the index.
fn bounded(mut wave: Vec<Placed<'_>>) -> Vec<Vec<Placed<'_>>> {
    wave.sort_by(|one, other| one.1.transfer_id().cmp(other.1.transfer_id()));
    let mut pieces = Vec::new();
    let (mut piece, mut bytes) = (Vec::new(), 0);
    for placed in wave {
        let size = size(placed.1);
        if bytes + size > MAX_BYTES && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        bytes += size;
        piece.push(placed);
    }
    pieces.push(piece);
    pieces
}

/// Roughly how many bytes of text a change is.
fn size(change: &Change) -> usize {
    let texts = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    let made = |made: &NewTransfer| {
        let tags = made.tags.iter();
        200 + tags
            .map(|(name, tag)| name.len() + tag.len())
            .sum::<usize>()
    };
    200 + change.transfer_id().len()
        + match change {
            Change::Ready(ready) => ready.returned_transfer_id.len(),
            Change::Update(update) => {
                update.reason.description.len()
                    + match &update.effect {
                        Effect::Fail { messages, raw_json } => texts(messages) + raw_json.len(),
                        Effect::Return { messages } => texts(messages),
                        Effect::Reverse(new) | Effect::Restore(new) | Effect::Reapply(new) => {
                            made(new)
                        }
                    }
            }
        }
}

/// Takes a wave; gives the changes that were not written. Groups get smaller with every
/// turn, so that there is an end to it.
pub(crate) async fn take(
    session: &mut dyn Session,
    mapping: &dyn Mapping,
    wave: Vec<Placed<'_>>,
) -> Result<Vec<StepException>, WaveError> {
    let mut exceptions = Vec::new();
    let mut todo = vec![wave];
    while let Some(group) = todo.pop() {
        let changes: Vec<&Change> = group.iter().map(|(_, change)| *change).collect();
        session.begin_step().await?;
        let refused = match mapping.write(session, &changes).await {
            Ok(true) => {
                session.keep_step().await?;
                continue;
            }
            Ok(false) => None,
            Err(DbError::Refused(why)) => Some(why),
            Err(error) => return Err(error.into()),
        };
        undo(session, refused.as_deref()).await?;
        let rest = if refused.is_some() {
            group
        } else {
            let findings = mapping.examine(session, &changes).await?;
            let before = group.len();
            let rest = without_findings(group, findings, &mut exceptions);
            if rest.len() < before {
                if !rest.is_empty() {
                    todo.push(rest);
                }
                continue;
            }
            rest
        };
        // One of them is to blame, and nobody says which.
        match rest.as_slice() {
            [] => {}
            [(position, change)] => {
                let why = refused.unwrap_or_else(|| ignored(change));
                let finding = Finding::new(ExceptionKind::Refused, why);
                exceptions.push(exception(*position, change, finding));
            }
            several => {
                let (first, second) = several.split_at(several.len() / 2);
                todo.extend([second.to_vec(), first.to_vec()]);
            }
        }
    }
    Ok(exceptions)
}

async fn undo(session: &mut dyn Session, refused: Option<&str>) -> Result<(), WaveError> {
    match session.roll_back_step().await {
        Ok(()) => Ok(()),
        Err(DbError::Refused(why)) => {
            Err(WaveError::Spoiled(refused.map_or(why, ToOwned::to_owned)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Moves the changes that were found to be impossible to the exceptions.
fn without_findings<'a>(
    group: Vec<Placed<'a>>,
    findings: Vec<Option<Finding>>,
    exceptions: &mut Vec<StepException>,
) -> Vec<Placed<'a>> {
    let mut rest = Vec::new();
    for ((position, change), finding) in group.into_iter().zip(findings) {
        match finding {
            Some(finding) => exceptions.push(exception(position, change, finding)),
            None => rest.push((position, change)),
        }
    }
    rest
}

fn exception(position: i64, change: &Change, finding: Finding) -> StepException {
    StepException {
        position,
        kind: finding.kind,
        message: finding.message,
        transfer_id: change.transfer_id().to_owned(),
    }
}

/// The exceptions of steps that rest on one which had no effect.
pub(crate) fn withheld(steps: &[Step]) -> impl Iterator<Item = StepException> {
    steps.iter().filter_map(|step| {
        let (change, why) = (step.change.as_ref()?, step.withheld.as_ref()?);
        let finding = Finding::new(ExceptionKind::MovedOn, why.clone());
        Some(exception(step.position, change, finding))
    })
}

fn ignored(change: &Change) -> String {
    format!(
        "the row of transfer {} is as the change needs it, but the target ignored the change; \
         look at its triggers",
        change.transfer_id()
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::batch::{Expected, Hash, Ready, Reason, State, Update};

    fn new_transfer(id: &str, parent_id: &str) -> NewTransfer {
        NewTransfer {
            id: id.to_owned(),
            trace_id: String::new(),
            parent_id: parent_id.to_owned(),
            amount_minor: 500,
            currency: "USD".to_owned(),
            tags: std::collections::BTreeMap::new(),
        }
    }

    fn update(transfer_id: &str, effect: Effect) -> Change {
        Change::Update(Update {
            transfer_id: transfer_id.to_owned(),
            expected: Expected {
                state: State::Succeeded,
                in_deposit: None,
            },
            reason: Reason {
                code: String::new(),
                description: String::new(),
                returned_on: None,
                decided_at: DateTime::UNIX_EPOCH,
            },
            effect,
        })
    }

    fn reverse(transfer_id: &str) -> Change {
        let reversal = new_transfer(&format!("RV_{transfer_id}"), transfer_id);
        update(transfer_id, Effect::Reverse(reversal))
    }

    fn ready(transfer_id: &str, returned: &str) -> Change {
        Change::Ready(Ready {
            transfer_id: transfer_id.to_owned(),
            returned_transfer_id: returned.to_owned(),
            ready_to_settle_at: DateTime::UNIX_EPOCH,
            decided_at: DateTime::UNIX_EPOCH,
        })
    }

    /// The positions in each wave.
    fn cut(changes: Vec<Change>) -> Vec<Vec<i64>> {
        let steps: Vec<Step> = changes
            .into_iter()
            .zip(1..)
            .map(|(change, position)| Step {
                position,
                hash: Hash::from_bytes(&[0; 32]).unwrap(),
                change: Some(change),
                withheld: None,
            })
            .collect();
        let positions = |wave: Vec<Placed<'_>>| wave.into_iter().map(|(at, _)| at).collect();
        waves(&steps).into_iter().map(positions).collect()
    }

    #[test]
    fn a_reversal_is_made_before_it_becomes_ready() {
        // A mirror knows it by the transfer that was returned, the gateway by its own id.
        for returned in ["TR1", "TR9"] {
            assert_eq!(
                cut(vec![reverse("TR1"), ready("RV_TR1", returned)]),
                [[1], [2]]
            );
        }
    }

    #[test]
    fn the_whole_story_of_a_transfer_is_written_in_its_order() {
        let restore = Effect::Restore(new_transfer("RS", "RV_TR1"));
        let reapply = Effect::Reapply(new_transfer("RA", "RS"));
        let story = vec![
            reverse("TR1"),
            ready("RV_TR1", "TR1"),
            update("TR1", restore),
            update("TR1", reapply),
            ready("RS", "TR1"),
            ready("RA", "TR1"),
        ];
        assert_eq!(cut(story), [[1], [2], [3], [4], [5], [6]]);
    }

    #[test]
    fn stories_that_take_turns_still_share_their_waves() {
        let story = ["TR1", "TR2", "TR3"];
        let changes = story.map(|id| [reverse(id), ready(&format!("RV_{id}"), id)]);
        assert_eq!(cut(changes.concat()), [[1, 3, 5], [2, 4, 6]]);
    }

    #[test]
    fn a_transfer_is_not_written_together_with_what_undoes_it() {
        // Neither is about the other's transfer, but the second refers to what the first makes.
        let restore = Effect::Restore(new_transfer("RS", "RV_TR1"));
        assert_eq!(
            cut(vec![reverse("TR1"), update("TR2", restore)]),
            [[1], [2]]
        );
    }

    #[test]
    fn a_wave_of_many_bytes_is_written_in_pieces() {
        let long = |id: &str| {
            let messages = vec!["x".repeat(MAX_BYTES / 2)];
            update(id, Effect::Return { messages })
        };
        assert_eq!(
            cut(vec![long("TR1"), long("TR2"), long("TR3")]),
            [[1], [2], [3]]
        );
        assert_eq!(cut(Vec::new()), Vec::<Vec<i64>>::new());
    }
}
