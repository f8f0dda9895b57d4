//! What is wrong with a profile, all of it at once.

use std::collections::BTreeSet;

use super::code::fits;
use super::column::{Column, Field, normal};
use super::date;
use super::profile::{DeclaredKind, Profile, Syntax};
use super::rows::MOST_CELLS;
use crate::format::codes::{self, network_codes};

/// Every fault of `profile`, as the key that is wrong and what to do.
pub(super) fn faults(profile: &Profile) -> Vec<(String, String)> {
    let mut validation = Validation {
        profile,
        faults: Vec::new(),
    };
    let is_nameless = profile.name.trim().is_empty();
    validation.fault_if(is_nameless, "name", "give the format a name");
    validation.check_syntax();
    validation.check_starts();
    validation.check_columns();
    validation.check_needed_columns();
    validation.check_other_columns();
    validation.check_dates();
    validation.check_validation_codes();
    validation.check_success_codes();
    validation.check_code_map();
    validation.check_record_types();
    validation.check_trailer();
    validation.check_texts();
    validation.faults
}

/// A profile, and the faults found so far.
struct Validation<'a> {
    profile: &'a Profile,
    faults: Vec<(String, String)>,
}

impl Validation<'_> {
    fn fault(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.faults.push((key.into(), message.into()));
    }

    fn fault_if(&mut self, is_wrong: bool, key: &str, message: &str) {
        if is_wrong {
            self.fault(key, message);
        }
    }

    fn has(&self, field: Field) -> bool {
        self.profile.columns.contains_key(&field)
    }

    /// Each syntax has keys of its own.
    fn check_syntax(&mut self) {
        let profile = self.profile;
        let is = |syntax| profile.syntax == syntax;
        let only = |syntax| format!("leave it out: it is for {syntax} alone");
        if !profile.records.is_empty() && !is(Syntax::Json) {
            self.fault("records", only("syntax = \"json\""));
        }
        if !profile.sheet.is_empty() && !is(Syntax::Excel) {
            self.fault("sheet", only("syntax = \"excel\""));
        }
        if is(Syntax::Delimited) {
            return;
        }
        let usual = Profile::default();
        for (key, is_set) in [
            ("starts", profile.is_aligned()),
            ("delimiter", profile.delimiter != usual.delimiter),
            ("quoting", profile.quoting != usual.quoting),
            ("encoding", profile.encoding != usual.encoding),
            ("width", profile.width.is_some()),
        ] {
            if is_set {
                self.fault(key, only("delimited files"));
            }
        }
        if is(Syntax::Json) {
            self.fault_if(
                !profile.header,
                "header",
                "leave it out: the keys name the columns",
            );
            self.fault_if(
                profile.trailer.is_some(),
                "trailer",
                "leave it out: JSON has no row of totals, and cannot be cut off without notice",
            );
            for (field, column) in &profile.columns {
                if matches!(column, Column::Number(_)) {
                    let key = format!("columns.{field}");
                    self.fault(key, "give its key: JSON has no numbers of columns");
                }
            }
        }
    }

    fn check_starts(&mut self) {
        let profile = self.profile;
        let of_trailer = profile
            .trailer
            .as_ref()
            .map_or(&[][..], |trailer| &trailer.starts);
        for (key, starts) in [
            ("starts", profile.starts.as_slice()),
            ("trailer.starts", of_trailer),
        ] {
            let ascends = starts.windows(2).all(|pair| pair[0] < pair[1]);
            let is_wrong = starts.first().is_some_and(|first| *first != 1)
                || !ascends
                || starts.len() > MOST_CELLS;
            let message = "count characters from 1: the first column begins at 1, each other one \
                           after the one before it; there are at most 1024";
            self.fault_if(is_wrong, key, message);
        }
        self.fault_if(
            !of_trailer.is_empty() && !profile.is_aligned(),
            "trailer.starts",
            "the columns are delimited; only with `starts` are they aligned",
        );
        self.fault_if(
            profile.is_aligned() && profile.width.is_some(),
            "width",
            "leave it out: starts sets it",
        );
    }

    fn check_columns(&mut self) {
        for (field, column) in &self.profile.columns {
            self.check_column(&format!("columns.{field}"), column);
        }
        let columns = self.profile.columns.values();
        let numbers = columns.filter_map(|column| match column {
            Column::Number(number) => Some(*number),
            Column::Named(_) => None,
        });
        let aligned = (self.profile.is_aligned()).then_some(self.profile.starts.len());
        let width = self
            .profile
            .width
            .or(aligned.filter(|_| !self.profile.header));
        match (self.profile.header, width, numbers.max()) {
            (true, Some(_), _) => self.fault("width", "leave it out: the header sets it"),
            (false, Some(width), Some(last)) if width < last => {
                self.fault(
                    "width",
                    format!("it is {width}, but columns go up to {last}"),
                );
            }
            (true | false, _, _) => {}
        }
    }

    fn check_column(&mut self, key: &str, column: &Column) {
        match column {
            Column::Number(number) => {
                let is_wrong = *number == 0 || *number > MOST_CELLS;
                self.fault_if(is_wrong, key, "a column number is from 1 to 1024");
            }
            Column::Named(spellings) => {
                let is_unnamed =
                    spellings.is_empty() || spellings.iter().any(|text| is_blank(text));
                self.fault_if(is_unnamed, key, "name at least one header");
                let has_no_header = !self.profile.header;
                self.fault_if(
                    has_no_header,
                    key,
                    "give its number: the file has no header",
                );
            }
        }
    }

    fn check_needed_columns(&mut self) {
        let profile = self.profile;
        let needs_code = profile.kind != DeclaredKind::ValidationFailures;
        self.fault_if(
            needs_code && !self.has(Field::Code),
            "columns.code",
            "name the column of the return code; only validation failures need none",
        );
        let mut keys = Field::ALL.iter().filter(|field| field.is_match_key());
        self.fault_if(
            !keys.any(|field| self.has(*field)),
            "columns",
            "name a column by which a payment is found: payment_id, order_id, \
             transfer_request_id, original_trace, individual_id or check_serial_number",
        );
        for (key, fields) in [
            ("required", &profile.required),
            ("keep_apostrophes", &profile.keep_apostrophes),
        ] {
            for field in fields
                .iter()
                .filter(|field| !profile.columns.contains_key(field))
            {
                self.fault(key, format!("{field} has no column"));
            }
        }
        let of_sides = self.has(Field::DebitAmount) || self.has(Field::CreditAmount);
        self.fault_if(
            of_sides && (self.has(Field::Amount) || self.has(Field::Direction)),
            "columns.debit_amount",
            "the columns of debits and credits say the direction: leave amount and direction out",
        );
        self.fault_if(
            (self.has(Field::Amount) || of_sides) && profile.amount_unit.is_none(),
            "amount_unit",
            "set the unit of the amounts: \"minor\" (cents) or \"major\" (dollars)",
        );
        self.fault_if(
            self.has(Field::Direction) == profile.directions.is_empty(),
            "directions",
            "columns.direction and directions go together: the column, and what its values mean",
        );
    }

    fn check_other_columns(&mut self) {
        for column in &self.profile.masked {
            self.check_column("masked", column);
        }
        if let Some(filter) = &self.profile.row_filter {
            self.check_column("row_filter.column", &filter.column);
            self.fault_if(
                filter.starts_with.is_empty()
                    || filter.starts_with.iter().any(|text| is_blank(text)),
                "row_filter.starts_with",
                "name at least one beginning, and none that is blank",
            );
        }
        for (key, width) in &self.profile.pad {
            let key = format!("pad.{key}");
            self.fault_if(!(1..=64).contains(width), &key, "pad to 1 to 64 digits");
        }
    }

    fn check_dates(&mut self) {
        let formats = &self.profile.date_formats;
        let has_dates = self.profile.columns.keys().any(|field| field.is_date());
        self.fault_if(
            has_dates && formats.is_empty(),
            "date_formats",
            "say how dates are written, as in \"%m/%d/%Y\"",
        );
        for (index, format) in formats.iter().enumerate() {
            if let Some(fault) = date::fault_of(format) {
                self.fault("date_formats", fault);
            }
            for other in &formats[..index] {
                if date::are_ambiguous(format, other) {
                    let message = format!("{other:?} and {format:?} read one text as two dates");
                    self.fault("date_formats", message);
                }
            }
        }
    }

    fn check_validation_codes(&mut self) {
        let profile = self.profile;
        for pattern in &profile.validation_codes {
            if let Some(code) = network_codes().find(|code| fits(pattern, code)) {
                let message = format!("{pattern:?} also fits the network's code {code}");
                self.fault("validation_codes", message);
            } else if is_open_blank(pattern) {
                self.fault("validation_codes", "a pattern is blank");
            }
        }
        let key = "blank_code_is_validation_failure";
        if profile.blank_code_is_validation_failure {
            self.fault_if(
                !self.has(Field::Description),
                key,
                "it needs columns.description, which then says what failed",
            );
            match profile.kind {
                DeclaredKind::Returns | DeclaredKind::Corrections => {
                    self.fault(key, "kind allows no validation failures");
                }
                DeclaredKind::ByCode | DeclaredKind::ValidationFailures => {}
            }
        }
    }

    fn check_success_codes(&mut self) {
        for code in &self.profile.success_codes {
            let key = "success_codes";
            self.fault_if(
                code.trim().to_uppercase() != *code,
                key,
                "write codes in capitals, without blanks around them",
            );
            if network_codes().any(|network| network == code) {
                self.fault(key, format!("{code} is a return or change code"));
            }
        }
    }

    fn check_code_map(&mut self) {
        self.faults.extend(codes::faults(&self.profile.code_map));
    }

    fn check_record_types(&mut self) {
        self.fault_if(
            self.has(Field::RecordType) != self.profile.record_types.is_some(),
            "record_types",
            "columns.record_type and record_types go together",
        );
        let Some(types) = &self.profile.record_types else {
            return;
        };
        self.fault_if(
            [
                &types.detail,
                &types.returns,
                &types.corrections,
                &types.validation_failures,
            ]
            .iter()
            .all(|names| names.is_empty()),
            "record_types.detail",
            "name the record type of the rows that are entries",
        );
        let mut seen = BTreeSet::new();
        let lists = [
            &types.detail,
            &types.returns,
            &types.corrections,
            &types.validation_failures,
            &types.header,
            &types.trailer,
            &types.ignored,
        ];
        for name in lists.into_iter().flatten() {
            if !seen.insert(normal(name)) {
                self.fault("record_types", format!("{name:?} is listed twice"));
            }
        }
    }

    fn check_trailer(&mut self) {
        let Some(trailer) = &self.profile.trailer else {
            return;
        };
        let types = self.profile.record_types.as_ref();
        let by_type = types.is_some_and(|types| !types.trailer.is_empty());
        self.fault_if(
            trailer.first_cell.is_empty() && !by_type,
            "trailer.first_cell",
            "say how to recognize the trailer: by its first cell, or by record_types.trailer",
        );
        let has_blank = trailer.first_cell.iter().any(|text| is_blank(text));
        self.fault_if(has_blank, "trailer.first_cell", "a text is blank");
        for (key, column) in [
            ("trailer.count", &trailer.count),
            ("trailer.total", &trailer.total),
        ] {
            if let Some(column) = column {
                self.check_column(key, column);
            }
        }
        self.fault_if(
            trailer.total.is_some()
                && ![Field::Amount, Field::DebitAmount, Field::CreditAmount]
                    .iter()
                    .any(|field| self.has(*field)),
            "trailer.total",
            "there is no columns.amount to add up",
        );
    }

    fn check_texts(&mut self) {
        self.fault_if(
            self.profile
                .no_records
                .iter()
                .any(|text| is_open_blank(text)),
            "no_records",
            "a sentence is blank, so every row would match it",
        );
        for name in self.profile.directions.keys().filter(|name| is_blank(name)) {
            let message = format!("{name:?} is blank; `direction` says what a blank cell means");
            self.fault("directions", message);
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Whether a text that may end with `*` fits everything.
fn is_open_blank(text: &str) -> bool {
    text.trim_matches([' ', '*']).is_empty()
}
