//! The faults: what they are, how often each is drawn, and how each is done.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rustix::process::Signal;

use crate::rig::{Cut, LEASE_MS, Machines, Rig, Service, now};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// SIGKILL of one process.
    KillOne,
    /// SIGKILL of two to four processes at once.
    KillSeveral,
    /// SIGKILL of both copies of a service at once.
    KillBothCopies,
    /// SIGTERM of one process, as in a rolling restart.
    Terminate,
    /// SIGSTOP of one process for longer than the lease, then SIGCONT.
    Pause,
    /// Calls between the services lose their answers.
    LostReply,
    /// A connection is cut after its COMMIT was sent and before the answer.
    CutCommit,
    /// PostgreSQL stops at once (`pg_ctl -m immediate`) and recovers.
    PostgresImmediate,
    /// SIGKILL of PostgreSQL's postmaster.
    PostgresKill,
    /// SIGKILL of PostgreSQL's postmaster, and a synchronous standby takes over.
    PostgresFailover,
    /// SIGKILL of MariaDB.
    MariaDbKill,
}

impl Kind {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 11] = [
        Self::KillOne,
        Self::KillSeveral,
        Self::KillBothCopies,
        Self::Terminate,
        Self::Pause,
        Self::LostReply,
        Self::CutCommit,
        Self::PostgresImmediate,
        Self::PostgresKill,
        Self::PostgresFailover,
        Self::MariaDbKill,
    ];

    /// What it is, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillOne => "SIGKILL of one process",
            Self::KillSeveral => "SIGKILL of several processes",
            Self::KillBothCopies => "SIGKILL of both copies of a service",
            Self::Terminate => "SIGTERM of one process",
            Self::Pause => "SIGSTOP longer than the lease, SIGCONT",
            Self::LostReply => "connections between services cut",
            Self::CutCommit => "connection cut after COMMIT, before its answer",
            Self::PostgresImmediate => "PostgreSQL stopped with -m immediate",
            Self::PostgresKill => "SIGKILL of the postmaster",
            Self::PostgresFailover => "failover to a synchronous standby",
            Self::MariaDbKill => "SIGKILL of mariadbd",
        }
    }

    const fn needs_servers(self) -> bool {
        match self {
            Self::CutCommit
            | Self::PostgresImmediate
            | Self::PostgresKill
            | Self::PostgresFailover
            | Self::MariaDbKill => true,
            Self::KillOne
            | Self::KillSeveral
            | Self::KillBothCopies
            | Self::Terminate
            | Self::Pause
            | Self::LostReply => false,
        }
    }
}

/// How often each fault is drawn, of the sum of all.
pub type Weights = BTreeMap<Kind, u32>;

/// The usual mix.
#[must_use]
pub fn usual() -> Weights {
    BTreeMap::from([
        (Kind::KillOne, 36),
        (Kind::KillSeveral, 18),
        (Kind::KillBothCopies, 10),
        (Kind::Terminate, 3),
        (Kind::Pause, 8),
        (Kind::LostReply, 5),
        (Kind::CutCommit, 14),
        (Kind::PostgresImmediate, 3),
        (Kind::PostgresKill, 1),
        (Kind::PostgresFailover, 2),
        (Kind::MariaDbKill, 2),
    ])
}

/// Draws a fault that this backend can have.
pub fn draw(draws: &mut StdRng, weights: &Weights, has_servers: bool) -> Kind {
    let possible: Vec<(Kind, u32)> = weights
        .iter()
        .filter(|(kind, _)| has_servers || !kind.needs_servers())
        .map(|(kind, weight)| (*kind, *weight))
        .collect();
    let chosen = possible.choose_weighted(draws, |(_, weight)| *weight);
    chosen.map_or(Kind::KillOne, |(kind, _)| *kind)
}

/// Does it; gives what it was, for the log. Whatever was stopped runs again afterwards.
///
/// # Errors
/// When a server does not come up again, or a process cannot be signaled.
pub async fn inflict(
    kind: Kind,
    draws: &mut StdRng,
    machines: &mut Machines,
    rig: &Rig,
) -> Result<String> {
    let ids = rig.services.ids();
    match kind {
        Kind::KillOne => {
            let one = ids[draws.random_range(0..ids.len())];
            rig.services.kill(&[one])?;
            Ok(format!("SIGKILL {one:?}"))
        }
        Kind::KillSeveral => {
            let count = draws.random_range(2..=4);
            let several: Vec<_> = ids.sample(draws, count).copied().collect();
            rig.services.kill(&several)?;
            Ok(format!("SIGKILL {several:?}"))
        }
        Kind::KillBothCopies => {
            let service = Service::ALL[draws.random_range(0..Service::ALL.len())];
            rig.services.kill(&[(service, 0), (service, 1)])?;
            Ok(format!("SIGKILL both of {service:?}"))
        }
        Kind::Terminate => {
            let one = ids[draws.random_range(0..ids.len())];
            rig.services.signal(one, Signal::TERM)?;
            Ok(format!("SIGTERM {one:?}"))
        }
        Kind::Pause => {
            // The leases are the returns service's, so it is paused more often; and for so
            // long that the other replica has not only taken over but got somewhere.
            let one = match draws.random_range(0..8) {
                place @ 0..6 => ids[place % ids.len()],
                last => (Service::Returns, last % 2),
            };
            let pause_ms = draws.random_range(LEASE_MS * 2..LEASE_MS * 3);
            rig.services.signal(one, Signal::STOP)?;
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            rig.services.signal(one, Signal::CONT)?;
            Ok(format!("SIGSTOP {one:?} for {pause_ms} ms"))
        }
        Kind::LostReply => {
            let front = draws.random_range(0..rig.fronts.len());
            rig.fronts[front].cut();
            Ok(format!("cut the calls to adapter {front}"))
        }
        Kind::CutCommit
        | Kind::PostgresImmediate
        | Kind::PostgresKill
        | Kind::PostgresFailover
        | Kind::MariaDbKill => {
            let from = now();
            let did = match kind {
                Kind::CutCommit => cut_commit(draws, machines).await,
                _ => fell_server(kind, machines).await,
            };
            rig.upsets.note(from, now());
            did
        }
    }
}

/// Waits until a COMMIT went by, or until it is clear that none comes.
async fn cut_commit(draws: &mut StdRng, machines: &Machines) -> Result<String> {
    let Some(servers) = &machines.servers else {
        return Ok("no server".to_owned());
    };
    let which = draws.random_range(0..servers.cutters.len());
    let cutter = &servers.cutters[which];
    let how = [Cut::AfterAnswer, Cut::AtOnce][draws.random_range(0..2)];
    let (before, wanted) = (cutter.cuts(), draws.random_range(1..=2));
    cutter.arm(how, wanted);
    for _ in 0..60 {
        if cutter.cuts() >= before + wanted as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cutter.disarm();
    let cut = cutter.cuts() - before;
    Ok(format!("cut {cut} COMMITs of database {which}, {how:?}"))
}

async fn fell_server(kind: Kind, machines: &mut Machines) -> Result<String> {
    let Some(servers) = &mut machines.servers else {
        return Ok("no server".to_owned());
    };
    match kind {
        Kind::PostgresKill => {
            servers.postgres.kill()?;
            servers.postgres.up().await?;
        }
        Kind::PostgresFailover => servers.postgres.fail_over().await?,
        Kind::MariaDbKill => {
            servers.mariadb.kill()?;
            servers.mariadb.up().await?;
        }
        _ => {
            servers.postgres.stop_immediately()?;
            servers.postgres.up().await?;
        }
    }
    Ok(kind.name().to_owned())
}
