//! What a process keeps to its owner: the files that it creates, and its memory.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// Makes what this process creates readable by its owner alone, and lets it leave no core dump:
/// its memory holds account numbers and keys. Call it first in `main`.
pub fn keep_to_owner() {
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    // It lowers a limit, which is always allowed.
    let _ = setrlimit(Resource::Core, none);
}
