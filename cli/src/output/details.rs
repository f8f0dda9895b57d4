//! What is known of one thing: a line for each fact, with its label.

use std::fmt::Display;
use std::io;

use super::text::{one_line, wrap};
use super::{Screen, Tone, out};

/// Columns of the labels.
const LABEL: usize = 20;

/// Facts with their labels.
#[derive(Default)]
pub(crate) struct Details(Vec<(String, String, Tone)>);

impl Details {
    /// No facts yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a fact, unless it is empty.
    pub(crate) fn add(&mut self, label: &str, fact: impl Display) {
        self.add_in(Tone::Plain, label, fact);
    }

    /// Adds a fact in a tone.
    pub(crate) fn add_in(&mut self, tone: Tone, label: &str, fact: impl Display) {
        let fact = one_line(&fact.to_string()).into_owned();
        if !fact.is_empty() {
            self.0.push((one_line(label).into_owned(), fact, tone));
        }
    }

    /// Prints them at the width of standard output.
    pub(crate) fn print(&self) -> io::Result<()> {
        let lines = self.lines(Screen::of_stdout());
        lines.iter().try_for_each(|line| writeln!(out(), "{line}"))
    }

    /// The lines for `screen`. A fact that is longer than a line goes on under its first word; where
    /// that leaves too little room, it stands under its label.
    fn lines(&self, screen: Screen) -> Vec<String> {
        let mut lines = Vec::new();
        for (label, fact, tone) in &self.0 {
            let indent = 2 + LABEL + 1;
            let room = screen
                .width
                .map_or(usize::MAX, |width| width.saturating_sub(indent));
            let mut wrapped = wrap(fact, room.max(20)).into_iter();
            let first = wrapped.next().unwrap_or_default();
            let label = Tone::Quiet.paint(&format!("{label:<LABEL$}"), screen);
            lines.push(format!("  {label} {}", tone.paint(&first, screen)));
            let more = wrapped.map(|line| tone.paint(&line, screen));
            lines.extend(more.map(|line| format!("{:indent$}{line}", "")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_fact_goes_on_under_its_first_word() {
        let mut details = Details::new();
        details.add("meaning", "the account has too little money for this debit");
        details.add("parent", "");
        let screen = Screen {
            width: Some(60),
            ..Screen::PIPE
        };
        assert_eq!(
            details.lines(screen),
            [
                "  meaning              the account has too little money for",
                "                       this debit"
            ]
        );
        assert_eq!(details.lines(Screen::PIPE).len(), 1);
    }
}
