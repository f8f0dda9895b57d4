//! Values of a row on which no decision can rest. They stop that row, and no other.

use chrono::NaiveDate;
use echeck_adapter::amount::AmountUnit;
use echeck_adapter::public_message;
use echeck_adapter::row::{Cell, TargetRow};
use echeck_adapter::schema::MappedColumn;
use echeck_proto::adapter::v1::TransferType;

use crate::deposit::DepositColumn;
use crate::mapping::GatewayMapping;

/// No gateway's ids are longer; one that is would fill journal, messages and reports.
const MAX_ID_BYTES: usize = 255;

/// A value of a row: the key that names its column, the column, what the value should be, and
/// whether it is.
type Check<'a> = (&'static str, Option<&'a MappedColumn>, &'static str, bool);

impl GatewayMapping {
    /// Why nothing can be decided on a row: each value that cannot be used, with the setting that
    /// names its column. Empty when the row is readable.
    pub(crate) fn unreadable(&self, row: &TargetRow) -> String {
        let checks = self.checks(row).into_iter();
        let odd: Vec<String> = checks
            .filter(|(_, _, _, is_fine)| !is_fine)
            .filter_map(|(key, column, wanted, _)| {
                let (name, value) = (column?.name().as_str(), shown(column?.of(row)));
                Some(format!(
                    "transfers.columns.{key}: column {name:?} holds {value}, which is not {wanted}"
                ))
            })
            .collect();
        if odd.is_empty() {
            return String::new();
        }
        format!("{}; correct the row or the mapping", odd.join("; "))
    }

    /// The type and the state of a row that the mapping does not name.
    pub(crate) fn unnamed(&self, row: &TargetRow) -> String {
        let state = self.columns.state.of(row);
        let kind = self.columns.kind.as_ref().map(|column| {
            let kind = column.of(row);
            let is_named = self.types.parse(&kind.text()) != TransferType::Unspecified;
            ("types", kind, is_named)
        });
        let state = ("states", state, self.states.parse(&state.text()).is_some());
        let unnamed = kind
            .into_iter()
            .chain([state])
            .filter(|(_, _, is_named)| !is_named)
            .map(|(key, word, _)| format!("{} is not in transfers.{key}", shown(word)));
        unnamed.collect::<Vec<_>>().join(", ")
    }

    const fn amounts(&self) -> &'static str {
        match self.amount_unit {
            AmountUnit::Minor => "a number of minor units above 0",
            AmountUnit::Major => "an amount above 0 with at most two decimals",
        }
    }

    fn checks(&self, row: &TargetRow) -> [Check<'_>; 7] {
        let columns = &self.columns;
        let id = columns.id.of(row).text();
        let currency = self.currency(row);
        let settlement_date = columns.settlement_date.as_ref();
        let deposit = self.deposit.as_ref();
        // An id by which its own column does not find the row again cannot be changed.
        let finds_itself = (1..=MAX_ID_BYTES).contains(&id.len()) && columns.id.id(&id).is_some();
        let is_positive = self.minor(row).is_some_and(|minor| minor > 0);
        let is_day = settlement_date.is_none_or(|column| {
            let date = column.of(row);
            date.is_null() || day(date).is_some()
        });
        let is_known = deposit.is_none_or(|deposit| deposit.is_in(row).is_some());
        let deposit = deposit.map(DepositColumn::column);
        let (kind, state) = (columns.kind.as_ref(), &columns.state);
        let is_type = kind.is_none_or(|kind| is_word(kind.of(row)));
        [
            ("id", Some(&columns.id), "a usable id", finds_itself),
            ("type", kind, "a type", is_type),
            ("state", Some(state), "a state", is_word(state.of(row))),
            ("amount", Some(&columns.amount), self.amounts(), is_positive),
            (
                "currency",
                columns.currency.as_ref(),
                "a currency of three letters",
                is_currency(&currency),
            ),
            ("settlement_date", settlement_date, "a date", is_day),
            ("deposit_id", deposit, "the id of a deposit", is_known),
        ]
    }
}

fn is_word(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(_) | Cell::Integer(_))
}

fn is_currency(text: &str) -> bool {
    let letters = text.trim();
    letters.len() == 3 && letters.bytes().all(|letter| letter.is_ascii_alphabetic())
}

/// The day of a date, or of an instant.
pub(crate) fn day(cell: &Cell) -> Option<NaiveDate> {
    cell.text().get(..10)?.parse().ok()
}

/// A value as a message shows it.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => format!("{:?}", public_message(text)),
        Cell::Integer(number) => public_message(&number.to_string()),
        Cell::Null | Cell::Unusable(_) => cell.kind().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_from_a_date_or_an_instant_and_from_nothing_else() {
        let text = |text: &str| day(&Cell::Text(text.to_owned()));
        let expected = NaiveDate::from_ymd_opt(2026, 2, 23);
        assert_eq!(text("2026-02-23"), expected);
        assert_eq!(text("2026-02-23 00:00:00+00"), expected);
        for odd in ["", "0000-00-00", "infinity", "23.02.2026", "2026-02-2é"] {
            assert_eq!(text(odd), None, "{odd}");
        }
        assert_eq!(day(&Cell::Integer(20_260_223)), None);
    }

    #[test]
    fn a_value_is_shown_without_long_digits() {
        assert_eq!(shown(&Cell::Null), "NULL");
        assert_eq!(
            shown(&Cell::Text("bucks 123456".into())),
            "\"bucks ***456\""
        );
        assert_eq!(shown(&Cell::Integer(-5)), "-5");
    }
}
