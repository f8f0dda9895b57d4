//! What an alert says, before a channel writes it in its own way.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use returns_model::incident::{
    AlertKind, Area, CheckLine, CheckOutcome, Content, IncidentRecord, IncidentState, clean,
};

/// How many sources an alert names.
const MOST_SOURCES: usize = 20;

/// What every alert of an installation shows.
#[derive(Debug, Clone)]
pub struct AlertHeader {
    /// The name of this installation, such as `returns-production`.
    pub installation: String,
    /// A page with more about each cause; `{cause}` in it becomes the cause's name.
    pub runbook_url: Option<String>,
    /// The zone in which times are shown beside UTC: that of the people, or of the schedule.
    pub time_zone: Option<Tz>,
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AlertTopic {
    /// Something about an incident.
    Incident {
        kind: AlertKind,
        incident: Box<IncidentRecord>,
    },
    /// A test that somebody requested.
    Test { actor: String },
}

/// An alert for one channel.
#[derive(Debug, Clone)]
pub(super) struct AlertMessage {
    /// The same when it is delivered again.
    pub(super) id: String,
    pub(super) topic: AlertTopic,
    pub(super) at: DateTime<Utc>,
    pub(super) installation: String,
    pub(super) runbook_url: Option<String>,
    pub(super) time_zone: Option<Tz>,
}

impl AlertMessage {
    /// An alert about an incident.
    pub(super) fn about(
        id: &str,
        kind: AlertKind,
        incident: &IncidentRecord,
        header: &AlertHeader,
        at: DateTime<Utc>,
    ) -> Self {
        let runbook = header.runbook_url.as_ref();
        Self {
            id: id.to_owned(),
            topic: AlertTopic::Incident {
                kind,
                incident: Box::new(incident.clone()),
            },
            at,
            installation: header.installation.clone(),
            time_zone: header.time_zone,
            runbook_url: runbook.map(|url| url.replace("{cause}", &incident.cause)),
        }
    }

    /// A test.
    pub(super) fn test(id: &str, actor: &str, header: &AlertHeader, at: DateTime<Utc>) -> Self {
        Self {
            id: id.to_owned(),
            topic: AlertTopic::Test {
                actor: clean::line(actor, 100),
            },
            at,
            installation: header.installation.clone(),
            time_zone: header.time_zone,
            runbook_url: header.runbook_url.clone(),
        }
    }

    /// The first line: the likely cause, or what became of it.
    pub(super) fn first_line(&self) -> String {
        let (kind, incident) = match &self.topic {
            AlertTopic::Incident { kind, incident } => (*kind, incident),
            AlertTopic::Test { actor } => {
                return format!("Test alert, requested by {actor}: this channel works.");
            }
        };
        let headline = &incident.content.headline;
        match kind {
            AlertKind::Opened => headline.clone(),
            AlertKind::Updated => format!("Still open, seen {}: {headline}", times(incident.seen)),
            AlertKind::Reopened => format!("It is back: {headline}"),
            AlertKind::Escalated => format!(
                "Nobody has acknowledged this for {}: {headline}",
                span(incident.opened_at, self.at)
            ),
            AlertKind::Acknowledged => format!(
                "Acknowledged by {}: {headline}",
                clean::line(signer(incident.acknowledged.as_ref()), 100)
            ),
            AlertKind::Recovered => format!("Recovered {}: {headline}", lasted(incident)),
            AlertKind::Closed => format!(
                "Closed by {} {}: {headline}",
                clean::line(signer(incident.closed.as_ref()), 100),
                lasted(incident)
            ),
        }
    }

    /// The first line behind what a list of mails is sorted by: severity, installation, source.
    pub(super) fn subject(&self) -> String {
        let (severity, source) = match &self.topic {
            AlertTopic::Incident { incident, .. } => {
                (incident.severity.as_str(), sources(incident, 1))
            }
            AlertTopic::Test { .. } => ("test", None),
        };
        let source = source.map_or_else(String::new, |(_, source)| format!(" {source}"));
        format!(
            "[{}] {}{source}: {}",
            severity.to_uppercase(),
            self.installation,
            self.first_line()
        )
    }

    /// Where the runbook of a cause is. Everybody who has the command has it.
    fn runbook(&self, cause: &str) -> String {
        let url = self.runbook_url.clone();
        url.unwrap_or_else(|| format!("echeck explain {cause}"))
    }

    /// A time for people, in both zones.
    fn time(&self, at: DateTime<Utc>) -> String {
        time(at, self.time_zone)
    }

    /// Whether the first line is all there is to say.
    pub(super) fn is_short(&self) -> bool {
        match &self.topic {
            AlertTopic::Incident { incident, .. } => incident.area == Area::Alerting,
            AlertTopic::Test { .. } => true,
        }
    }

    /// What follows the first line; `None` when nothing does.
    pub(super) fn content(&self) -> Option<&Content> {
        match &self.topic {
            AlertTopic::Incident { incident, .. } if !self.is_short() => Some(&incident.content),
            AlertTopic::Incident { .. } | AlertTopic::Test { .. } => None,
        }
    }

    /// Names and values, in the order in which they are shown.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let AlertTopic::Incident { incident, .. } = &self.topic else {
            return vec![("Installation", self.installation.clone())];
        };
        let content = &incident.content;
        let since = format!(
            "{} ({}), seen {}",
            self.time(incident.opened_at),
            span(incident.opened_at, self.at),
            times(incident.seen)
        );
        let signed = |signature: &Option<returns_model::incident::Signature>| {
            let signature = signature.as_ref()?;
            let (by, note) = (&signature.by, &signature.note);
            let note = if note.is_empty() {
                String::new()
            } else {
                format!(": {note}")
            };
            let text = format!("{} by {by}{note}", self.time(signature.at));
            Some(clean::line(&text, 400))
        };
        let source = sources(incident, MOST_SOURCES).map(|(name, text)| (name, Some(text)));
        let is_waiting = incident.state == IncidentState::Open && incident.acknowledged.is_none();
        let acknowledge =
            is_waiting.then(|| format!("echeck incidents ack {}", incident.incident_id));
        let all = [
            ("Since", Some(since)),
            ("Observed as", content.observed.clone()),
            source.unwrap_or(("Source", None)),
            ("Import", incident.import_id.clone()),
            ("Run", incident.run_id.clone()),
            ("Money at stake", content.stake.clone()),
            ("Data expires", content.expires.clone()),
            ("Next try", incident.next_try_at.map(|at| self.time(at))),
            ("Last good run", content.last_good.clone()),
            ("Run again with", content.command.clone()),
            ("Acknowledge with", acknowledge),
            ("Acknowledged", signed(&incident.acknowledged)),
            ("Closed", signed(&incident.closed)),
            ("Incident", Some(incident.incident_id.clone())),
            ("Installation", Some(self.installation.clone())),
            ("Runbook", Some(self.runbook(&incident.cause))),
        ];
        let shown = all.into_iter().filter_map(|(name, value)| {
            let value = clean::line(&value?, 800);
            (!value.is_empty()).then_some((name, value))
        });
        if self.is_short() {
            let brief = ["Since", "Incident", "Installation"];
            return shown.filter(|(name, _)| brief.contains(name)).collect();
        }
        shown.collect()
    }

    /// The whole alert as plain text.
    pub(super) fn text(&self) -> String {
        let mut text = self.first_line();
        if let Some(content) = self.content() {
            text.push_str(&format!("\n\nWhat it means: {}\n", content.meaning));
            if !content.to_do.is_empty() {
                text.push_str("\nWhat to do:\n");
                for (number, line) in (1..).zip(&content.to_do) {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "  {number}. {line}");
                }
            }
            if !content.checks.is_empty() {
                text.push_str("\nWhat was checked:\n");
                for line in table(&content.checks) {
                    let _ = writeln!(text, "  {line}");
                }
            }
        } else {
            text.push('\n');
        }
        text.push('\n');
        let facts = self.facts();
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
        for (name, value) in facts {
            let name = format!("{name}:");
            let _ = writeln!(text, "{name:<width$} {value}");
        }
        text
    }
}

fn signer(signature: Option<&returns_model::incident::Signature>) -> &str {
    signature.map_or("somebody", |signature| &signature.by)
}

/// The sources that an incident disturbs, under their title. More than `most` are only counted.
fn sources(incident: &IncidentRecord, most: usize) -> Option<(&'static str, String)> {
    let shared = &incident.content.sources;
    match shared.len() {
        0 | 1 => Some(("Source", incident.source.clone()?)),
        count if count > most => Some(("Sources", format!("{count} sources"))),
        _ => Some(("Sources", shared.join(", "))),
    }
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

fn lasted(incident: &IncidentRecord) -> String {
    let end = incident.closed.as_ref().map(|closed| closed.at);
    format!(
        "after {}, seen {}",
        span(incident.opened_at, end.unwrap_or(incident.last_seen_at)),
        times(incident.seen)
    )
}

/// A time for people, in UTC and in another zone.
pub(super) fn time(at: DateTime<Utc>, zone: Option<Tz>) -> String {
    let utc = at.format("%Y-%m-%d %H:%M:%S UTC");
    match zone.filter(|zone| *zone != Tz::UTC) {
        None => utc.to_string(),
        Some(zone) => {
            let local = at.with_timezone(&zone);
            // A time of day alone would be of the wrong day at night.
            let format = if local.date_naive() == at.date_naive() {
                "%H:%M:%S %Z"
            } else {
                "%Y-%m-%d %H:%M:%S %Z"
            };
            format!("{utc} ({})", local.format(format))
        }
    }
}

/// A length of time for people: two units at most.
fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let seconds = (to - from).max(TimeDelta::zero()).num_seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// The checks that did not pass, with their columns lined up, and how many did.
pub(super) fn table(checks: &[CheckLine]) -> Vec<String> {
    let (passed, told): (Vec<&CheckLine>, Vec<&CheckLine>) = checks
        .iter()
        .partition(|line| line.outcome == CheckOutcome::Passed);
    let width = |cell: fn(&CheckLine) -> &str| {
        let widths = told.iter().map(|line| cell(line).chars().count());
        widths.max().unwrap_or(0)
    };
    let (names, subjects) = (width(|line| &line.name), width(|line| &line.of));
    let evidence = width(|line| &line.evidence).min(100);
    let rows = told.iter().map(|line| {
        format!(
            "{} {:<names$}  {:<subjects$}  {:<evidence$}  {:>6} ms",
            line.outcome.sign(),
            line.name,
            line.of,
            line.evidence,
            line.took_ms
        )
    });
    let other = if told.is_empty() { "" } else { "other " };
    let all_passed = (!passed.is_empty()).then(|| {
        let what = if passed.len() == 1 { "check" } else { "checks" };
        format!(
            "{} {} {other}{what} passed",
            CheckOutcome::Passed.sign(),
            passed.len()
        )
    });
    rows.chain(all_passed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_both_zones_with_the_day_where_that_differs() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let zone = Some(Tz::America__New_York);
        assert_eq!(
            time(at("2026-11-20T14:05:00Z"), zone),
            "2026-11-20 14:05:00 UTC (09:05:00 EST)"
        );
        assert_eq!(
            time(at("2026-07-02T01:00:00Z"), zone),
            "2026-07-02 01:00:00 UTC (2026-07-01 21:00:00 EDT)"
        );
        assert_eq!(
            time(at("2026-07-02T01:00:00Z"), None),
            "2026-07-02 01:00:00 UTC"
        );
    }

    #[test]
    fn only_what_did_not_pass_is_listed() {
        let line = |name: &str, outcome| CheckLine {
            name: name.to_owned(),
            of: "x".to_owned(),
            outcome,
            evidence: "seen".to_owned(),
            took_ms: 7,
        };
        let passed = || line("a", CheckOutcome::Passed);
        let all = [passed(), line("bb", CheckOutcome::Failed), passed()];
        assert_eq!(
            table(&all),
            ["✗ bb  x  seen       7 ms", "✓ 2 other checks passed"]
        );
        assert_eq!(table(&[passed()]), ["✓ 1 check passed"]);
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn a_length_of_time_has_two_units() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let said = [0, 59, 61, 3_660, 90_000].map(|end| span(at(0), at(end)));
        assert_eq!(said, ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
        assert_eq!(span(at(9), at(0)), "0 s");
    }
}
