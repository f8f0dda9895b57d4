//! Writing to the terminal: the one place that prints.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, StdoutLock, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// The columns of a table: each header with the text of a row's cell.
pub(crate) type Columns = Vec<(&'static str, String)>;

/// A table whose columns line up. A column whose header begins with `>` is aligned right.
pub(crate) struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers.
    pub(crate) fn new(headers: &[&str]) -> Self {
        Self {
            headers: headers.iter().map(|text| (*text).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// A table with a row for each of `items`.
    pub(crate) fn of<T: Default>(items: &[T], columns: impl Fn(&T) -> Columns) -> Self {
        let headers = columns(&T::default())
            .into_iter()
            .unzip::<_, _, Vec<_>, Vec<_>>()
            .0;
        let row = |item| columns(item).into_iter().map(|(_, cell)| cell).collect();
        Self {
            rows: items.iter().map(row).collect(),
            ..Self::new(&headers)
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[&dyn Display]) {
        self.rows
            .push(cells.iter().map(ToString::to_string).collect());
    }

    /// The table as text, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let is_right: Vec<bool> = self
            .headers
            .iter()
            .map(|text| text.starts_with('>'))
            .collect();
        let header = |text: &String| text.trim_start_matches('>').to_owned();
        let headers: Vec<String> = self.headers.iter().map(header).collect();
        let rows = || std::iter::once(&headers).chain(&self.rows);
        let width = |column: usize| {
            let cells = rows().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headers.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(widths.iter().zip(&is_right));
            let cells = cells.map(|(cell, (width, is_right))| match is_right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            line.trim_end().to_owned()
        };
        rows().map(line).collect()
    }

    /// Prints the table.
    pub(crate) fn print(&self) -> io::Result<()> {
        let lines = self.lines();
        let mut lines = lines.iter();
        if let Some(header) = lines.next() {
            writeln!(out(), "{}", bold(header))?;
        }
        lines.try_for_each(|line| writeln!(out(), "{line}"))
    }
}

/// Text in bold, on a terminal.
pub(crate) fn bold(text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\x1b[1m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Standard output. When the reader has gone, as `head` does, the program ends quietly.
pub(crate) struct Out(StdoutLock<'static>);

/// Standard output, for `writeln!`.
pub(crate) fn out() -> Out {
    Out(io::stdout().lock())
}

impl Out {
    /// What `writeln!` calls.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        end_if_reader_gone(self.0.write_fmt(text))
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

/// A number with its noun: `1 entry`, `2 entries`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A progress bar of this form; `hidden` makes one that is never drawn. indicatif draws on
/// standard error, and only on a terminal.
pub(crate) fn progress_bar(hidden: bool, template: &str) -> ProgressBar {
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

/// Says something on standard error: what a person wants to know and a pipe must not get.
pub(crate) fn note(text: &str) {
    // If even that cannot be written, nothing more can be done.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says it above a progress bar, or where there is none.
pub(crate) fn note_above(bar: &ProgressBar, text: &str) {
    if bar.is_hidden() {
        note(text);
    } else {
        bar.println(text);
    }
}

/// Prints an error on standard error.
pub(crate) fn print_error(text: &str) {
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
