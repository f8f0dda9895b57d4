//! A campaign that cannot fail proves nothing. So known bugs are planted one at a time, and
//! the same campaign must go red for each. Faults that lead to where a bug is are drawn more
//! often; nothing else differs.

use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;

use crate::bug::Bug;
use crate::campaign::{self, Plan};
use crate::fault::{Kind, Weights, usual};
use crate::load::Way;

/// Faults without a planted bug, with the odds of all bugs at once: the control.
const CONTROL: u64 = 36;

/// What became of one planted bug.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The bug; `None` is the control, which must stay green.
    pub bug: Option<Bug>,
    /// After how many faults the campaign went red; `None` when it did not.
    pub after: Option<u64>,
    /// What was seen first.
    pub seen: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// The usual mix, with more of what exposes the bug.
fn weights(bug: Bug) -> Weights {
    let mut weights = usual();
    let more: &[(Kind, u32)] = match bug {
        Bug::CursorInSecondTransaction
        | Bug::CommitRetriedBlindly
        | Bug::ProgressInSecondTransaction => &[(Kind::CutCommit, 120)],
        Bug::NoCompareAndSet => &[(Kind::Pause, 200)],
        Bug::GapSkipped => &[(Kind::LostReply, 40), (Kind::KillBothCopies, 40)],
        Bug::SequenceInsteadOfCounter
        | Bug::StateGuardDropped
        | Bug::RemoteArchivedBeforeCommit
        | Bug::RestoredTwice => &[],
    };
    for (kind, weight) in more {
        weights.insert(*kind, *weight);
    }
    weights
}

impl Caught {
    /// The bug's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.bug.map_or("none (the control)", Bug::name)
    }

    /// Whether it ended as it must: red with a bug, green without.
    #[must_use]
    pub const fn is_right(&self) -> bool {
        self.bug.is_some() == self.after.is_some()
    }
}

/// Where a bug lies behind the import, files are sent by call alone: more imports overlap then
/// than while half of the files wait for a look at the acquirer.
fn way(bug: Bug) -> Option<Way> {
    match bug {
        Bug::RemoteArchivedBeforeCommit => None,
        Bug::CursorInSecondTransaction
        | Bug::SequenceInsteadOfCounter
        | Bug::NoCompareAndSet
        | Bug::CommitRetriedBlindly
        | Bug::ProgressInSecondTransaction
        | Bug::GapSkipped
        | Bug::StateGuardDropped
        | Bug::RestoredTwice => Some(Way::Called),
    }
}

/// Plants each bug, and runs the campaign until it goes red, or for as many faults as `plan`
/// says.
///
/// # Errors
/// When the rig itself does not work.
pub async fn run(plan: &Plan, only: Option<&str>, bar: &ProgressBar) -> Result<Vec<Caught>> {
    let mut all = Vec::new();
    for bug in std::iter::once(None).chain(Bug::ALL.map(Some)) {
        if only.is_some_and(|name| bug.is_none_or(|bug| name != bug.name())) {
            continue;
        }
        all.push(run_one(plan, bug).await?);
        bar.inc(1);
    }
    Ok(all)
}

async fn run_one(plan: &Plan, bug: Option<Bug>) -> Result<Caught> {
    let planted = Plan {
        // Checked more often, so that the figure says something.
        stretch: 3,
        kills: bug.map_or(CONTROL, |_| plan.kills),
        weights: bug.map_or_else(all_weights, weights),
        way: bug.and_then(way),
        environment: bug
            .map(|bug| ("ECHECK_BUG".to_owned(), bug.name().to_owned()))
            .into_iter()
            .collect(),
        ..plan.clone()
    };
    let outcome = campaign::run(&planted, &ProgressBar::hidden()).await?;
    let first = outcome.findings.violations.first();
    Ok(Caught {
        bug,
        after: outcome.failed_at.map(|(_, kills)| kills),
        seen: first.map(|(invariant, what)| format!("{}: {what:.160}", invariant.sentence())),
        took: outcome.took,
    })
}

/// The highest odds that any bug asks for.
fn all_weights() -> Weights {
    let mut all = usual();
    for (kind, weight) in Bug::ALL.into_iter().flat_map(weights) {
        let odds = all.entry(kind).or_default();
        *odds = weight.max(*odds);
    }
    all
}
