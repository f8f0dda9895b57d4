//! Changes that are written together. No transfer is named twice in a wave, so that a few
//! statements can write it whatever its size. When something is wrong with a row, the wave is
//! undone and taken again without it.

use std::collections::HashSet;

use crate::batch::{Change, Effect, Step};
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

/// Cuts steps into waves, in order.
pub(crate) fn waves(steps: &[Step]) -> Vec<Vec<Placed<'_>>> {
    let mut waves = Vec::new();
    let mut wave: Vec<Placed<'_>> = Vec::new();
    let (mut named, mut bytes) = (HashSet::new(), 0);
    for step in steps {
        let Some(change) = &step.change else { continue };
        let size = size(change);
        if named.contains(change.transfer_id.as_str()) || bytes + size > MAX_BYTES {
            waves.push(std::mem::take(&mut wave));
            named.clear();
            bytes = 0;
        }
        named.insert(change.transfer_id.as_str());
        bytes += size;
        wave.push((step.position, change));
    }
    waves.push(wave);
    waves.retain(|wave| !wave.is_empty());
    // Rows in the order of their keys are near each other in the index.
    for wave in &mut waves {
        wave.sort_by(|one, other| one.1.transfer_id.cmp(&other.1.transfer_id));
    }
    waves
}

/// Roughly how many bytes of text a change is.
fn size(change: &Change) -> usize {
    let texts = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    200 + change.transfer_id.len()
        + change.reason.description.len()
        + match &change.effect {
            Effect::Fail { messages, raw_json } => texts(messages) + raw_json.len(),
            Effect::Return { messages } => texts(messages),
            Effect::Reverse(reversal) => {
                let tags = reversal.tags.iter();
                200 + tags
                    .map(|(name, tag)| name.len() + tag.len())
                    .sum::<usize>()
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
        transfer_id: change.transfer_id.clone(),
    }
}

fn ignored(change: &Change) -> String {
    format!(
        "the row of transfer {} is as the change needs it, but the target ignored the change; \
         look at its triggers",
        change.transfer_id
    )
}
