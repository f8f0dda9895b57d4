//! The failpoint matrix: at every boundary that matters, in each process, an abort, an error
//! and a delay longer than the lease; each under a small import, with every invariant checked
//! after it. Where kills are random, this is not: no window is too narrow to be hit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;

use crate::campaign::{LONGEST_DRAIN, Plan, drained};
use crate::check::{self, Findings, Invariant};
use crate::load::{Load, Way};
use crate::rig::{LEASE_MS, Machines, Rig, Service, now};
use crate::world::World;

/// Where the returns service can be made to fail.
const RETURNS: [&str; 26] = [
    "receive::before_record",
    "receive::after_record",
    "import::before_check",
    "import::before_verdict",
    "import::after_verdict",
    "import::before_decide",
    "import::before_append",
    "import::after_append",
    "append::after_lock",
    "append::after_progress",
    "append::after_rows",
    "append::before_commit",
    "append::after_commit",
    "feed::after_cursor_read",
    "feed::before_exceptions",
    "feed::before_apply",
    "feed::after_apply",
    "feed::before_finish",
    "feed::after_finish",
    "progress::before_record",
    "progress::after_record",
    "exception::before_decide",
    "exception::before_append",
    "hold::before_retry",
    "settle::before_append",
    "settle::after_append",
];

/// Where the returns service can be made to fail, at the rarer points.
const RARE: [&str; 1] = ["hold::before_append"];

/// Where a run can be made to fail: the file lies at the acquirer, is taken, is archived.
const JOB: [&str; 6] = [
    "job::before_fetch",
    "job::after_fetch",
    "job::after_record",
    "job::after_taken",
    "job::before_archive_remote",
    "job::after_archive_remote",
];

/// Where archiving and reporting can be made to fail.
const BUCKET: [&str; 9] = [
    "archive::before_put",
    "archive::after_put",
    "archive::after_record",
    "report::before_put",
    "report::after_put",
    "report::after_verify",
    "report::after_record",
    "archive::before_spool_delete",
    "archive::after_spool_delete",
];

/// Where notifying platforms can be made to fail.
const WEBHOOKS: [&str; 5] = [
    "events::before_record",
    "events::after_record",
    "webhook::before_post",
    "webhook::after_post",
    "webhook::before_record",
];

/// Where notifying the owner of a disabled endpoint can be made to fail.
const OWNERS: [&str; 3] = [
    "webhook::before_notifying",
    "webhook::before_mail",
    "webhook::after_mail",
];

/// Where an adapter can be made to fail.
const ADAPTER: [&str; 7] = [
    "cursor::before_read",
    "apply::before_begin",
    "apply::after_cursor_read",
    "apply::after_cursor_moved",
    "apply::after_rows",
    "apply::before_commit",
    "apply::after_commit",
];

/// Where only the adapter of the system of record can.
const LOOKUP: [&str; 1] = ["lookup::before_read"];

/// Cases on one set of databases.
const CASES_IN_ROUND: usize = 20;

/// The first round of the matrix: its worlds are none of the campaign's.
const FIRST_ROUND: u64 = 1_000_000;

/// Files sent until a point was hit.
const MOST_FILES: usize = 8;

/// What a failpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Action {
    /// The process dies there.
    Abort,
    /// What it was doing there fails.
    Error,
    /// It stops there for longer than its leases last.
    Delay,
}

impl Action {
    const ALL: [Self; 3] = [Self::Abort, Self::Error, Self::Delay];

    /// In the words of `FAILPOINTS`: once in each process.
    fn setting(self, point: &str) -> String {
        match self {
            Self::Abort => format!("{point}=1*return(abort)"),
            Self::Error => format!("{point}=1*return(error)"),
            Self::Delay => format!("{point}=1*return({})", LEASE_MS * 2),
        }
    }
}

/// One cell of the matrix.
#[derive(Debug, Clone, Copy)]
struct Case {
    service: Service,
    point: &'static str,
    action: Action,
    /// How the files come, where that matters.
    ways: &'static [Way],
}

/// What the matrix came to.
#[derive(Debug, Default)]
pub struct MatrixOutcome {
    /// Cells run.
    pub cases: usize,
    /// Cells whose point was never reached, which proves nothing.
    pub missed: Vec<String>,
    /// What was checked and found.
    pub findings: Findings,
    /// How long it took.
    pub took: Duration,
}

/// How files come that are to reach a point of a run: to a folder whose files are moved and to
/// one whose files are deleted.
const BOTH_FOLDERS: [Way; 2] = [Way::Landed(0), Way::Landed(1)];

/// How files come that are to reach a point which a run waits for: only a deleted one can be
/// lost for good.
const DELETING: [Way; 1] = [Way::Landed(1)];

fn cases_of(service: Service) -> Vec<Case> {
    let points: Vec<(&[&'static str], &'static [Way])> = match service {
        Service::Returns => vec![
            (&JOB, &BOTH_FOLDERS),
            (&BUCKET, &DELETING),
            (&WEBHOOKS, &[Way::Called]),
            (&OWNERS, &[Way::Called]),
            (&RETURNS, &[Way::Called]),
            (&RARE, &[Way::Called]),
        ],
        Service::Gateway => vec![(&ADAPTER, &[]), (&LOOKUP, &[])],
        Service::RallyPay => vec![(&ADAPTER, &[])],
    };
    let mut cases = Vec::new();
    for (points, ways) in points {
        for point in points {
            cases.extend(Action::ALL.map(|action| Case {
                service,
                point,
                action,
                ways,
            }));
        }
    }
    cases
}

/// Cells that are run at the same time: at most one for each service.
fn groups(only: Option<Action>) -> Vec<Vec<Case>> {
    let is_asked = |case: &Case| only.is_none_or(|action| case.action == action);
    let mut queues = Service::ALL.map(|service| cases_of(service).into_iter().filter(is_asked));
    let mut groups = Vec::new();
    loop {
        let group: Vec<Case> = queues.iter_mut().filter_map(Iterator::next).collect();
        if group.is_empty() {
            return groups;
        }
        groups.push(group);
    }
}

/// How many groups of cells the matrix has, with one action only or with all.
#[must_use]
pub fn length(only: Option<Action>) -> u64 {
    groups(only).len() as u64
}

/// Runs the matrix, with one action only or with all.
///
/// # Errors
/// When the rig itself does not work.
pub async fn run(plan: &Plan, only: Option<Action>, bar: &ProgressBar) -> Result<MatrixOutcome> {
    let began = Instant::now();
    let mut outcome = MatrixOutcome::default();
    let mut machines = Machines::start(plan.backend, &plan.binaries).await?;
    let groups = groups(only);
    for (round, groups) in (FIRST_ROUND..).zip(groups.chunks(CASES_IN_ROUND)) {
        let world = World::new(plan.seed, round);
        let rig = Arc::new(Rig::start(&mut machines, world, round, &[]).await?);
        let load = Load::new(rig.clone(), plan.seed, round, plan.way);
        for group in groups {
            machines.log(&format!("{group:?}"));
            run_group(group, &rig, &load, &mut outcome).await?;
            outcome.cases += group.len();
            bar.inc(1);
            if !outcome.findings.violations.is_empty() {
                break;
            }
        }
        drop(load);
        let rig = Arc::into_inner(rig).context("the rig is still in use")?;
        if !outcome.findings.violations.is_empty() {
            rig.services.end();
            break;
        }
        rig.end(&mut machines).await?;
    }
    if plan.keep {
        machines.keep();
    }
    outcome.took = began.elapsed();
    Ok(outcome)
}

async fn run_group(
    group: &[Case],
    rig: &Arc<Rig>,
    load: &Arc<Load>,
    outcome: &mut MatrixOutcome,
) -> Result<()> {
    let before: Vec<usize> = group.iter().map(|case| hits(rig, *case)).collect();
    for case in group {
        let setting = case.action.setting(case.point);
        let environment = [("FAILPOINTS".to_owned(), setting)];
        rig.services.restart_with(case.service, &environment)?;
    }
    let mut missed = Vec::new();
    let began = now();
    let ways = group.iter().map(|case| case.ways);
    let ways = ways.max_by_key(|ways| ways.len()).unwrap_or_default();
    for _ in 0..MOST_FILES {
        if group.iter().any(|case| OWNERS.contains(&case.point)) {
            rig.listener.enable_gone(&rig.urls[0]).await?;
        }
        for way in ways {
            load.send_by(*way, 20..32).await;
        }
        load.stop(Vec::new(), LONGEST_DRAIN).await?;
        let left = drained(rig).await;
        // Somewhere in between a returns service may have been delayed or got an error.
        rig.upsets.note(began, now());
        let in_time = left.is_ok();
        outcome.findings.expect(Invariant::Drained, in_time, || {
            format!("{group:?}: {}", left.err().unwrap_or_default())
        });
        if !in_time {
            return Ok(());
        }
        missed = group
            .iter()
            .zip(&before)
            .filter(|(case, before)| hits(rig, **case) == **before)
            .map(|(case, _)| format!("{case:?}"))
            .collect();
        if missed.is_empty() {
            break;
        }
    }
    outcome.missed.append(&mut missed);
    let (mut findings, _) = check::full(rig, load).await?;
    for (_, what) in &mut findings.violations {
        *what = format!("{group:?}: {what}");
    }
    outcome.findings.add(findings);
    Ok(())
}

/// How often the point was hit so far, by the logs of the service.
fn hits(rig: &Rig, case: Case) -> usize {
    let quoted = format!("\"{}\"", case.point);
    rig.services
        .logs(case.service)
        .lines()
        .filter(|line| line.contains("a failpoint was hit") && line.contains(&quoted))
        .count()
}
