//! What people are told of an incident, made once from the trouble and from what was looked at.
//! It is kept with the incident; every channel writes it in its own way.

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::{Subject, Trouble, clean};
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
    /// What was met, where the checks found a likelier cause for it.
    pub met: Option<String>,
    pub meaning: String,
    /// What to do, in order.
    pub to_do: Vec<String>,
    /// What was looked at.
    pub checks: Vec<CheckLine>,
    /// The money at stake.
    pub stake: Option<String>,
    /// When the acquirer deletes the data.
    pub expires: Option<String>,
    /// When it last worked.
    pub last_good: Option<String>,
    /// What to run to try again.
    pub command: Option<String>,
}

/// One check, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    pub name: String,
    pub of: String,
    pub outcome: Outcome,
    /// What was seen, why it failed, or why it was not looked at.
    pub evidence: String,
    pub took_ms: u64,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    /// Its sign in a table.
    pub const fn sign(self) -> char {
        match self {
            Self::Passed => '✓',
            Self::Failed => '✗',
            Self::Skipped => '–',
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

fn headline(cause: &Cause) -> String {
    clean::sentence(&cause.headline(), HEADLINE)
}

fn words(cause: &Cause, subject: &Subject) -> (String, String, Vec<String>) {
    let to_do = cause.to_do();
    (
        headline(cause),
        clean::sentence(&cause.meaning(subject), TEXT),
        to_do
            .iter()
            .map(|line| clean::sentence(line, TEXT))
            .collect(),
    )
}

impl Content {
    /// What is known before anything was looked at.
    pub fn of(trouble: &Trouble) -> Self {
        let (headline, meaning, to_do) = words(&trouble.cause, &trouble.subject);
        Self {
            headline,
            met: None,
            meaning,
            to_do,
            checks: Vec::new(),
            stake: None,
            expires: None,
            last_good: None,
            command: None,
        }
    }

    /// The same with what was found: where that names a likelier cause, its words come first.
    pub fn diagnosed(trouble: &Trouble, diagnosis: &Diagnosis) -> Self {
        let cause = diagnosis.headline_cause.as_ref().unwrap_or(&trouble.cause);
        let (headline, meaning, to_do) = words(cause, &trouble.subject);
        let met = self::headline(&trouble.cause);
        let text = |text: &Option<String>| text.as_deref().map(|text| clean::line(text, TEXT));
        Self {
            met: (met != headline).then_some(met),
            headline,
            meaning,
            to_do,
            checks: diagnosis.checks.iter().map(check_line).collect(),
            stake: text(&diagnosis.stake),
            expires: text(&diagnosis.expires),
            last_good: text(&diagnosis.last_good),
            command: text(&diagnosis.command),
        }
    }

    /// The same after it was met again: what was looked at stays, the words are the newest.
    pub fn met_again(&self, trouble: &Trouble) -> Self {
        let newest = Self::of(trouble);
        if self.met.is_some() {
            return Self {
                met: (newest.headline != self.headline).then_some(newest.headline),
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
        CheckResult::Passed(seen) => (Outcome::Passed, seen.clone()),
        CheckResult::Failed(cause) => (Outcome::Failed, cause.headline()),
        CheckResult::Skipped(why) => (Outcome::Skipped, why.clone()),
    };
    CheckLine {
        name: check.name.to_owned(),
        of: clean::line(&check.of, 120),
        outcome,
        evidence: clean::sentence(&evidence, 300),
        took_ms: u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
    }
}
