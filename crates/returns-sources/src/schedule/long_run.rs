//! A run that is in progress past a due time. Two runs of a source never overlap, so the run that
//! would report that the file is missing waits for it: staff must be notified meanwhile.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use returns_model::incident::{Cause, LocalTime, Problem};
use returns_model::job::{NewRun, SourceState};
use returns_store::StoreError;

use super::arrival::arrivals;
use super::arrival_check::of_day;
use super::scheduler::Scheduler;

/// A run that is younger than this has only begun, and will say itself what it finds.
const YOUNG: TimeDelta = TimeDelta::seconds(30);

impl Scheduler {
    /// Reports, once for each due time, that a run is in its way and has not brought the file.
    pub(super) async fn report_long_run(
        &self,
        state: &SourceState,
        (waiting, running): (&NewRun, &str),
        now: DateTime<Utc>,
        reported: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        if reported.contains(&waiting.run_id) {
            return Ok(());
        }
        let store = &*self.store;
        let Some(run) = store.run(running).await? else {
            return Ok(());
        };
        if now - run.new.started_at < YOUNG {
            return Ok(());
        }
        let plan = self.plan(state);
        let arrivals = arrivals(store, state, plan.as_ref(), now).await?;
        let Some(day) = arrivals.iter().find(|day| day.is_missing()) else {
            return Ok(());
        };
        let cause = Cause::RunStillGoing {
            run_id: running.to_owned(),
            since: LocalTime {
                at: run.new.started_at,
                zone: day.expected.zone,
            },
            due: day.expected.due_here(),
        };
        let subject = of_day(&state.source, day.expected.day);
        self.incidents.report(Problem {
            source: Some(state.source.clone()),
            run_id: Some(running.to_owned()),
            next_try_at: self.next_run_at(state),
            ..Problem::new(subject, cause, now)
        });
        reported.insert(waiting.run_id.clone());
        Ok(())
    }
}
