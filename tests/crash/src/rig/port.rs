//! Ports for our processes, each given to one campaign at a time.

use std::fs::File;

use anyhow::{Result, bail};

/// Ports that nobody else is given while this lives.
#[derive(Default)]
pub(super) struct Ports {
    /// For as long as the campaign runs.
    kept: Vec<File>,
    /// For this round.
    lent: Vec<File>,
}

impl Ports {
    /// A port below 32768: the system hands out the ports above for outgoing connections, so
    /// that one which was free a moment ago may be taken when a process binds it.
    ///
    /// # Errors
    /// When no port is free.
    pub(super) fn take(&mut self) -> Result<u16> {
        let folder = std::env::temp_dir().join("echeck-test-ports");
        std::fs::create_dir_all(&folder)?;
        for port in 24_000..28_000 {
            let lock = File::create(folder.join(port.to_string()))?;
            if lock.try_lock().is_ok() && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                self.lent.push(lock);
                return Ok(port);
            }
        }
        bail!("no port is free between 24000 and 28000")
    }

    /// Keeps the ports taken so far for good.
    pub(super) fn keep(&mut self) {
        self.kept.append(&mut self.lent);
    }

    /// Gives back the ports that were taken since.
    pub(super) fn give_back(&mut self) {
        self.lent.clear();
    }
}
