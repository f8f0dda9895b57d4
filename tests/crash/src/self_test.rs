//! A campaign that cannot fail proves nothing. So known bugs are planted one at a time, and
//! the same campaign must go red for each. Faults that lead to where a bug is are drawn more
//! often; nothing else differs.

use std::time::Duration;

use anyhow::Result;
use echeck_service::planted::Bug;
use indicatif::ProgressBar;

use crate::campaign::{self, Plan};
use crate::fault::{Kind, Weights, usual};

/// What became of one planted bug.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The bug.
    pub bug: Bug,
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
        Bug::SequenceInsteadOfCounter | Bug::StateGuardDropped => &[],
    };
    for (kind, weight) in more {
        weights.insert(*kind, *weight);
    }
    weights
}

/// Plants each bug, and runs the campaign until it goes red, or for as many faults as `plan`
/// says.
///
/// # Errors
/// When the rig itself does not work.
pub async fn run(plan: &Plan, only: Option<&str>, bar: &ProgressBar) -> Result<Vec<Caught>> {
    let mut all = Vec::new();
    for bug in Bug::ALL {
        if only.is_some_and(|name| name != bug.name()) {
            continue;
        }
        bar.set_message(bug.name());
        let planted = Plan {
            // Checked more often, so that the figure says something.
            stretch: 3,
            weights: weights(bug),
            environment: vec![("ECHECK_BUG".to_owned(), bug.name().to_owned())],
            ..plan.clone()
        };
        let outcome = campaign::run(&planted, &ProgressBar::hidden()).await?;
        let first = outcome.findings.violations.first();
        all.push(Caught {
            bug,
            after: outcome.failed_at.map(|(_, kills)| kills),
            seen: first.map(|(invariant, what)| format!("{}: {what:.160}", invariant.sentence())),
            took: outcome.took,
        });
        bar.inc(1);
    }
    Ok(all)
}
