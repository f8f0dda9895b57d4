//! Exit codes.

/// The command is done.
pub(crate) const OK: u8 = 0;
/// The command failed.
pub(crate) const FAILED: u8 = 1;
/// It is done, and something needs a person: holds, or lines that could not be read.
pub(crate) const NEEDS_ATTENTION: u8 = 2;
/// The file was rejected.
pub(crate) const REJECTED: u8 = 3;
/// What was asked for does not exist.
pub(crate) const NOT_FOUND: u8 = 4;
/// The deadline passed.
pub(crate) const DEADLINE: u8 = 5;
/// The journal is not sound.
pub(crate) const NOT_SOUND: u8 = 6;
/// Something that the job needs is unavailable.
pub(crate) const UNHEALTHY: u8 = 7;
/// A command line that cannot be understood: `EX_USAGE` of sysexits.h, which no outcome has.
pub(crate) const USAGE: u8 = 64;
/// The command was interrupted: 128 and the number of SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Done when everything is well, or else `otherwise`.
pub(crate) fn ok_if(well: bool, otherwise: u8) -> u8 {
    if well { OK } else { otherwise }
}
