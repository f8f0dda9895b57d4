//! The campaign: rounds of faults under load, each round on databases of its own; a quick look
//! after each fault, everything checked after every few, once the system has drained.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::check::{self, Coverage, DRAIN, Findings, Invariant};
use crate::fault::{self, Kind, Weights};
use crate::load::{Load, Way};
use crate::oracle::Expected;
use crate::rig::{Backend, Machines, Rig, Service};
use crate::seed::{Purpose, draws};
use crate::world::World;

/// When a drain takes longer, the system must be going in circles. A slow machine with much to do
/// takes long, too.
pub(crate) const LONGEST_DRAIN: Duration = DRAIN.saturating_mul(10);

/// How many looks must find no progress. One takes some 50 milliseconds where nothing else runs.
const LOOKS: u32 = 600;

/// Faults in a round. A round's databases stay small, so that everything can be read again.
pub const ROUND: u64 = 60;

/// Faults between two full checks, as a rule.
pub const STRETCH: u64 = 12;

/// The longest pause between two faults, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 420;

/// What a campaign is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where every choice comes from.
    pub seed: u64,
    /// How many faults.
    pub kills: u64,
    /// How many between two full checks.
    pub stretch: u64,
    /// The first round; later ones than 0 replay a part of a campaign.
    pub first_round: u64,
    /// Which databases.
    pub backend: Backend,
    /// Where the binaries are.
    pub binaries: PathBuf,
    /// How often each fault is drawn.
    pub weights: Weights,
    /// The way of every file, where it is not drawn.
    pub way: Option<Way>,
    /// More environment for every process.
    pub environment: Vec<(String, String)>,
    /// Keep the folder with databases and logs when something is wrong.
    pub keep: bool,
}

/// What a campaign came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Faults done.
    pub kills: u64,
    /// Faults done, by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// COMMITs whose answer was cut off.
    pub commits_cut: u64,
    /// Processes that ended by themselves and were started again.
    pub ended_by_themselves: u64,
    /// Files sent a second time.
    pub resent: u64,
    /// The longest time to drain.
    pub slowest_drain: Duration,
    /// What was checked and found.
    pub findings: Findings,
    /// What the campaign was about.
    pub coverage: Coverage,
    /// How long it took.
    pub took: Duration,
    /// The round and the fault at which the first violation was seen.
    pub failed_at: Option<(u64, u64)>,
    /// Where databases and logs were kept.
    pub kept: Option<PathBuf>,
}

/// Runs a campaign until it is over, or something is wrong.
///
/// # Errors
/// When the rig itself does not work.
pub async fn run(plan: &Plan, bar: &ProgressBar) -> Result<Outcome> {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    bar.set_message("starting the servers");
    let mut machines = Machines::start(plan.backend, &plan.binaries).await?;
    let mut round = plan.first_round;
    while outcome.kills < plan.kills && outcome.failed_at.is_none() {
        let kills = ROUND.min(plan.kills - outcome.kills);
        run_round(plan, &mut machines, round, kills, &mut outcome, bar).await?;
        round += 1;
    }
    if let Some(servers) = &machines.servers {
        outcome.commits_cut = servers.cutters.iter().map(|cutter| cutter.cuts()).sum();
    }
    if plan.keep {
        machines.keep();
        outcome.kept = Some(machines.folder().to_owned());
    }
    outcome.took = began.elapsed();
    Ok(outcome)
}

async fn run_round(
    plan: &Plan,
    machines: &mut Machines,
    round: u64,
    kills: u64,
    outcome: &mut Outcome,
    bar: &ProgressBar,
) -> Result<()> {
    let world = World::new(plan.seed, round);
    machines.log(&format!("round {round}"));
    let rig = Arc::new(Rig::start(machines, world, round, &plan.environment).await?);
    machines.log("started");
    let load = Load::new(rig.clone(), plan.seed, round, plan.way);
    let mut draws = draws(plan.seed, round, Purpose::Faults);
    let mut left = kills;
    while left > 0 && outcome.failed_at.is_none() {
        let stretch = plan.stretch.min(left);
        left -= stretch;
        let lanes = load.start();
        for _ in 0..stretch {
            one_fault(plan, machines, &rig, &mut draws, outcome).await?;
            bar.inc(1);
            bar.set_message(format!("round {round}"));
            if !outcome.findings.violations.is_empty() {
                outcome.failed_at = Some((round, outcome.kills));
                break;
            }
        }
        drain_and_check(machines, &rig, &load, lanes, outcome, left == 0).await?;
        if !outcome.findings.violations.is_empty() && outcome.failed_at.is_none() {
            outcome.failed_at = Some((round, outcome.kills));
        }
    }
    outcome.resent += load.resent();
    outcome.ended_by_themselves += Service::ALL
        .iter()
        .map(|service| rig.services.ended(*service))
        .sum::<u64>();
    drop(load);
    let rig = Arc::into_inner(rig).context("the rig is still in use")?;
    if outcome.failed_at.is_some() && plan.keep {
        // Left as it is, for a person to look at.
        rig.services.end();
        return Ok(());
    }
    rig.end(machines).await
}

async fn one_fault(
    plan: &Plan,
    machines: &mut Machines,
    rig: &Rig,
    draws: &mut StdRng,
    outcome: &mut Outcome,
) -> Result<()> {
    let pause = draws.random_range(0..LONGEST_PAUSE_MS);
    tokio::time::sleep(Duration::from_millis(pause)).await;
    let kind = fault::draw(draws, &plan.weights, machines.servers.is_some());
    let began = Instant::now();
    let did = fault::inflict(kind, draws, machines, rig).await?;
    machines.log(&format!(
        "fault {}: {did}, {} ms",
        outcome.kills + 1,
        began.elapsed().as_millis()
    ));
    outcome.kills += 1;
    rig.listener.stumble(outcome.kills);
    *outcome.faults.entry(kind).or_default() += 1;
    // Before the first adapter has started, its tables are not there to be looked at.
    if let Ok(mut findings) = check::quick(rig).await {
        for (_, what) in &mut findings.violations {
            *what = format!("after fault {} ({did}): {what}", outcome.kills);
        }
        outcome.findings.add(findings);
    }
    // The load goes on only if the files that it waits for do.
    let _unanswered = retry_parked(rig).await;
    Ok(())
}

async fn drain_and_check(
    machines: &Machines,
    rig: &Rig,
    load: &Load,
    lanes: Vec<tokio::task::JoinHandle<()>>,
    outcome: &mut Outcome,
    last: bool,
) -> Result<()> {
    let began = Instant::now();
    let stopped = retrying_parked(rig, load.stop(lanes, LONGEST_DRAIN)).await;
    let left = match stopped {
        Ok(()) => drained(rig).await,
        Err(error) => Err(error.to_string()),
    };
    let took = began.elapsed();
    outcome.slowest_drain = outcome.slowest_drain.max(took);
    let in_time = left.is_ok();
    let (mut findings, coverage) = check::full(rig, load).await?;
    machines.log(&format!(
        "drained in {} ms, checked in {} ms",
        took.as_millis(),
        (began.elapsed() - took).as_millis()
    ));
    if !in_time {
        // What is not finished is wrong in a hundred ways; only this must hold all the same.
        findings
            .violations
            .retain(|(invariant, _)| invariant.holds_at_any_time());
    }
    outcome.findings.add(findings);
    outcome.findings.expect(Invariant::Drained, in_time, || {
        format!(
            "no progress within {DRAIN:?}: {}; {}",
            left.err().unwrap_or_default(),
            last_error(rig)
        )
    });
    if last {
        outcome.coverage.add(coverage);
    }
    Ok(())
}

/// Waits until nothing is left to do. An error says what was left when nothing had changed for
/// [`DRAIN`] and for [`LOOKS`] looks, or after ten times as many. A look asks the databases for about
/// as much as the services do, so that a busy machine has more time.
///
/// The databases are read one after the other, and an exception goes back to the start of the
/// way; so only two looks in a row that find nothing, with the same end of the journal, count.
pub(crate) async fn drained(rig: &Rig) -> Result<(), String> {
    let mut quiet_at = None;
    let mut last = Unchanged {
        left: String::new(),
        since: Instant::now(),
        looks: 0,
    };
    let mut look = 0_u32;
    loop {
        look += 1;
        // If a database does not answer, the look below says so.
        let _unanswered = retry_parked(rig).await;
        let left = left_to_do(rig).await.unwrap_or_else(|error| {
            Left::Something(format!("a database does not answer: {error:#}"))
        });
        let left = match left {
            Left::Nothing { head } if quiet_at == Some(head) => return Ok(()),
            Left::Nothing { head } => {
                quiet_at = Some(head);
                continue;
            }
            Left::Something(left) => left,
        };
        quiet_at = None;
        if left != last.left {
            last = Unchanged {
                left,
                since: Instant::now(),
                looks: look,
            };
        } else if (last.since.elapsed() > DRAIN && look - last.looks > LOOKS)
            || look > LOOKS.saturating_mul(10)
        {
            return Err(left);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// What was left at several looks, one after the other.
struct Unchanged {
    left: String,
    since: Instant,
    /// How many looks came before it was so.
    looks: u32,
}

/// Does what a person does about imports that two kills in a row have parked: tries them again. No
/// machine is killed as often as the campaign does it.
async fn retry_parked(rig: &Rig) -> Result<()> {
    let retry = "UPDATE imports SET work_begun = 0 WHERE work_begun >= 2 \
                 AND phase IN ('checking', 'deciding') AND claimed_until < clock_timestamp()";
    rig.returns.run(retry).await.map(drop)
}

/// Does some work while [`retry_parked`] is done again and again.
async fn retrying_parked<T>(rig: &Rig, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        // A database that does not answer is met by the work as well.
        let _unanswered = retry_parked(rig).await;
    }
}

/// What the returns service complained of last.
fn last_error(rig: &Rig) -> String {
    let logs = rig.services.logs(Service::Returns);
    let complains = [
        "the import is stalled",
        "the run was stopped",
        "not where they belong",
    ];
    let last = logs
        .lines()
        .rfind(|line| complains.iter().any(|words| line.contains(words)));
    last.unwrap_or("no import complains").to_owned()
}

/// What a look at everything found.
enum Left {
    /// All work is done; the journal ends here.
    Nothing { head: u64 },
    /// What is still to be done.
    Something(String),
}

/// Looks along the way that work takes, so that what moves on meanwhile is met further down.
async fn left_to_do(rig: &Rig) -> Result<Left> {
    let (returns, yes) = (&rig.returns, rig.returns.yes());
    let mut waiting = Vec::new();
    for outbox in &rig.outboxes {
        waiting.extend(outbox.waiting()?);
    }
    let running = "SELECT COUNT(*) FROM job_runs WHERE ended_at IS NULL";
    let running = returns.number(running).await?;
    let open = "SELECT COUNT(*) FROM imports WHERE phase NOT IN ('applied', 'rejected')";
    let open = returns.number(open).await?;
    let unhandled = format!("SELECT COUNT(*) FROM follower_exceptions WHERE handled <> {yes}");
    let unhandled = returns.number(&unhandled).await?;
    let unready = "SELECT COUNT(*) FROM made_transfers m WHERE m.ready_at IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                       WHERE e.name = 'gateway' AND e.position = m.position) \
                   AND NOT EXISTS (SELECT 1 FROM journal s WHERE s.supersedes = m.position)";
    let unready = returns.number(unready).await?;
    let head = "SELECT position FROM journal_head";
    let head = returns.number(head).await?;
    let cursor = "SELECT COALESCE(MAX(position), 0) FROM echeck_cursor";
    let gateway = rig.gateway.number(cursor).await?;
    let mirror = rig.rallypay.number(cursor).await?;
    // What the service knows comes after what a database has, by one statement.
    let known_to =
        "SELECT COALESCE(MIN(position), 0) FROM followers WHERE name IN ('gateway', 'rallypay')";
    let known_to = returns.number(known_to).await?;
    // A busy service publishes a hold some time after it was held.
    let untold =
        "SELECT COUNT(*) FROM holds WHERE published_state IS NULL OR published_state <> state";
    let untold = returns.number(untold).await?;
    let (published_to, undelivered) = (
        returns.number("SELECT position FROM webhook_head").await?,
        returns
            .number(
                "SELECT COUNT(*) FROM webhook_deliveries d \
                 JOIN webhook_endpoints e USING (endpoint_id) \
                 WHERE d.state = 'pending' AND e.state = 'enabled'",
            )
            .await?,
    );
    // What is due later is waited for, and is no lack of progress: the seconds until then move on.
    let due = "SELECT COALESCE(CEIL(EXTRACT(EPOCH FROM MIN(d.next_attempt_at) - clock_timestamp())), 0)::bigint \
               FROM webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id) \
               WHERE d.state = 'pending' AND e.state = 'enabled' HAVING MIN(d.next_attempt_at) > clock_timestamp()";
    let due = returns
        .rows(due)
        .await?
        .into_iter()
        .flatten()
        .flatten()
        .next();
    let due = due.map_or_else(|| "now".to_owned(), |seconds| format!("in {seconds} s"));
    let owners = "SELECT COUNT(*) FROM webhook_endpoints WHERE owner_state = 'waiting'";
    let owners = returns.number(owners).await?;
    let files = format!("SELECT COUNT(*) FROM imports WHERE files_done <> {yes}");
    let files = returns.number(&files).await?;
    let counts = running + open + unhandled + unready + untold + undelivered + owners + files;
    let at_the_end = gateway == head && mirror == head && known_to == head && published_to == head;
    let all_but_holds = counts == 0 && waiting.is_empty() && at_the_end;
    // The oracle is asked last, and only then, since it reads every file again. A hold that was
    // resolved meanwhile has moved the journal's end, which the second look sees.
    let known = if all_but_holds {
        unresolved(rig).await?
    } else {
        0
    };
    if all_but_holds && known == 0 {
        return Ok(Left::Nothing { head });
    }
    Ok(Left::Something(format!(
        "{waiting:?} wait at the acquirer, {running} runs go on, {open} imports are open, {known} \
         holds wait for what is there, {unhandled} exceptions are unhandled, \
         {unready} reversals are not ready to settle; the journal ends at {head}, the gateway is at {gateway}, the mirror at {mirror}, \
         and the service knows up to {known_to}; {files} \
         imports are not archived and reported; rows up to {published_to} became events, {untold} holds have none, {undelivered} \
         deliveries are pending, the first of them due {due}, {owners} owners wait to be notified"
    )))
}

/// Holds that are tried again by themselves, and for which what they wait for is there. A payment
/// that the owner never records stays unknown for good, and a later stage that the rules do not
/// allow is never right.
async fn unresolved(rig: &Rig) -> Result<u64> {
    let rows = rig
        .returns
        .rows(
            "SELECT i.sha256, h.ordinal FROM holds h JOIN imports i ON i.import_id = h.import_id \
             WHERE h.state = 'open' \
             AND h.reason IN ('unknown_transfer', 'dishonored_return', 'contested_return')",
        )
        .await?;
    let files = rig.world.files();
    let expected = Expected::of(rig.world.policy, &files);
    let mut waiting = 0;
    for row in rows {
        let mut cells = row.into_iter().flatten();
        let (sha256, ordinal) = (cells.next(), cells.next());
        let sha256 = sha256.context("an import has no hash")?;
        let ordinal = ordinal.context("a hold has no line")?.parse()?;
        waiting += u64::from(!expected.waits_for_good(&sha256, ordinal));
    }
    Ok(waiting)
}
