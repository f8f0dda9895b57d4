//! How a table is laid out when there is little room. In this order:
//!
//! 1. sentences and names are cut, to a comfortable width at least;
//! 2. columns that matter less are left out, and the table says which;
//! 3. sentences and names are cut more;
//! 4. each row becomes a block of lines.

use super::super::text::width;
use super::Columns;

/// What a column that may be cut should have at least.
const COMFORTABLE: usize = 24;

/// What it must have at least.
const LEAST: usize = 12;

/// Columns between two columns.
const GAP: usize = 2;

/// How the rows are shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A line each: the width of each column, `None` for one that is left out.
    Rows(Vec<Option<usize>>),
    /// A block each, at this width.
    Stacked(usize),
}

/// What the columns want.
pub(super) struct Plan {
    columns: Vec<Wish>,
}

/// What one column wants.
#[derive(Clone, Copy)]
struct Wish {
    /// The width of its longest cell.
    natural: usize,
    header: usize,
    may_be_cut: bool,
    rank: u8,
}

impl Wish {
    /// The least width when a cut column should have `limit`.
    fn least(self, limit: usize) -> usize {
        match self.may_be_cut {
            true => self.natural.min(limit.max(self.header)),
            false => self.natural,
        }
    }
}

impl Plan {
    pub(super) fn of(columns: &Columns, rows: &[Columns]) -> Self {
        let wish = |(at, column): (usize, &super::Field)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let longest = cells.map(|cell| width(&cell.text)).max().unwrap_or(0);
            let header = width(column.header);
            Wish {
                natural: longest.max(header),
                header,
                may_be_cut: column.may_be_cut,
                rank: column.rank,
            }
        };
        Self {
            columns: columns.iter().enumerate().map(wish).collect(),
        }
    }

    /// The layout for so many columns of a terminal; a pipe has room for everything.
    pub(super) fn layout(&self, screen: Option<usize>) -> Layout {
        let Some(room) = screen else {
            return Layout::Rows(self.columns.iter().map(|one| Some(one.natural)).collect());
        };
        let highest = self.columns.iter().map(|one| one.rank).max().unwrap_or(0);
        let comfortable = (0..=highest).rev().map(|rank| (rank, COMFORTABLE));
        for (rank, limit) in comfortable.chain([(0, LEAST)]) {
            if let Some(widths) = self.fit(rank, limit, room) {
                return Layout::Rows(widths);
            }
        }
        Layout::Stacked(room)
    }

    /// The widths with the columns up to `rank`, if each gets its least.
    fn fit(&self, rank: u8, limit: usize, room: usize) -> Option<Vec<Option<usize>>> {
        let shown = |one: &Wish| one.rank <= rank;
        let count = self.columns.iter().filter(|one| shown(one)).count();
        let gaps = GAP * count.saturating_sub(1);
        let least = |one: &Wish| shown(one).then(|| one.least(limit));
        let mut widths: Vec<Option<usize>> = self.columns.iter().map(least).collect();
        let used: usize = widths.iter().flatten().sum();
        let mut spare = room.checked_sub(gaps + used)?;
        // What is left goes to the columns that lack something, one after the other, a piece each.
        while spare > 0 {
            let lacking = widths.iter_mut().zip(&self.columns);
            let mut lacking = lacking
                .filter_map(|(width, one)| width.as_mut().filter(|width| **width < one.natural));
            let mut gave = false;
            for width in lacking.by_ref().take(spare) {
                *width += 1;
                spare -= 1;
                gave = true;
            }
            if !gave {
                break;
            }
        }
        Some(widths)
    }
}
