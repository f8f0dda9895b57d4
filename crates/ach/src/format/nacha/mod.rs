//! NACHA files: records of 94 characters that say what came back from the network.
//!
//! Each addenda record 98 or 99 becomes one [`Entry`](crate::entry::Entry). What comes
//! from real banks deviates from the rule book in many small ways; what is only a matter of
//! form is read and reported as a finding, what could change money is refused unless the
//! source's [`Tolerance`] lets it pass.
//!
//! The layouts are those of the NACHA Operating Rules, Appendices 3 to 5. Positions count
//! from 1 and include both ends, as in the rules.

mod addenda;
mod batch;
mod controls;
mod corrected;
mod detail;
mod encoding;
mod entries;
mod findings;
mod lines;
mod opening;
mod reader;
mod record;
mod refusal;
mod state;
mod tolerance;
mod totals;

pub use reader::Reader;
pub use tolerance::Tolerance;
