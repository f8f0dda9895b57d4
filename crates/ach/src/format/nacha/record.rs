//! One record and its fields by position.

use std::fmt;

use super::encoding::CharacterLayout;

/// Characters in a record.
pub(super) const WIDTH: usize = 94;

/// The first character, which gives the type of the record.
pub(super) const RECORD_TYPE: RecordField = RecordField::new("record type", 1, 1);

/// Replaces in [`Record::cells`] a character outside ASCII, or a control character. It is never
/// a digit.
const WIDE_CELL: u8 = 0xFF;

/// Fills in [`Record::wide`] a position that the character before it also covers.
const COVERED: char = '\0';

/// A field: its name and its first and last position, counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordField {
    name: &'static str,
    from: usize,
    to: usize,
}

impl RecordField {
    pub(super) const fn new(name: &'static str, from: usize, to: usize) -> Self {
        assert!(
            0 < from && from <= to && to <= WIDTH,
            "positions lie in the record"
        );
        Self { name, from, to }
    }
}

/// Shows `amount (30-39)`.
impl fmt::Display for RecordField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{} ({})", self.name, self.from)
        } else {
            write!(f, "{} ({}-{})", self.name, self.from, self.to)
        }
    }
}

/// A record of 94 characters, filled up with blanks where its line was shorter.
#[derive(Debug, Clone)]
pub(super) struct Record {
    cells: [u8; WIDTH],
    /// The characters, only when one of them is outside ASCII.
    wide: Option<Box<[char; WIDTH]>>,
}

impl Record {
    /// The record in `bytes`, read as `layout` says. It leaves out what is beyond 94 characters;
    /// the caller has compared the width.
    pub(super) fn new(bytes: &[u8], layout: CharacterLayout) -> Self {
        let mut cells = [b' '; WIDTH];
        if layout == CharacterLayout::Ascii {
            let width = bytes.len().min(WIDTH);
            cells[..width].copy_from_slice(&bytes[..width]);
            return Self { cells, wide: None };
        }
        let mut wide = Box::new([' '; WIDTH]);
        let mut next = 0;
        for character in layout.decode(bytes).chars() {
            let positions = layout.positions(character);
            if next + positions > WIDTH {
                break;
            }
            let character = if character.is_control() {
                shown(character)
            } else {
                character
            };
            wide[next] = character;
            cells[next] = u8::try_from(character)
                .ok()
                .filter(u8::is_ascii)
                .unwrap_or(WIDE_CELL);
            for covered in next + 1..next + positions {
                wide[covered] = COVERED;
                cells[covered] = WIDE_CELL;
            }
            next += positions;
        }
        Self {
            cells,
            wide: Some(wide),
        }
    }

    /// Whether a control character, or one that is not in the file's encoding, was replaced.
    pub(super) fn has_unshowable(&self) -> bool {
        self.wide
            .as_ref()
            .is_some_and(|wide| wide.contains(&char::REPLACEMENT_CHARACTER))
    }

    /// The raw characters of a field, one byte each.
    pub(super) fn cells(&self, field: RecordField) -> &[u8] {
        &self.cells[field.from - 1..field.to]
    }

    /// The record type, the first character.
    pub(super) fn record_type(&self) -> u8 {
        self.cells[0]
    }

    /// The text of a field without the blanks around it; `None` when it is blank.
    pub(super) fn text(&self, field: RecordField) -> Option<String> {
        if self.wide.is_none() {
            let trimmed = self.cells(field).trim_ascii();
            return std::str::from_utf8(trimmed)
                .ok()
                .filter(|text| !text.is_empty())
                .map(str::to_owned);
        }
        let text = self.untrimmed(field);
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// The text of a field in upper case; `None` when it is blank.
    pub(super) fn upper(&self, field: RecordField) -> Option<String> {
        let mut text = self.text(field)?;
        text.make_ascii_uppercase();
        Some(text)
    }

    /// The text of a field with all its blanks.
    pub(super) fn untrimmed(&self, field: RecordField) -> std::borrow::Cow<'_, str> {
        match &self.wide {
            None => String::from_utf8_lossy(self.cells(field)),
            Some(wide) => wide[field.from - 1..field.to]
                .iter()
                .filter(|character| **character != COVERED)
                .collect::<String>()
                .into(),
        }
    }

    /// Whether the first `width` characters, all there are, are nothing but `9`.
    pub(super) fn is_all_nines(&self, width: usize) -> bool {
        self.cells.iter().take(width).all(|cell| *cell == b'9')
    }

    /// How many of the first `width` characters are `9`, when the others are all `0`.
    pub(super) fn nines_among_zeros(&self, width: usize) -> Option<usize> {
        let cells = &self.cells[..width.min(WIDTH)];
        let only_both = cells.iter().all(|cell| matches!(cell, b'9' | b'0'));
        only_both.then(|| cells.iter().filter(|cell| **cell == b'9').count())
    }

    /// Whether a field is all digits.
    pub(super) fn is_digits(&self, field: RecordField) -> bool {
        self.cells(field).iter().all(u8::is_ascii_digit)
    }

    /// Whether a field is blank.
    pub(super) fn is_blank(&self, field: RecordField) -> bool {
        self.cells(field).iter().all(|cell| *cell == b' ')
    }

    /// A number: digits, with blanks allowed in place of leading zeros. `None` for anything else,
    /// and for a blank field.
    pub(super) fn number(&self, field: RecordField) -> Option<u64> {
        let digits = self.cells(field).trim_ascii_start();
        if digits.is_empty() {
            return None;
        }
        digits.iter().try_fold(0_u64, |sum, cell| {
            let digit = cell.is_ascii_digit().then(|| u64::from(cell - b'0'))?;
            sum.checked_mul(10)?.checked_add(digit)
        })
    }

    /// A trace number of 15 digits. Systems that treat it as a number drop its leading zeros, so
    /// they are put back. Blanks or zeros alone give `None`; a trace that is not all digits stays
    /// as it is.
    pub(super) fn trace(&self, field: RecordField) -> Option<String> {
        let text = self.text(field)?;
        if text.bytes().all(|byte| byte == b'0') {
            return None;
        }
        if text.len() < 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(format!("{text:0>15}"));
        }
        Some(text)
    }
}

/// What replaces a control character: a blank for a tab, else the mark of a character that
/// cannot be shown.
const fn shown(control: char) -> char {
    if control == '\t' {
        ' '
    } else {
        char::REPLACEMENT_CHARACTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: RecordField = RecordField::new("field", 3, 8);

    fn record(text: &str) -> Record {
        Record::new(text.as_bytes(), CharacterLayout::Ascii)
    }

    #[test]
    fn a_field_names_its_positions() {
        assert_eq!(
            RecordField::new("amount", 30, 39).to_string(),
            "amount (30-39)"
        );
        assert_eq!(RECORD_TYPE.to_string(), "record type (1)");
    }

    #[test]
    fn a_number_may_have_blanks_for_leading_zeros_and_nothing_else() {
        assert_eq!(record("61000123").number(FIELD), Some(123));
        assert_eq!(record("61   123").number(FIELD), Some(123));
        for bad in ["61123   ", "61      ", "6112x456", "61-12345", "611 2345"] {
            assert_eq!(record(bad).number(FIELD), None, "{bad}");
        }
    }

    #[test]
    fn a_trace_gets_its_leading_zeros_back() {
        let trace = RecordField::new("trace", 1, 15);
        assert_eq!(
            record("91000017611242 ").trace(trace).unwrap(),
            "091000017611242"
        );
        assert_eq!(
            record(" 91000017611242").trace(trace).unwrap(),
            "091000017611242"
        );
        assert_eq!(record("000000000000000").trace(trace), None);
        assert_eq!(record("ABC-1          ").trace(trace).unwrap(), "ABC-1");
    }

    #[test]
    fn characters_outside_ascii_take_the_positions_that_the_layout_gives_them() {
        let by_characters = Record::new("6żółć!7".as_bytes(), CharacterLayout::Characters);
        assert_eq!(
            by_characters.text(RecordField::new("x", 2, 6)).unwrap(),
            "żółć!"
        );
        let by_bytes = Record::new("6żółć!7".as_bytes(), CharacterLayout::Bytes);
        assert_eq!(
            by_bytes.text(RecordField::new("x", 2, 10)).unwrap(),
            "żółć!"
        );
        let western = Record::new(b"6Andr\xE9!", CharacterLayout::Windows1252);
        assert_eq!(western.text(RecordField::new("x", 2, 7)).unwrap(), "André!");
        assert_eq!(western.number(RecordField::new("x", 6, 6)), None);
    }

    #[test]
    fn a_control_character_is_marked_and_never_a_digit() {
        let marked = Record::new(b"6A\x1AB\t1\x152", CharacterLayout::Characters);
        assert!(marked.has_unshowable());
        assert_eq!(
            marked.text(RecordField::new("x", 2, 5)).unwrap(),
            "A\u{FFFD}B"
        );
        assert_eq!(marked.number(RecordField::new("x", 6, 8)), None);
    }
}
