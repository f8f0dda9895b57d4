//! What is wrong with a profile, all of it at once.

use std::collections::BTreeSet;

use super::code::fits;
use super::column::{Column, Field, normal};
use super::date;
use super::profile::{DeclaredKind, Profile};
use super::rows::MOST_CELLS;
use crate::code::{CorrectionCode, ReturnCode};

/// The faults found so far: the key, and what is wrong with it.
struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push((key.into(), message.into()));
    }

    fn add_if(&mut self, is_wrong: bool, key: &str, message: &str) {
        if is_wrong {
            self.add(key, message);
        }
    }
}

impl Profile {
    /// Every fault of the profile, as the key that is wrong and what to do. A profile without
    /// faults gives none.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Faults(Vec::new());
        faults.add_if(
            self.name.trim().is_empty(),
            "name",
            "give the format a name",
        );
        self.check_columns(&mut faults);
        self.check_needed_columns(&mut faults);
        self.check_other_columns(&mut faults);
        self.check_dates(&mut faults);
        self.check_codes(&mut faults);
        self.check_record_types(&mut faults);
        self.check_trailer(&mut faults);
        self.check_texts(&mut faults);
        faults.0
    }

    fn has(&self, field: Field) -> bool {
        self.columns.contains_key(&field)
    }

    fn check_columns(&self, faults: &mut Faults) {
        for (field, column) in &self.columns {
            self.check_column(&format!("columns.{field}"), column, faults);
        }
        let numbers = self.columns.values().filter_map(|column| match column {
            Column::Number(number) => Some(*number),
            Column::Named(_) => None,
        });
        match (self.header, self.width, numbers.max()) {
            (true, Some(_), _) => faults.add("width", "leave it out: the header says it"),
            (false, Some(width), Some(last)) if width < last => {
                faults.add(
                    "width",
                    format!("it is {width}, and columns go up to {last}"),
                );
            }
            (true | false, _, _) => {}
        }
    }

    fn check_column(&self, key: &str, column: &Column, faults: &mut Faults) {
        match column {
            Column::Number(number) => {
                let is_wrong = *number == 0 || *number > MOST_CELLS;
                faults.add_if(is_wrong, key, "a column number is counted from 1 to 1024");
            }
            Column::Named(spellings) => {
                let is_blank = spellings.iter().any(|spelling| spelling.trim().is_empty());
                faults.add_if(
                    spellings.is_empty() || is_blank,
                    key,
                    "name at least one header",
                );
                faults.add_if(!self.header, key, "give its number: the file has no header");
            }
        }
    }

    fn check_needed_columns(&self, faults: &mut Faults) {
        let needs_code = self.kind != DeclaredKind::ValidationFailures;
        faults.add_if(
            needs_code && !self.has(Field::Code),
            "columns.code",
            "name the column of the return code; only validation failures can do without",
        );
        let mut keys = Field::ALL.iter().filter(|field| field.is_match_key());
        faults.add_if(
            !keys.any(|field| self.has(*field)),
            "columns",
            "name a column by which a payment is found: payment_id, order_id, \
             transfer_request_id, original_trace or individual_id",
        );
        for field in self.required.iter().filter(|field| !self.has(**field)) {
            faults.add("required", format!("{field} has no column"));
        }
        for field in self
            .keep_apostrophes
            .iter()
            .filter(|field| !self.has(**field))
        {
            faults.add("keep_apostrophes", format!("{field} has no column"));
        }
        faults.add_if(
            self.has(Field::Amount) && self.amount_unit.is_none(),
            "amount_unit",
            "say what the amounts count: \"minor\" (cents) or \"major\" (dollars)",
        );
        faults.add_if(
            self.has(Field::Direction) == self.directions.is_empty(),
            "directions",
            "columns.direction and directions go together: the column, and what its values mean",
        );
    }

    fn check_other_columns(&self, faults: &mut Faults) {
        for column in &self.masked {
            self.check_column("masked", column, faults);
        }
        if let Some(filter) = &self.row_filter {
            self.check_column("row_filter.column", &filter.column, faults);
            let is_blank = filter
                .starts_with
                .iter()
                .any(|start| start.trim().is_empty());
            faults.add_if(
                filter.starts_with.is_empty() || is_blank,
                "row_filter.starts_with",
                "name at least one beginning, and none that is blank",
            );
        }
        for (key, width) in &self.pad {
            let key = format!("pad.{key}");
            faults.add_if(!(1..=64).contains(width), &key, "pad to 1 to 64 digits");
        }
    }

    fn check_dates(&self, faults: &mut Faults) {
        let has_dates = self.columns.keys().any(|field| field.is_date());
        faults.add_if(
            has_dates && self.date_formats.is_empty(),
            "date_formats",
            "say how dates are written, as in \"%m/%d/%Y\"",
        );
        for (index, format) in self.date_formats.iter().enumerate() {
            if let Some(fault) = date::fault_of(format) {
                faults.add("date_formats", fault);
            }
            for other in &self.date_formats[..index] {
                if date::are_ambiguous(format, other) {
                    let message = format!("{other:?} and {format:?} read one text as two dates");
                    faults.add("date_formats", message);
                }
            }
        }
    }

    fn check_codes(&self, faults: &mut Faults) {
        for pattern in &self.validation_codes {
            let mut returns = ReturnCode::ALL.iter().map(|code| code.as_str());
            let mut corrections = CorrectionCode::ALL.iter().map(|code| code.as_str());
            let known = returns.find(|code| fits(pattern, code));
            let known = known.or_else(|| corrections.find(|code| fits(pattern, code)));
            if let Some(code) = known {
                let message = format!("{pattern:?} also fits the network's code {code}");
                faults.add("validation_codes", message);
            }
            let is_blank = pattern.trim_matches([' ', '*']).is_empty();
            faults.add_if(
                is_blank && known.is_none(),
                "validation_codes",
                "a pattern is blank",
            );
        }
        for (from, to) in &self.code_map {
            let key = format!("code_map.{from}");
            let is_capitals = from.trim().to_uppercase() == *from && !from.is_empty();
            faults.add_if(
                !is_capitals,
                &key,
                "write it in capitals, without blanks around it",
            );
            let is_known = ReturnCode::ALL.iter().any(|code| code.as_str() == to)
                || CorrectionCode::ALL.iter().any(|code| code.as_str() == to);
            if !is_known {
                faults.add(
                    key,
                    format!("{to:?} is no return or change code, such as R01 or C01"),
                );
            }
        }
        faults.add_if(
            self.blank_code_is_validation_failure && !self.has(Field::Description),
            "blank_code_is_validation_failure",
            "it needs columns.description, which then says what failed",
        );
        let is_in_vain = self.blank_code_is_validation_failure
            && matches!(self.kind, DeclaredKind::Returns | DeclaredKind::Corrections);
        faults.add_if(
            is_in_vain,
            "blank_code_is_validation_failure",
            "kind allows none",
        );
    }

    fn check_record_types(&self, faults: &mut Faults) {
        faults.add_if(
            self.has(Field::RecordType) != self.record_types.is_some(),
            "record_types",
            "columns.record_type and record_types go together",
        );
        let Some(types) = &self.record_types else {
            return;
        };
        faults.add_if(
            types.detail.is_empty(),
            "record_types.detail",
            "name the record type of the rows that are entries",
        );
        let mut seen = BTreeSet::new();
        let lists = [&types.detail, &types.header, &types.trailer, &types.ignored];
        for name in lists.into_iter().flatten() {
            if !seen.insert(normal(name)) {
                faults.add("record_types", format!("{name:?} is listed twice"));
            }
        }
    }

    fn check_trailer(&self, faults: &mut Faults) {
        let Some(trailer) = &self.trailer else { return };
        let by_type = self
            .record_types
            .as_ref()
            .is_some_and(|types| !types.trailer.is_empty());
        faults.add_if(
            trailer.first_cell.is_empty() && !by_type,
            "trailer.first_cell",
            "say how the trailer is told: by its first cell, or by record_types.trailer",
        );
        let is_blank = trailer.first_cell.iter().any(|text| text.trim().is_empty());
        faults.add_if(is_blank, "trailer.first_cell", "a text is blank");
        for (key, column) in [
            ("trailer.count", &trailer.count),
            ("trailer.total", &trailer.total),
        ] {
            if let Some(column) = column {
                self.check_column(key, column, faults);
            }
        }
        faults.add_if(
            trailer.total.is_some() && !self.has(Field::Amount),
            "trailer.total",
            "there is no columns.amount whose sum it could be",
        );
    }

    fn check_texts(&self, faults: &mut Faults) {
        let is_blank = |text: &String| text.trim_matches([' ', '*']).is_empty();
        faults.add_if(
            self.no_records.iter().any(is_blank),
            "no_records",
            "a sentence is blank, and would stand for every row",
        );
        for name in self.directions.keys().filter(|name| name.trim().is_empty()) {
            let message = format!("{name:?} is blank; `direction` says what a blank cell means");
            faults.add("directions", message);
        }
    }
}
