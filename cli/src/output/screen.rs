//! What is at the other end of standard output and standard error: a terminal with its width and
//! colors, or a pipe.

use std::io;
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use terminal_size::{Height, Width, terminal_size_of};

/// The width of a terminal that does not say how wide it is.
const USUAL_WIDTH: usize = 80;

/// Less than this is no use for a table: text is laid out for this much, and the terminal wraps it.
const LEAST_WIDTH: usize = 20;

/// What a stream leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// How many columns a terminal has. `None` for a pipe or a file, where nothing is cut.
    pub(crate) width: Option<usize>,
    /// Whether there are colors: `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are
    /// obeyed.
    pub(crate) color: bool,
    /// Whether text that was written can be replaced in place.
    pub(crate) is_live: bool,
}

impl Screen {
    /// A pipe without colors.
    #[cfg(test)]
    pub(crate) const PIPE: Self = Self {
        width: None,
        color: false,
        is_live: false,
    };

    /// Where standard output leads to.
    pub(crate) fn of_stdout() -> Self {
        Self::of(&io::stdout())
    }

    /// Where standard error leads to.
    pub(crate) fn of_stderr() -> Self {
        Self::of(&io::stderr())
    }

    fn of(stream: &(impl RawStream + AsFd)) -> Self {
        let is_terminal = stream.is_terminal();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            width: is_terminal.then(|| width(stream)),
            color: AutoStream::choice(stream) != ColorChoice::Never && (!is_dumb || is_forced()),
            is_live: is_terminal && !is_dumb,
        }
    }

    /// The height of the terminal at standard output.
    pub(crate) fn height_of_stdout() -> Option<usize> {
        let (_, Height(rows)) = terminal_size_of(io::stdout())?;
        (rows > 0).then_some(rows.into())
    }
}

/// Whether the environment asks for colors wherever they go. A dumb terminal gets none without it:
/// `anstream` would color one whenever `CI` is set.
fn is_forced() -> bool {
    std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0")
}

/// What the terminal says, or else `COLUMNS`, or else what is usual.
fn width(stream: impl AsFd) -> usize {
    let said = terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns));
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = said.filter(|columns| *columns > 0).or_else(named);
    width.unwrap_or(USUAL_WIDTH).max(LEAST_WIDTH)
}
