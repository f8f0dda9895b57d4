//! Ports for servers of tests, each given to one test at a time.

use std::fs::File;
use std::sync::Mutex;

/// The number of a port that no other test is given while this process lives.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn port() -> u16 {
    static TAKEN: Mutex<Vec<Port>> = Mutex::new(Vec::new());
    let port = Port::take();
    let number = port.number();
    TAKEN.lock().expect("no panic holds it").push(port);
    number
}

/// A port that no other test is given while this lives.
pub struct Port {
    number: u16,
    _lock: Option<File>,
}

impl Port {
    /// A free port below 32768: the system hands out the ports above for outgoing connections,
    /// so that one which was free a moment ago may be taken when a server binds it.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn take() -> Self {
        let folder = std::env::temp_dir().join("echeck-test-ports");
        std::fs::create_dir_all(&folder).expect("the folder of locks can be made");
        (28_000..32_000)
            .find_map(|number| {
                let lock = File::create(folder.join(number.to_string())).ok()?;
                lock.try_lock().ok()?;
                std::net::TcpListener::bind(("127.0.0.1", number)).ok()?;
                Some(Self {
                    number,
                    _lock: Some(lock),
                })
            })
            .expect("a port between 28000 and 32000 is free")
    }

    /// A port that somebody else looks after.
    #[must_use]
    pub fn given(number: u16) -> Self {
        Self {
            number,
            _lock: None,
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}
