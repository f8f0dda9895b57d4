//! Alerts staff of holds: of a file much of which is held, and of holds that are forgotten.

use std::sync::Arc;
use std::time::Duration;

use ach::money::Money;
use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::config::Section;
use returns_alerts::{IncidentReporter, SERVICE};
use returns_model::hold::OpenHolds;
use returns_model::import::{ImportRecord, Phase};
use returns_model::incident::{Area, Cause, IncidentRecord, Problem, Subject};
use returns_store::{Job, Lease, Pass, Store, StoreError, Topic};
use tokio_util::sync::CancellationToken;

/// How often open holds are counted. An alert leaves within ten seconds.
const EVERY: Duration = Duration::from_secs(2);

/// A share of fewer entries than this says nothing.
const LEAST_SHARE_OF: u64 = 3;

const DAY_MS: u64 = 86_400_000;

/// How many holds, for how much money and how long, are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldLimits {
    /// Entries of one file.
    pub count: u64,
    /// Of the entries of one file.
    pub share_percent: u64,
    /// Of all open holds together.
    pub amount_minor: i64,
    /// Of the oldest open hold.
    pub age: TimeDelta,
}

impl HoldLimits {
    /// Reads the keys `alert_*` of `[holds]`; faults are recorded with their keys.
    pub fn read(section: &Section<'_>) -> Self {
        let amount_minor = section.u64_or("alert_amount_minor", 1_000_000, 1..=1 << 53);
        let age = section.duration_ms_or("alert_age_ms", 3 * DAY_MS, 1_000..=365 * DAY_MS);
        Self {
            count: section.u64_or("alert_count", 25, 1..=1_000_000),
            share_percent: section.u64_or("alert_share_percent", 20, 1..=100),
            amount_minor: i64::try_from(amount_minor).unwrap_or(i64::MAX),
            age: TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX),
        }
    }
}

/// Some open holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    count: u64,
    amount_minor: i64,
    oldest_held_at: DateTime<Utc>,
    /// The most common reason, and how many have it.
    reason: String,
    with_reason: u64,
}

impl Held {
    /// Adds up groups, the largest of which comes first; `None` when there are none.
    fn sum<'a>(groups: impl IntoIterator<Item = &'a OpenHolds>) -> Option<Self> {
        let mut by_reason: Vec<OpenHolds> = Vec::new();
        for group in groups {
            match by_reason.iter_mut().find(|one| one.reason == group.reason) {
                Some(one) => {
                    one.count += group.count;
                    one.amount_minor = one.amount_minor.saturating_add(group.amount_minor);
                    one.oldest_held_at = one.oldest_held_at.min(group.oldest_held_at);
                }
                None => by_reason.push(group.clone()),
            }
        }
        let most = by_reason.iter().rev().max_by_key(|one| one.count)?;
        let amounts = by_reason.iter().map(|one| one.amount_minor);
        Some(Self {
            count: by_reason.iter().map(|one| one.count).sum(),
            amount_minor: amounts.fold(0, i64::saturating_add),
            oldest_held_at: by_reason.iter().map(|one| one.oldest_held_at).min()?,
            reason: most.reason.as_str().replace('_', " "),
            with_reason: most.count,
        })
    }

    fn amount(&self) -> String {
        Money::cents(self.amount_minor).to_string()
    }
}

impl HoldLimits {
    /// What is wrong with the holds of one file, if anything. The share of a file is known once
    /// all of it is decided.
    fn of_file(&self, import: &ImportRecord, held: &Held) -> Option<Cause> {
        let of = import.totals.read.count;
        let is_decided = matches!(import.phase, Phase::Decided { .. } | Phase::Applied { .. });
        let is_large_share = is_decided
            && of >= LEAST_SHARE_OF
            && held.count.saturating_mul(100) >= of.saturating_mul(self.share_percent);
        (held.count >= self.count || is_large_share).then(|| Cause::EntriesHeld {
            name: import.new.file_name.clone(),
            held: held.count,
            of,
            amount: held.amount(),
            reason: held.reason.clone(),
            with_reason: held.with_reason,
        })
    }

    /// What is wrong with all holds together, if anything.
    fn of_all(&self, held: &Held, now: DateTime<Utc>) -> Option<Cause> {
        let is_old = now.signed_duration_since(held.oldest_held_at) >= self.age;
        (is_old || held.amount_minor >= self.amount_minor).then(|| Cause::HoldsWaiting {
            count: held.count,
            amount: held.amount(),
            oldest: held.oldest_held_at,
            reason: held.reason.clone(),
            with_reason: held.with_reason,
        })
    }
}

/// Watches the open holds.
pub struct HoldAlarm {
    pub store: Arc<dyn Store>,
    pub limits: HoldLimits,
    pub incidents: IncidentReporter,
    pub clock: SharedClock,
}

impl HoldAlarm {
    /// Reports what is not known yet.
    async fn report(&self, problem: Problem) -> Result<(), StoreError> {
        let headline = problem.cause.headline();
        let latest = self.store.latest_incident(&problem.key()).await?;
        let is_known = latest.is_some_and(|latest| {
            let is_told = match &latest.closed {
                // A person who closed it knows what it says.
                Some(closed) => closed.by != SERVICE,
                None => latest.quiet_since.is_none(),
            };
            is_told && latest.content.headline == headline
        });
        if !is_known {
            self.incidents.report(problem);
        }
        Ok(())
    }

    /// Ends what is over.
    fn clear(&self, subject: Subject, area: Area, open: &[IncidentRecord]) {
        let about = subject.to_string();
        if open
            .iter()
            .any(|one| one.subject == about && one.area == area)
        {
            self.incidents.clear(subject, area, self.clock.now());
        }
    }

    async fn look_at_file(
        &self,
        import_id: &str,
        groups: &[OpenHolds],
        open: &[IncidentRecord],
    ) -> Result<(), StoreError> {
        let Some(import) = self.store.import(import_id).await? else {
            return Ok(());
        };
        let subject = Subject::Import(import_id.to_owned());
        let held = Held::sum(groups.iter().filter(|one| one.import_id == import_id));
        let Some(cause) = held.and_then(|held| self.limits.of_file(&import, &held)) else {
            self.clear(subject, Area::Held, open);
            return Ok(());
        };
        let problem = Problem {
            source: Some(import.new.source),
            import_id: Some(import_id.to_owned()),
            ..Problem::new(subject, cause, self.clock.now())
        };
        self.report(problem).await
    }
}

impl Job for HoldAlarm {
    type Error = StoreError;

    fn lease(&self) -> String {
        "hold alarm".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, StoreError> {
        let groups = self.store.open_holds_by_import().await?;
        let now = self.clock.now();
        let mut open = self.store.live_incidents(now).await?;
        open.retain(|one| matches!(one.area, Area::Held | Area::Waiting));
        let reported = open.iter().filter_map(|one| one.import_id.as_deref());
        let with_holds = groups.iter().map(|group| &*group.import_id);
        let mut imports: Vec<&str> = reported.chain(with_holds).collect();
        imports.sort_unstable();
        imports.dedup();
        for import_id in imports {
            self.look_at_file(import_id, &groups, &open).await?;
        }
        let waiting = Held::sum(&groups).and_then(|held| self.limits.of_all(&held, now));
        match waiting {
            Some(cause) => {
                let problem = Problem::new(Subject::Holds, cause, now);
                self.report(problem).await?;
            }
            None => self.clear(Subject::Holds, Area::Waiting, &open),
        }
        Ok(Pass::Idle(EVERY))
    }
}

#[cfg(test)]
mod tests {
    use ach::decision::HoldReason;
    use echeck_test_fixtures::now;

    use super::*;

    const LIMITS: HoldLimits = HoldLimits {
        count: 25,
        share_percent: 20,
        amount_minor: 1_000_000,
        age: TimeDelta::days(3),
    };

    fn group(reason: HoldReason, count: u64) -> OpenHolds {
        OpenHolds {
            import_id: "imp_1".into(),
            reason,
            count,
            amount_minor: 100 * i64::try_from(count).unwrap(),
            oldest_held_at: now(),
        }
    }

    #[test]
    fn groups_are_added_up_and_the_most_common_reason_is_named() {
        let groups = [
            group(HoldReason::AmountDiffers, 3),
            group(HoldReason::UnknownTransfer, 2),
            group(HoldReason::UnknownTransfer, 2),
        ];
        let held = Held::sum(&groups).unwrap();
        assert_eq!((held.count, held.amount_minor), (7, 700));
        assert_eq!(
            (&*held.reason, held.with_reason),
            ("unknown transfer", 4),
            "over several imports"
        );
        assert_eq!(Held::sum(&[]), None);
    }

    #[test]
    fn holds_are_too_many_by_money_or_by_age() {
        let held = |amount_minor| Held {
            amount_minor,
            ..Held::sum(&[group(HoldReason::UnknownTransfer, 1)]).unwrap()
        };
        let later = |days| now() + TimeDelta::days(days);
        assert_eq!(LIMITS.of_all(&held(999_999), later(2)), None);
        assert!(LIMITS.of_all(&held(1_000_000), later(2)).is_some());
        assert!(LIMITS.of_all(&held(1), later(3)).is_some());
    }
}
