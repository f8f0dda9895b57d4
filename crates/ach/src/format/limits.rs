//! How many bytes of others' text are kept, so that what is recorded of a file stays a small
//! multiple of it.

/// An id, such as a payment id or a trace number. A longer one is no id.
pub(in crate::format) const ID: usize = 256;
/// A text that is only read by people: a reason, a name, a cell of the raw row.
pub(in crate::format) const TEXT: usize = 1024;
/// The name of a field in a fault.
pub(in crate::format) const FIELD: usize = 128;
/// The sentence of a fault in a line.
pub(in crate::format) const REASON: usize = 512;
/// The sentence of a fault of the whole file, which may list its headers.
pub(in crate::format) const FILE_REASON: usize = 4096;
/// All headers of a file together. They are repeated in each raw row.
pub(in crate::format) const HEADERS: usize = 8 * 1024;

/// The longest name of a column in a raw row of so many bytes and cells: long headers over short
/// rows are cut once more.
pub(in crate::format) fn name(row_bytes: usize, cells: usize) -> usize {
    const FREE: usize = 128;
    const MOST_RATIO: usize = 16;
    (FREE + MOST_RATIO * row_bytes) / cells.max(1)
}

/// The text in at most `longest` bytes; what is cut off leaves a mark.
pub(in crate::format) fn cut(mut text: String, longest: usize) -> String {
    const MARK: char = '…';
    if text.len() > longest {
        let mut end = longest.saturating_sub(MARK.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_marked() {
        assert_eq!(cut("short".to_owned(), 5), "short");
        assert_eq!(cut("longer".to_owned(), 5), "lo…");
        assert_eq!(cut("éééé".to_owned(), 6), "é…");
        assert_eq!(cut("é".repeat(9_000), FIELD).len(), 127);
    }
}
