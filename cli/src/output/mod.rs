//! Writing to the terminal: the one place that prints.
//!
//! On a terminal lines are wrapped at its width and states have colors. In a pipe there is neither,
//! so that the text is stable and nothing is cut. Either way, no text of somebody else's controls the
//! terminal.

mod details;
mod live;
mod progress;
mod screen;
mod table;
mod text;
mod tone;

use std::fmt;
use std::io::{self, StdoutLock, Write};

use serde_json::Value;

pub(crate) use details::Details;
pub(crate) use live::Live;
pub(crate) use progress::Progress;
pub(crate) use screen::Screen;
pub(crate) use table::{Columns, Field, StreamColumn, StreamTable, Table, field};
pub(crate) use text::{harmless_json, wrap};
pub(crate) use tone::Tone;

/// Standard output. When the reader has gone, as `head` does, the program ends quietly.
///
/// `write!` and `writeln!` write text for people. `Write::write_all` passes bytes on as they are.
pub(crate) struct Out(StdoutLock<'static>);

/// Standard output, for `writeln!`.
pub(crate) fn out() -> Out {
    Out(io::stdout().lock())
}

impl Out {
    /// What `writeln!` calls: harmless, and wrapped at the width of the terminal.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let text = text::for_people(&text.to_string(), Screen::of_stdout());
        end_if_reader_gone(self.0.write_all(text.as_bytes()))
    }

    /// Text that is pasted elsewhere, such as a configuration: harmless, and never wrapped.
    pub(crate) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        let text = text::verbatim(text);
        end_if_reader_gone(self.0.write_all(text.as_bytes()))
    }

    /// A command line to paste, indented. A long one is continued with backslashes.
    pub(crate) fn command(&mut self, line: &str) -> io::Result<()> {
        let text = text::command(line, Screen::of_stdout());
        end_if_reader_gone(self.0.write_all(text.as_bytes()))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        end_if_reader_gone(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        end_if_reader_gone(self.0.flush())
    }
}

fn end_if_reader_gone<T>(written: io::Result<T>) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

/// Prints a value as one line of JSON. It is never wrapped: a program reads it.
pub(crate) fn print_json(value: &Value) -> io::Result<()> {
    let line = format!("{}\n", harmless_json(&value.to_string()));
    out().write_all(line.as_bytes())
}

/// The same on standard error.
pub(crate) fn print_json_error(value: &Value) {
    let line = format!("{}\n", harmless_json(&value.to_string()));
    // If even that cannot be written, nothing more can be done.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Text in bold, where standard output has colors.
pub(crate) fn bold(text: &str) -> String {
    Tone::Heading.paint(text, Screen::of_stdout())
}

/// A number with its noun: `1 entry`, `2,000 entries`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Says something on standard error: what a person wants to know and a pipe must not get.
pub(crate) fn note(line: &str) {
    let text = text::for_people(&format!("{line}\n"), Screen::of_stderr());
    // If even that cannot be written, nothing more can be done.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints an error on standard error.
pub(crate) fn print_error(text: &str) {
    let error = Tone::Bad.paint("error", Screen::of_stderr());
    note(&format!("{error}: {text}"));
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

    #[test]
    fn numbers_have_their_thousands_apart_and_nouns_their_plural() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "entry", "entries"), "1 entry");
        assert_eq!(counted(2_000, "entry", "entries"), "2,000 entries");
    }
}
