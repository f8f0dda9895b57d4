//! A table whose rows are printed as they come, so that nobody knows yet how wide its cells will be.

use super::super::text::{cut, one_line, width};
use super::super::{Screen, Tone};

/// A column of a fixed width. The last one takes what is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamColumn {
    /// Its header.
    pub(crate) header: &'static str,
    /// Its width.
    pub(crate) width: usize,
    /// Whether its cells are aligned right.
    pub(crate) is_right: bool,
    /// 0 for a column that is always shown. Of the others the highest goes first.
    pub(crate) rank: u8,
}

impl StreamColumn {
    /// A column that is always shown.
    pub(crate) const fn new(header: &'static str, width: usize) -> Self {
        Self {
            header,
            width,
            is_right: false,
            rank: 0,
        }
    }

    /// Aligned right.
    pub(crate) const fn right(mut self) -> Self {
        self.is_right = true;
        self
    }

    /// Left out where there is little room; the highest rank goes first.
    pub(crate) const fn extra(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}

/// Lays out rows one by one.
pub(crate) struct StreamTable<const N: usize> {
    columns: [Option<StreamColumn>; N],
    screen: Screen,
}

impl<const N: usize> StreamTable<N> {
    /// A table for `screen`.
    pub(crate) fn new(columns: [StreamColumn; N], screen: Screen) -> Self {
        let highest = columns.iter().map(|one| one.rank).max().unwrap_or(0);
        let shown = |rank: u8| columns.map(|one| (one.rank <= rank).then_some(one));
        let needed = |rank: u8| {
            let widths = shown(rank).into_iter().flatten().map(|one| one.width + 2);
            widths.sum::<usize>().saturating_sub(2)
        };
        let fits = |rank: &u8| screen.width.is_none_or(|room| needed(*rank) <= room);
        let rank = (0..=highest).rev().find(fits).unwrap_or(0);
        Self {
            columns: shown(rank),
            screen,
        }
    }

    /// The headers.
    pub(crate) fn header(&self) -> String {
        let cells = self
            .columns
            .map(|column| column.map_or("", |one| one.header));
        self.line(cells.map(|header| (header.to_owned(), Tone::Heading)))
    }

    /// A row. Cells are cut on a terminal alone.
    pub(crate) fn line(&self, cells: [(String, Tone); N]) -> String {
        let shown = self.columns.iter().zip(cells);
        let shown = shown.filter_map(|(column, cell)| Some(((*column)?, cell)));
        let mut line = String::new();
        let mut used = 0;
        for (column, (text, tone)) in shown {
            if used > 0 {
                line.push_str("  ");
                used += 2;
            }
            let room = self.screen.width.map(|room| room.saturating_sub(used));
            let is_last = self.is_last(column);
            let most = room.map(|room| {
                if is_last {
                    room
                } else {
                    column.width.min(room)
                }
            });
            let text = one_line(&text);
            let text = most.map_or_else(|| text.to_string(), |most| cut(&text, most));
            let gap = column.width.saturating_sub(width(&text));
            let space = " ".repeat(room.map_or(gap, |room| gap.min(room)));
            let painted = tone.paint(&text, self.screen);
            line += &match column.is_right {
                true => format!("{space}{painted}"),
                false => format!("{painted}{space}"),
            };
            used += width(&text) + space.len();
        }
        line.trim_end().to_owned()
    }

    fn is_last(&self, column: StreamColumn) -> bool {
        let last = self.columns.iter().flatten().next_back();
        last.is_some_and(|last| last.header == column.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>) -> StreamTable<3> {
        let screen = Screen {
            width,
            ..Screen::PIPE
        };
        let columns = [
            StreamColumn::new("LINE", 6).right(),
            StreamColumn::new("TRACE", 15).extra(1),
            StreamColumn::new("REASON", 12),
        ];
        StreamTable::new(columns, screen)
    }

    fn row(table: &StreamTable<3>) -> String {
        let cells = ["17", "231380100000001", "the bank says: insufficient funds"];
        table.line(cells.map(|text| (text.to_owned(), Tone::Plain)))
    }

    #[test]
    fn rows_line_up_with_their_headers_and_a_pipe_cuts_nothing() {
        let table = table(None);
        assert_eq!(table.header(), "  LINE  TRACE            REASON");
        assert_eq!(
            row(&table),
            "    17  231380100000001  the bank says: insufficient funds"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_never_a_longer_line() {
        assert_eq!(row(&table(Some(30))), "    17  the bank says…");
        for most in 20..90 {
            assert!(width(&row(&table(Some(most)))) <= most, "{most}");
        }
    }
}
