//! What people read about an incident, made once from the problem and its diagnosis. It is recorded
//! with the incident; every channel writes it in its own way.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::cause::{Cause, Description};
use super::{Problem, clean};
use crate::check::{Check, CheckResult, Diagnosis};

/// The longest headline; an e-mail's subject and PagerDuty's summary are made of it.
const HEADLINE: usize = 400;

/// The longest of the other texts.
const TEXT: usize = 800;

/// What an incident says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The likely cause, in one line.
    pub headline: String,
    /// What was observed, where the checks found a likelier cause for it.
    pub observed: Option<String>,
    pub meaning: String,
    /// What to do, in order.
    pub to_do: Vec<String>,
    /// All sources whose jobs it disturbs, when they share what is wrong.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What was checked.
    pub checks: Vec<CheckLine>,
    /// The money at stake.
    pub stake: Option<String>,
    /// When the acquirer deletes the data.
    pub expires: Option<String>,
    /// The last good run.
    pub last_good: Option<String>,
    /// The command that tries again.
    pub command: Option<String>,
}

/// One check, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    pub name: String,
    pub of: String,
    pub outcome: CheckOutcome,
    /// What was seen, why it failed, or why it was not checked.
    pub evidence: String,
    pub took_ms: u64,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum CheckOutcome {
    Passed,
    Failed,
    Skipped,
}

impl CheckOutcome {
    /// Its sign in a table.
    pub const fn sign(self) -> char {
        match self {
            Self::Passed => '✓',
            Self::Failed => '✗',
            Self::Skipped => '–',
        }
    }

    /// Its name in alerts and in the API.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

fn headline(cause: &Cause) -> String {
    clean::sentence(&cause.headline(), HEADLINE)
}

impl Content {
    /// What is known before anything was checked.
    pub fn of(problem: &Problem) -> Self {
        Self::describing(&problem.cause, problem)
    }

    /// What a cause says about what a problem is about.
    fn describing(cause: &Cause, problem: &Problem) -> Self {
        let subject = &problem.subject;
        let Description {
            headline,
            meaning,
            to_do,
            ..
        } = cause.describe();
        Self {
            headline: clean::sentence(&headline, HEADLINE),
            observed: None,
            meaning: clean::sentence(&format!("{meaning} ({subject})"), TEXT),
            to_do: to_do.iter().map(|&step| step.to_owned()).collect(),
            sources: problem.sources.clone(),
            checks: Vec::new(),
            stake: None,
            expires: None,
            last_good: None,
            command: None,
        }
    }

    /// The same with a diagnosis. Where that names a likelier cause, its description is used.
    pub fn diagnosed(problem: &Problem, diagnosis: &Diagnosis) -> Self {
        let cause = diagnosis.headline_cause.as_ref().unwrap_or(&problem.cause);
        let likely = Self::describing(cause, problem);
        let observed = headline(&problem.cause);
        let text = |text: &Option<String>| text.as_deref().map(|text| clean::line(text, TEXT));
        Self {
            observed: (observed != likely.headline).then_some(observed),
            checks: diagnosis.checks.iter().map(check_line).collect(),
            stake: text(&diagnosis.stake),
            expires: text(&diagnosis.expires),
            last_good: text(&diagnosis.last_good),
            command: text(&diagnosis.command),
            ..likely
        }
    }

    /// The same after it was observed again: the diagnosis stays, the description is the newest.
    pub fn observed_again(&self, problem: &Problem) -> Self {
        let newest = Self::of(problem);
        if self.observed.is_some() {
            return Self {
                observed: (newest.headline != self.headline).then_some(newest.headline),
                ..self.clone()
            };
        }
        Self {
            checks: self.checks.clone(),
            stake: self.stake.clone(),
            expires: self.expires.clone(),
            last_good: self.last_good.clone(),
            command: self.command.clone(),
            ..newest
        }
    }
}

fn check_line(check: &Check) -> CheckLine {
    let (outcome, evidence) = match &check.result {
        CheckResult::Passed(seen) => (CheckOutcome::Passed, seen.clone()),
        CheckResult::Failed(cause) => (CheckOutcome::Failed, cause.headline()),
        CheckResult::Skipped(why) => (CheckOutcome::Skipped, why.clone()),
    };
    CheckLine {
        name: check.name.to_owned(),
        of: clean::line(&check.of, 120),
        outcome,
        evidence: clean::sentence(&evidence, 300),
        took_ms: u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
    }
}
