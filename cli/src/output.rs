//! Writing to the terminal: the one place that prints.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};

/// A table whose columns line up. A column whose header begins with `>` is aligned right.
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers.
    #[must_use]
    pub fn new(headers: &[&str]) -> Self {
        Self {
            headers: headers.iter().map(|text| (*text).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&dyn Display]) {
        self.rows
            .push(cells.iter().map(ToString::to_string).collect());
    }

    /// The table as text, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let right: Vec<bool> = self
            .headers
            .iter()
            .map(|text| text.starts_with('>'))
            .collect();
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|text| text.trim_start_matches('>').to_owned())
            .collect();
        let widths: Vec<usize> = (0..headers.len())
            .map(|column| {
                std::iter::once(&headers)
                    .chain(&self.rows)
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        std::iter::once(&headers)
            .chain(&self.rows)
            .map(|row| {
                let cells: Vec<String> = row
                    .iter()
                    .zip(widths.iter().zip(&right))
                    .map(|(cell, (width, right))| {
                        if *right {
                            format!("{cell:>width$}")
                        } else {
                            format!("{cell:<width$}")
                        }
                    })
                    .collect();
                cells.join("  ").trim_end().to_owned()
            })
            .collect()
    }

    /// Prints the table.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn print(&self) -> io::Result<()> {
        let lines = self.lines();
        let mut lines = lines.iter();
        if let Some(header) = lines.next() {
            print_line(&bold(header))?;
        }
        lines.try_for_each(|line| print_line(line))
    }
}

/// Text in bold, on a terminal.
#[must_use]
pub fn bold(text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\x1b[1m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Prints a line. When the reader has gone, as `head` does, the program ends quietly.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out
        .write_all(line.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => outcome,
    }
}

/// A number with its noun: `1 entry`, `2 entries`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A progress bar of this form; `hidden` makes one that is never drawn. indicatif draws on
/// standard error, and only on a terminal.
#[must_use]
pub fn progress_bar(hidden: bool, template: &str) -> ProgressBar {
    let bar = if hidden {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(0)
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Prints an error on standard error.
pub fn print_error(text: &str) {
    // If even that cannot be written, nothing more can be done.
    let _ = writeln!(io::stderr().lock(), "error: {text}");
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_numbers_are_aligned_right() {
        let mut table = Table::new(&["NAME", ">COUNT"]);
        table.row(&[&"a", &1]);
        table.row(&[&"längst", &1000]);
        assert_eq!(
            table.lines(),
            ["NAME    COUNT", "a           1", "längst   1000"]
        );
    }
}
