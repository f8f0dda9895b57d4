//! The processes of the system under test: two copies of each service. Whatever dies is
//! started again, as any supervisor would.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;

use super::upsets::Upsets;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The returns service.
    Returns,
    /// The adapter of the gateway's database.
    Gateway,
    /// The adapter of the Rails app's database.
    RallyPay,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Returns, Self::Gateway, Self::RallyPay];

    /// The name of its binary.
    #[must_use]
    pub const fn binary(self) -> &'static str {
        match self {
            Self::Returns => "returns-service",
            Self::Gateway => "gateway-adapter",
            Self::RallyPay => "rallypay-adapter",
        }
    }
}

/// One copy of a service: which, and its number.
pub type CopyId = (Service, usize);

struct ServiceCopy {
    id: CopyId,
    config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    environment: Vec<(String, String)>,
    /// Only for the next start.
    once: Vec<(String, String)>,
    /// How often it ended by itself: an error, an abort.
    ended: u64,
}

/// The processes.
pub struct Services {
    folder: PathBuf,
    copies: Mutex<Vec<ServiceCopy>>,
    upsets: Arc<Upsets>,
}

impl Services {
    /// Processes whose binaries are in `folder`; none is started yet.
    #[must_use]
    pub fn new(folder: &Path, upsets: Arc<Upsets>) -> Self {
        Self {
            folder: folder.to_owned(),
            copies: Mutex::default(),
            upsets,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<ServiceCopy>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a copy and starts it.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn add(
        &self,
        id: CopyId,
        config: PathBuf,
        environment: Vec<(String, String)>,
    ) -> Result<()> {
        let mut copy = ServiceCopy {
            id,
            log: config.with_extension("log"),
            config,
            child: None,
            environment,
            once: Vec::new(),
            ended: 0,
        };
        copy.start(&self.folder)?;
        self.lock().push(copy);
        Ok(())
    }

    /// Every copy.
    #[must_use]
    pub fn ids(&self) -> Vec<CopyId> {
        self.lock().iter().map(|copy| copy.id).collect()
    }

    /// SIGKILL, and a new start at once.
    ///
    /// # Errors
    /// When a process cannot be killed or started.
    pub fn kill(&self, ids: &[CopyId]) -> Result<()> {
        let mut copies = self.lock();
        let mut hit: Vec<&mut ServiceCopy> = copies
            .iter_mut()
            .filter(|copy| ids.contains(&copy.id))
            .collect();
        // All die before the first is back.
        for copy in &mut hit {
            copy.kill()?;
            self.note(copy.id);
        }
        for copy in hit {
            copy.start(&self.folder)?;
        }
        Ok(())
    }

    /// SIGKILL, and a new start with more environment, which the start after it lacks again.
    ///
    /// # Errors
    /// When a process cannot be killed or started.
    pub fn restart_with(&self, service: Service, once: &[(String, String)]) -> Result<()> {
        let mut copies = self.lock();
        for copy in copies.iter_mut().filter(|copy| copy.id.0 == service) {
            copy.kill()?;
            self.note(copy.id);
            copy.once = once.to_vec();
            copy.start(&self.folder)?;
        }
        Ok(())
    }

    /// SIGSTOP or SIGCONT or SIGTERM. A process that has ended meanwhile is passed over.
    ///
    /// # Errors
    /// When the process cannot be signaled.
    pub fn signal(&self, id: CopyId, signal: Signal) -> Result<()> {
        let mut copies = self.lock();
        let Some(copy) = copies.iter_mut().find(|copy| copy.id == id) else {
            return Ok(());
        };
        if let Some(child) = &mut copy.child
            && child.try_wait()?.is_none()
        {
            kill_process(Pid::from_child(child), signal)?;
        }
        self.note(id);
        Ok(())
    }

    fn note(&self, id: CopyId) {
        if id.0 == Service::Returns {
            self.upsets.note_now();
        }
    }

    /// How often a copy of the service ended by itself.
    #[must_use]
    pub fn ended(&self, service: Service) -> u64 {
        let copies = self.lock();
        let of_service = copies.iter().filter(|copy| copy.id.0 == service);
        of_service.map(|copy| copy.ended).sum()
    }

    /// What the copies of a service logged, one after the other.
    #[must_use]
    pub fn logs(&self, service: Service) -> String {
        let copies = self.lock();
        let of_service = copies.iter().filter(|copy| copy.id.0 == service);
        of_service
            .map(|copy| std::fs::read_to_string(&copy.log).unwrap_or_default())
            .collect()
    }

    fn restart_ended(&self) -> Result<()> {
        for copy in self.lock().iter_mut() {
            let ended = match &mut copy.child {
                Some(child) => child.try_wait()?.is_some(),
                None => false,
            };
            if ended {
                self.note(copy.id);
                copy.ended += 1;
                copy.start(&self.folder)?;
            }
        }
        Ok(())
    }

    /// Kills everything for good.
    pub fn end(&self) {
        for copy in self.lock().iter_mut() {
            // One that has ended already is as good.
            let _ = copy.kill();
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts again what ended by itself, until the task is aborted.
pub(super) fn supervise(services: Arc<Services>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(40)).await;
            // A start that fails now is tried again.
            let _ = services.restart_ended();
        }
    })
}

impl ServiceCopy {
    fn start(&mut self, folder: &Path) -> Result<()> {
        let binary = folder.join(self.id.0.binary());
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let child = Command::new(&binary)
            .arg("--config")
            .arg(&self.config)
            .envs(self.environment.iter().cloned())
            .envs(self.once.drain(..))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        self.child = Some(child);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}
