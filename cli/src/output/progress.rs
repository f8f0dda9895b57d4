//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Screen, grouped, note};

/// How often a bar moves while nothing is known to have happened.
const TICK: Duration = Duration::from_millis(120);

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Bytes.
    Bytes,
    /// Things of this name, in the plural.
    Things(&'static str),
    /// Nobody knows how much there is to do.
    Nothing,
}

/// The progress of something that takes a while.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    shown: Shown,
    counts: Counts,
}

#[derive(Debug, Clone)]
enum Shown {
    Nowhere,
    /// A bar, drawn once there is something to show.
    Bar(Option<ProgressBar>),
    Lines {
        what: String,
        tenth: u64,
    },
}

impl Progress {
    /// Progress counted in bytes.
    pub(crate) fn of_bytes(hidden: bool) -> Self {
        Self::new(hidden, Counts::Bytes)
    }

    /// Progress counted in things of this name, in the plural.
    pub(crate) fn of_things(hidden: bool, things: &'static str) -> Self {
        Self::new(hidden, Counts::Things(things))
    }

    /// Progress of something of which nobody knows how long it takes.
    pub(crate) fn of_something(hidden: bool) -> Self {
        Self::new(hidden, Counts::Nothing)
    }

    fn new(hidden: bool, counts: Counts) -> Self {
        let shown = match (hidden, Screen::of_stderr().is_live) {
            (true, _) => Shown::Nowhere,
            (false, true) => Shown::Bar(None),
            (false, false) => Shown::Lines {
                what: String::new(),
                tenth: 0,
            },
        };
        Self { shown, counts }
    }

    /// Says that `what` has come to `done` of `all`; `all` is 0 where nobody knows how many there
    /// are. Lines come when something else is done, and with every tenth of it.
    pub(crate) fn set(&mut self, what: &str, done: u64, all: u64) {
        let counts = self.counts;
        match &mut self.shown {
            Shown::Nowhere => {}
            Shown::Bar(drawn) => {
                let bar = drawn.get_or_insert_with(|| bar(counts, what));
                bar.set_message(what.to_owned());
                bar.set_length(all);
                bar.set_position(done);
            }
            Shown::Lines {
                what: last,
                tenth: last_tenth,
            } => {
                let tenth = (done.saturating_mul(10)).checked_div(all).unwrap_or(0);
                if last == what && tenth <= *last_tenth {
                    return;
                }
                note(&line(counts, what, done, all));
                what.clone_into(last);
                *last_tenth = tenth;
            }
        }
    }

    /// Says something above the bar, or where there is none.
    pub(crate) fn say(&self, text: &str) {
        match &self.shown {
            Shown::Bar(Some(bar)) => bar.suspend(|| note(text)),
            Shown::Bar(None) | Shown::Nowhere | Shown::Lines { .. } => note(text),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Shown::Bar(Some(bar)) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// A bar, or where nobody knows how much there is to do, a spinner.
fn bar(counts: Counts, what: &str) -> ProgressBar {
    let template = match counts {
        Counts::Bytes => "{msg:10!} [{wide_bar}] {bytes}/{total_bytes}".to_owned(),
        Counts::Things(things) => {
            format!("{{msg:10!}} [{{wide_bar}}] {{human_pos}}/{{human_len}} {things}")
        }
        Counts::Nothing => "{spinner} {wide_msg}".to_owned(),
    };
    let bar = ProgressBar::new(0).with_message(what.to_owned());
    let bar = match ProgressStyle::with_template(&template) {
        Ok(style) if counts == Counts::Nothing => bar.with_style(style),
        Ok(style) => bar.with_style(style.progress_chars("#>-")),
        Err(_) => bar,
    };
    bar.enable_steady_tick(TICK);
    bar
}

fn line(counts: Counts, what: &str, done: u64, all: u64) -> String {
    let unit = match counts {
        Counts::Bytes => "bytes",
        Counts::Things(things) => things,
        Counts::Nothing => return what.to_owned(),
    };
    match all {
        0 => what.to_owned(),
        all => format!("{what}: {} of {} {unit}", grouped(done), grouped(all)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_how_much_of_it() {
        let things = Counts::Things("entries");
        assert_eq!(
            line(things, "deciding", 1_200, 5_000),
            "deciding: 1,200 of 5,000 entries"
        );
        assert_eq!(line(Counts::Bytes, "sending", 0, 0), "sending");
    }

    #[test]
    fn lines_come_with_every_tenth_and_not_with_every_step() {
        let mut progress = Progress {
            shown: Shown::Lines {
                what: String::new(),
                tenth: 0,
            },
            counts: Counts::Things("entries"),
        };
        let mut said = Vec::new();
        for done in 0..=1_000 {
            progress.set("deciding", done, 1_000);
            let Shown::Lines { tenth, .. } = &progress.shown else {
                unreachable!();
            };
            said.push(*tenth);
        }
        said.dedup();
        assert_eq!(said, (0..=10).collect::<Vec<_>>());
    }
}
