//! The profile of a delimited file: everything in which the files of vendors differ, as
//! configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::amount::AmountUnit;
use super::column::{Column, Field};
use super::validate;
use crate::entry::Direction;
use crate::money::Currency;

/// How one source's delimited files are read. Check it with [`Profile::validate`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The name under which an import shows the format.
    pub name: String,
    /// What the rows are written in.
    pub syntax: Syntax,
    /// In JSON, the keys on the way to the array of records, as in `data.returns`. Default: the
    /// records are the file's own array, or stand one after the other.
    pub records: String,
    /// In Excel, the name of the sheet. Default: the first.
    pub sheet: String,
    /// What separates cells: a comma, a tab, or any other single character.
    pub delimiter: Delimiter,
    /// Where each column begins, counted in characters from 1, in files whose columns are aligned
    /// and not delimited. There, nothing is quoted, and rows of dashes are no rows.
    pub starts: Vec<usize>,
    /// Whether a cell that begins with `"` is quoted (`""` is one quote in it).
    pub quoting: bool,
    /// Whether the first row is a header. Without one, columns are given by number.
    pub header: bool,
    /// How many cells a row has, for files without a header. Default: as many as the first row.
    pub width: Option<usize>,
    /// How bytes become text.
    pub encoding: Encoding,
    /// Which column holds which field.
    pub columns: BTreeMap<Field, Column>,
    /// The fields whose column must be there and whose value must not be blank.
    pub required: BTreeSet<Field>,
    /// Headers that are known and not used. Any other column is reported.
    pub ignore: Vec<String>,
    /// The ways in which dates are written, as in `%m/%d/%Y`, which reads padded and
    /// unpadded numbers. A time of day after the date is ignored.
    pub date_formats: Vec<String>,
    /// The unit of the amounts. It has no default, since a wrong one is wrong by a factor of a
    /// hundred.
    pub amount_unit: Option<AmountUnit>,
    /// The currency where no column says another.
    pub currency: Currency,
    /// The direction where no column says another.
    pub direction: Direction,
    /// The direction of each value of the direction column. A value that is not listed gives
    /// [`Direction::Unknown`], and is reported.
    pub directions: BTreeMap<String, Direction>,
    /// The direction of negative amounts, where the sign of the amount is the direction; the others
    /// then have the opposite one.
    pub negative_is: Option<Direction>,
    /// What the rows are.
    pub kind: DeclaredKind,
    /// The codes of validation failures: `#` is any digit, and a `*` at the end is anything.
    /// `900`, `###` and `X*` are examples.
    pub validation_codes: Vec<String>,
    /// The codes, in upper case, that say that the payment went through; an empty text is a blank
    /// code. Rows with them are counted and left out.
    pub success_codes: BTreeSet<String>,
    /// Whether a row without a code, but with a description, is a validation failure.
    pub blank_code_is_validation_failure: bool,
    /// The vendor's own codes, in upper case, and the return or change code each means.
    pub code_map: BTreeMap<String, String>,
    /// Whether return codes come without their `R`: `01` or `1` for `R01`.
    pub code_without_r: bool,
    /// Whether the reason in words follows in the code's column, as in `R01 - NSF`.
    pub code_with_text: bool,
    /// What the values of the record type column mean.
    pub record_types: Option<RecordTypes>,
    /// The row of totals.
    pub trailer: Option<Trailer>,
    /// Sentences that say there are no entries, without regard to case. After a `*` at the end the
    /// sentence may continue.
    pub no_records: Vec<String>,
    /// Which rows are meant for us; the others are counted and skipped.
    pub row_filter: Option<RowFilter>,
    /// The fields whose leading apostrophe, or `="…"`, belongs to the value.
    pub keep_apostrophes: BTreeSet<Field>,
    /// To how many digits a column is filled with zeros from the left, by field or header.
    pub pad: BTreeMap<String, usize>,
    /// Whether the entry has its row as pairs of header and value.
    pub raw: bool,
    /// Columns of the raw row that hold account numbers, beside those of the fields.
    pub masked: Vec<Column>,
}

impl Default for Profile {
    fn default() -> Self {
        let pad = [
            (Field::OriginalTrace, 15),
            (Field::ReturnTrace, 15),
            (Field::CorrectedRouting, 9),
        ];
        Self {
            name: String::new(),
            syntax: Syntax::Delimited,
            records: String::new(),
            sheet: String::new(),
            delimiter: Delimiter::COMMA,
            starts: Vec::new(),
            quoting: true,
            header: true,
            width: None,
            encoding: Encoding::Auto,
            columns: BTreeMap::new(),
            required: BTreeSet::new(),
            ignore: Vec::new(),
            date_formats: Vec::new(),
            amount_unit: None,
            currency: Currency::USD,
            direction: Direction::Unknown,
            directions: BTreeMap::new(),
            negative_is: None,
            kind: DeclaredKind::ByCode,
            validation_codes: Vec::new(),
            success_codes: BTreeSet::new(),
            blank_code_is_validation_failure: false,
            code_map: BTreeMap::new(),
            code_without_r: false,
            code_with_text: false,
            record_types: None,
            trailer: None,
            no_records: Vec::new(),
            row_filter: None,
            keep_apostrophes: BTreeSet::new(),
            pad: pad
                .map(|(field, width)| (field.as_str().to_owned(), width))
                .into(),
            raw: false,
            masked: Vec::new(),
        }
    }
}

impl Profile {
    /// Every fault of the profile, as the key that is wrong and what to do. A profile without
    /// faults gives none.
    pub fn validate(&self) -> Vec<(String, String)> {
        validate::faults(self)
    }

    /// The same profile with amounts in `unit`.
    pub fn with_unit(self, unit: AmountUnit) -> Self {
        Self {
            amount_unit: Some(unit),
            ..self
        }
    }

    /// Whether columns are aligned, and not delimited.
    pub(super) fn is_aligned(&self) -> bool {
        !self.starts.is_empty()
    }

    /// How the column of `field` is named: its header, `column 3`, or the field's key when
    /// it has no column.
    pub(super) fn column_name(&self, field: Field) -> String {
        self.columns
            .get(&field)
            .map_or_else(|| field.as_str().to_owned(), Column::to_string)
    }
}

/// What the rows of a file are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// Lines of cells, which a delimiter separates or which begin at fixed places.
    Delimited,
    /// Objects: in an array, or one after the other. A column is named by its key, or by the keys
    /// on the way to it: `return.code`, `addenda.0.text`.
    Json,
    /// A sheet of an Excel workbook (.xlsx).
    Excel,
}

/// What separates cells: one character that is not a letter, a digit, a blank, a quote or a line
/// end. A tab is also written `tab`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Delimiter(u8);

impl Delimiter {
    /// `,`
    pub const COMMA: Self = Self(b',');

    /// The delimiter's byte.
    pub(super) const fn byte(self) -> u8 {
        self.0
    }
}

impl TryFrom<String> for Delimiter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_bytes() {
            b"tab" => Ok(Self(b'\t')),
            [byte @ (b'\t' | 0x01..=0x08 | 0x1C..=0x1F)] => Ok(Self(*byte)),
            [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(Self(*byte)),
            _ => Err(format!(
                "{text:?} cannot separate cells; write one character such as \",\", \"|\", \"~\" or \
                 \"tab\", and no letter, digit, blank or quote"
            )),
        }
    }
}

/// How bytes become text. A byte order mark of UTF-8 is always skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8; a row that is not is read as Windows-1252, and reported.
    Auto,
    /// UTF-8; a row that is not is rejected.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows-1252, in which every byte is a character.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclaredKind {
    /// The code says: `C…` a correction, R61 to R70 a dishonored and R71 to R77 a contested
    /// return, the profile's validation codes a validation failure, anything else a return.
    ByCode,
    /// Returns only. A code that says something else rejects the row.
    Returns,
    /// Corrections only. A code that says something else rejects the row.
    Corrections,
    /// Validation failures only. A return or change code rejects the row.
    ValidationFailures,
}

/// What the values of the record type column mean, without regard to case. A row with any
/// other value is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordTypes {
    /// Rows that are entries of the profile's `kind`.
    pub detail: Vec<String>,
    /// Rows that are returns.
    pub returns: Vec<String>,
    /// Rows that are corrections.
    pub corrections: Vec<String>,
    /// Rows that are validation failures.
    pub validation_failures: Vec<String>,
    /// Rows that open the file or a section; they are skipped.
    pub header: Vec<String>,
    /// Rows of totals; see [`Trailer`].
    pub trailer: Vec<String>,
    /// Rows that are counted and skipped.
    pub ignored: Vec<String>,
}

/// The row of totals, by which a file proves that it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trailer {
    /// What its first cell says, without regard to case. Not needed with a record type.
    pub first_cell: Vec<String>,
    /// The column of the number of detail rows.
    pub count: Option<Column>,
    /// The column of the sum of their amounts, without signs, in the profile's unit.
    pub total: Option<Column>,
    /// Where its columns begin, in files of aligned columns whose trailer has other columns.
    pub starts: Vec<usize>,
    /// Whether a file with rows and without a trailer is rejected.
    pub required: bool,
}

/// Which rows are meant for us.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFilter {
    /// The column that decides.
    #[serde(default = "first_column")]
    pub column: Column,
    /// What it begins with, without regard to case.
    pub starts_with: Vec<String>,
}

const fn first_column() -> Column {
    Column::Number(1)
}
