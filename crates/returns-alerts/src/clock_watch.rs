//! The machine's clock is compared with every server that tells its time, again and again. A wrong one
//! judges due times wrongly, and makes other servers refuse what it signs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::clock::{Clocks, ToldTime};
use echeck_service::machine::is_in_url;
use futures_util::future::join_all;
use returns_model::check::{Check, CheckResult};
use returns_model::incident::{Area, Cause, Problem, Subject, WrongClock};
use returns_store::{Store, sleep};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::IncidentReporter;
use crate::diagnosis::{PATIENCE, Probe, timed};

/// Clocks that differ by more than this are not both right.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(60);

/// How often they are compared.
const EVERY: Duration = Duration::from_secs(5);

/// After how long a server that says nothing is left out. What a server told of its time counts for
/// ten minutes.
const LEFT_OUT_AFTER: Duration = Duration::from_secs(15 * 60);

/// How soon they are compared for the first time: the services that tell their time may start at the
/// same moment.
const FIRST: Duration = Duration::from_secs(2);

/// What a server's clock shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReading {
    /// The name of the server, as in "the clock of the bucket".
    pub name: String,
    pub at: DateTime<Utc>,
    /// Whether that is this machine's clock again, which proves nothing where others can be asked.
    pub is_this_machine: bool,
}

/// Servers that tell their time.
#[async_trait]
pub trait ClockReference: Send + Sync + 'static {
    /// What their clocks show now, as far as they say.
    async fn read(&self) -> Vec<ClockReading>;
}

/// A server that told its time with its last answer.
pub struct LastAnswer {
    pub name: String,
    pub told: ToldTime,
}

#[async_trait]
impl ClockReference for LastAnswer {
    async fn read(&self) -> Vec<ClockReading> {
        let told = self.told.now();
        let reading = told.map(|at| ClockReading {
            name: self.name.clone(),
            at,
            is_this_machine: is_in_url(&self.name),
        });
        reading.into_iter().collect()
    }
}

/// The server of the returns database.
pub struct StoreClock {
    pub store: Arc<dyn Store>,
    pub is_this_machine: bool,
}

#[async_trait]
impl ClockReference for StoreClock {
    async fn read(&self) -> Vec<ClockReading> {
        let at = self.store.database_time().await.ok().flatten();
        let reading = at.map(|at| ClockReading {
            name: "the returns database".to_owned(),
            at,
            is_this_machine: self.is_this_machine,
        });
        reading.into_iter().collect()
    }
}

/// Compares the clocks.
pub struct ClockWatch {
    pub clocks: Clocks,
    pub references: Vec<Arc<dyn ClockReference>>,
    pub incidents: IncidentReporter,
    /// The servers whose clocks differed when they were read last, and when that was.
    pub differing: Mutex<BTreeMap<String, Instant>>,
}

/// By how much this machine's clock is ahead of another.
type Ahead = (String, TimeDelta);

impl ClockWatch {
    /// Runs until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        sleep(FIRST, &stop).await;
        while !stop.is_cancelled() {
            let differences = tokio::select! {
                differences = self.compare() => differences,
                () = stop.cancelled() => return,
            };
            self.tell(&differences);
            sleep(EVERY, &stop).await;
        }
    }

    /// Reports a clock that is wrong, and that all are right again: those that differed must have
    /// said so, and not only be silent. One that says nothing for long, such as a channel that has
    /// nothing to deliver, is left out: others agree.
    fn tell(&self, differences: &[Ahead]) {
        let now = self.clocks.work.now();
        let mut differing = self
            .differing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, ahead) in differences {
            if differs(*ahead) {
                differing.insert(name.clone(), Instant::now());
            } else {
                differing.remove(name);
            }
        }
        differing.retain(|_, read_at| read_at.elapsed() < LEFT_OUT_AFTER);
        if let Some(cause) = judge(differences) {
            self.incidents
                .report(Problem::new(Subject::Machine, cause, now));
        } else if differing.is_empty() && !differences.is_empty() {
            self.incidents.clear(Subject::Machine, Area::Clock, now);
        }
    }

    /// Asks everybody at once. Who does not answer in time tells no time.
    async fn compare(&self) -> Vec<Ahead> {
        let asked = self.references.iter().map(|reference| async {
            let read = tokio::time::timeout(PATIENCE, reference.read()).await;
            let now = self.clocks.machine.now();
            let read = read.unwrap_or_default().into_iter();
            read.map(|read| (read.is_this_machine, (read.name, now - read.at)))
                .collect::<Vec<_>>()
        });
        let read = join_all(asked).await.concat();
        let others = read.iter().any(|(is_this_machine, _)| !is_this_machine);
        let counted = read
            .into_iter()
            .filter(|(is_this_machine, _)| !(others && *is_this_machine));
        counted.map(|(_, ahead)| ahead).collect()
    }
}

#[async_trait]
impl Probe for ClockWatch {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        let check = timed("clock", "this machine".to_owned(), async {
            let differences = self.compare().await;
            match (judge(&differences), differences.len()) {
                (Some(cause), _) => CheckResult::Failed(cause),
                (None, 0) => CheckResult::Skipped("no server tells its time".to_owned()),
                (None, count) => CheckResult::Passed(format!("agrees with {count} others")),
            }
        });
        vec![check.await]
    }
}

fn differs(ahead: TimeDelta) -> bool {
    ahead.abs() > CLOCKS_DIFFER
}

/// Whose clock is wrong, by what most of them show.
fn judge(differences: &[Ahead]) -> Option<Cause> {
    let (wrong, right): (Vec<&Ahead>, Vec<&Ahead>) =
        differences.iter().partition(|(_, ahead)| differs(*ahead));
    let (first, by) = wrong.first()?;
    let agree = wrong.iter().all(|(_, other)| !differs(*other - *by));
    let names: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    let (whose, against) = if agree && wrong.len() > right.len().max(1) {
        (WrongClock::Ours, those_of(&names))
    } else if right.len() > wrong.len() {
        (WrongClock::Theirs, first.clone())
    } else {
        (WrongClock::Unknown, first.clone())
    };
    Some(Cause::ClockWrong {
        whose,
        by_seconds: by.num_seconds(),
        against,
    })
}

/// `those of a, b and c`.
fn those_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("that of {one}"),
        [first @ .., last] => format!("those of {} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;

    fn headline(seconds: &[(&str, i64)]) -> Option<String> {
        let ahead =
            |(name, seconds): &(&str, i64)| ((*name).to_owned(), TimeDelta::seconds(*seconds));
        let differences: Vec<Ahead> = seconds.iter().map(ahead).collect();
        judge(&differences).map(|cause| cause.headline())
    }

    #[test]
    fn a_server_that_differed_and_says_nothing_more_does_not_keep_the_incident_open() {
        let (incidents, mut signals) = IncidentReporter::new();
        let watch = ClockWatch {
            clocks: Clocks::of_machine(),
            references: Vec::new(),
            incidents,
            differing: Mutex::default(),
        };
        let ahead = |name: &str, seconds| (name.to_owned(), TimeDelta::seconds(seconds));
        watch.tell(&[ahead("hooks.example", 95), ahead("the bucket", 95)]);
        assert!(matches!(signals.try_recv(), Ok(Signal::Problem(_))));
        watch.tell(&[ahead("the bucket", 0)]);
        assert!(signals.try_recv().is_err(), "the other has not said so");
        let long_ago = Instant::now().checked_sub(LEFT_OUT_AFTER).unwrap();
        let of_hooks = "hooks.example".to_owned();
        watch.differing.lock().unwrap().insert(of_hooks, long_ago);
        watch.tell(&[]);
        assert!(signals.try_recv().is_err(), "nobody says that it is right");
        watch.tell(&[ahead("the bucket", 0)]);
        assert!(matches!(signals.try_recv(), Ok(Signal::Clear { .. })));
    }

    #[test]
    fn the_clock_that_differs_from_the_others_is_the_wrong_one() {
        assert_eq!(headline(&[]), None);
        assert_eq!(headline(&[("the bucket", 59), ("x", -60)]), None);
        assert_eq!(
            headline(&[("the bucket", 95), ("x", 94), ("y", 96)]).unwrap(),
            "The clock of this machine is wrong: it is 95 s ahead of those of the bucket, x and y."
        );
        assert_eq!(
            headline(&[("the bucket", 0), ("y", 1), ("x", -300)]).unwrap(),
            "The clock of x is wrong: ours is 300 s behind it, and agrees with the others."
        );
        assert_eq!(
            headline(&[("the bucket", 95)]).unwrap(),
            "Two clocks differ, and either may be wrong: this machine's is 95 s ahead of that of \
             the bucket."
        );
        for nobody_agrees in [&[("x", 95), ("y", 0)][..], &[("x", 95), ("y", -300)]] {
            let told = headline(nobody_agrees).unwrap();
            assert!(told.starts_with("Two clocks differ"), "{told}");
        }
    }
}
