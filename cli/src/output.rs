//! Writing to the terminal: the one place that prints.

use std::io::{self, IsTerminal as _, Write as _};

/// A table whose columns line up. Columns whose header begins with `>` are set right.
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
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
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

/// Text in bold where that shows.
#[must_use]
pub fn bold(text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\x1b[1m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Prints a line. A reader that has gone ends the program quietly, as it does with `head`.
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

/// Prints an error on standard error.
pub fn print_error(text: &str) {
    // If even that cannot be written, there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "error: {text}");
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_numbers_are_set_right() {
        let mut table = Table::new(&["NAME", ">COUNT"]);
        table.row(vec!["a".into(), "1".into()]);
        table.row(vec!["längst".into(), "1000".into()]);
        assert_eq!(
            table.lines(),
            ["NAME    COUNT", "a           1", "längst   1000"]
        );
    }
}
