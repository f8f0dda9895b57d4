//! Tables that fit the terminal. See `layout.rs` for what happens when there is little room.

mod layout;
mod stream;

use std::fmt::Display;
use std::io;

use super::text::{cut, one_line, width, wrap};
use super::{Screen, Tone, out};
use layout::{Layout, Plan};
pub(crate) use stream::{StreamColumn, StreamTable};

/// A cell of a table, with what its column needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    header: &'static str,
    text: String,
    tone: Tone,
    is_right: bool,
    may_be_cut: bool,
    /// 0 for a column that is always shown. Of the others the highest goes first.
    rank: u8,
}

/// The cells of a row.
pub(crate) type Columns = Vec<Field>;

/// A cell whose text is never cut, such as an id or a date.
pub(crate) fn field(header: &'static str, text: impl Display) -> Field {
    Field {
        header,
        text: one_line(&text.to_string()).into_owned(),
        tone: Tone::Plain,
        is_right: false,
        may_be_cut: false,
        rank: 0,
    }
}

impl Field {
    /// Aligned right: numbers and money.
    pub(crate) fn right(mut self) -> Self {
        self.is_right = true;
        self
    }

    /// May be cut where there is little room: sentences and names.
    pub(crate) fn text(mut self) -> Self {
        self.may_be_cut = true;
        self
    }

    /// In this tone.
    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Left out where there is little room; the highest rank goes first.
    pub(crate) fn extra(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}

/// Rows of cells under their headers.
pub(crate) struct Table {
    /// Cells without text: the headers, even if there is no row.
    columns: Columns,
    rows: Vec<Columns>,
}

impl Table {
    /// A table with a row for each of `items`.
    pub(crate) fn of<'a, T: Default + 'a>(
        items: impl IntoIterator<Item = &'a T>,
        columns: impl Fn(&T) -> Columns,
    ) -> Self {
        Self {
            columns: columns(&T::default()),
            rows: items.into_iter().map(columns).collect(),
        }
    }

    /// A table of rows that all have the same columns; there is at least one.
    pub(crate) fn of_rows(rows: impl IntoIterator<Item = Columns>) -> Self {
        let rows: Vec<Columns> = rows.into_iter().collect();
        let columns = rows.first().cloned().unwrap_or_default();
        Self { columns, rows }
    }

    /// Prints the table at the width of standard output.
    pub(crate) fn print(&self) -> io::Result<()> {
        let screen = Screen::of_stdout();
        let lines = self.lines(screen);
        lines.iter().try_for_each(|line| writeln!(out(), "{line}"))
    }

    /// The table as lines for `screen`.
    pub(crate) fn lines(&self, screen: Screen) -> Vec<String> {
        let plan = Plan::of(&self.columns, &self.rows);
        match plan.layout(screen.width) {
            Layout::Rows(widths) => self.in_rows(&widths, screen),
            Layout::Stacked(width) => self.stacked(width, screen),
        }
    }

    /// A line for each row. `widths` has `None` for a column that is left out.
    fn in_rows(&self, widths: &[Option<usize>], screen: Screen) -> Vec<String> {
        let line = |row: &Columns| {
            let cells = row.iter().zip(widths);
            let cells = cells.filter_map(|(cell, width)| Some(cell.padded((*width)?, screen)));
            let line = cells.collect::<Vec<_>>().join("  ");
            line.trim_end().to_owned()
        };
        let header = self.columns.iter().map(|column| Field {
            text: column.header.to_owned(),
            tone: Tone::Heading,
            ..column.clone()
        });
        let mut lines = vec![line(&header.collect())];
        lines.extend(self.rows.iter().map(line));
        let left_out = self.columns.iter().zip(widths);
        let left_out: Vec<_> = left_out
            .filter(|(_, width)| width.is_none())
            .map(|(column, _)| column.header.to_lowercase())
            .collect();
        if !left_out.is_empty() {
            let what = format!("Not shown at this width: {}.", left_out.join(", "));
            lines.extend(self.quietly(&what, screen));
        }
        lines
    }

    fn quietly(&self, what: &str, screen: Screen) -> Vec<String> {
        let most = screen.width.unwrap_or(usize::MAX);
        let lines = wrap(what, most).into_iter();
        lines.map(|line| Tone::Quiet.paint(&line, screen)).collect()
    }

    /// A block of lines for each row: its first cell, then the others with their headers.
    fn stacked(&self, most: usize, screen: Screen) -> Vec<String> {
        let labels = self
            .columns
            .iter()
            .skip(1)
            .map(|column| width(column.header));
        let label_width = labels.max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in &self.rows {
            let mut cells = row.iter();
            let first = cells.next().map_or("", |cell| &cell.text);
            lines.push(Tone::Heading.paint(&cut(first, most), screen));
            for cell in cells.filter(|cell| !cell.says_nothing()) {
                lines.extend(cell.labeled(label_width, most, screen));
            }
        }
        lines
    }
}

impl Field {
    /// The text as wide as its column.
    fn padded(&self, most: usize, screen: Screen) -> String {
        let text = cut(&self.text, most);
        let space = " ".repeat(most.saturating_sub(width(&text)));
        let text = self.tone.paint(&text, screen);
        match self.is_right {
            true => format!("{space}{text}"),
            false => format!("{text}{space}"),
        }
    }

    /// Whether a block of lines is better off without it.
    fn says_nothing(&self) -> bool {
        let is_zero = self.rank > 0 && self.is_right && self.text == "0";
        is_zero || matches!(&*self.text, "" | "-")
    }

    /// The text after its header, on as many lines as it needs.
    fn labeled(&self, label_width: usize, most: usize, screen: Screen) -> Vec<String> {
        let label = self.header.to_lowercase();
        let indent = 2 + label_width + 2;
        let wrapped = wrap(&self.text, most.saturating_sub(indent).max(8));
        let mut label = format!("  {label:<label_width$}  ");
        let line = |text: String| {
            let line = format!("{label}{}", self.tone.paint(&text, screen));
            label = " ".repeat(indent);
            line
        };
        wrapped.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests;
