//! A detail row becomes an entry.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::column::Field;
use super::layout::ColumnLayout;
use super::profile::{DeclaredKind, Profile};
use super::row::Row;
use super::tally::FileTally;
use super::{amount, cell, code, corrected, date};
use crate::entry::{AccountTail, Direction, Entry, EntryKeys};
use crate::format::limits;
use crate::format::window::Window;
use crate::money::{Currency, Money};
use echeck_masking::without_long_numbers;

/// The cells of one row, by field.
pub(super) struct RowFields<'a> {
    pub(super) profile: &'a Profile,
    pub(super) layout: &'a ColumnLayout,
    pub(super) row: &'a Row,
    /// What the row is declared to be.
    pub(super) kind: DeclaredKind,
    /// When the file was received.
    pub(super) received_on: NaiveDate,
}

/// What is wrong with one field of a row.
pub(super) struct RowFault {
    pub(super) field: String,
    pub(super) why: String,
}

impl<'a> RowFields<'a> {
    /// The value of `field`, cleaned and padded; `None` when it is blank or has no column.
    pub(super) fn value(&self, field: Field) -> Option<Cow<'a, str>> {
        let index = self.layout.index(field)?;
        let value = self.as_written(field)?;
        Some(cell::padded(value, self.layout.pad(index)))
    }

    /// The value of `field` without the zeros that the profile puts before it.
    pub(super) fn as_written(&self, field: Field) -> Option<&'a str> {
        let index = self.layout.index(field)?;
        let cell = self.row.cell(index)?;
        let value = if self.profile.keep_apostrophes.contains(&field) {
            cell.trim()
        } else {
            cell::clean(cell)
        };
        (!value.is_empty()).then_some(value)
    }

    /// A text that only people read.
    fn text(&self, field: Field) -> Option<String> {
        let text = self.value(field).map(Cow::into_owned);
        text.map(|text| limits::cut(text, limits::TEXT))
    }

    fn fault(&self, field: Field, why: impl Into<String>) -> RowFault {
        let index = self.layout.index(field);
        let name = index.map(|index| self.layout.name(index));
        RowFault {
            field: name.unwrap_or_else(|| self.profile.column_name(field)),
            why: why.into(),
        }
    }

    /// The amount in minor units, where there is one.
    pub(super) fn amount_minor(&self) -> Result<Option<i64>, RowFault> {
        let debit = self.amount_of(Field::DebitAmount)?;
        let credit = self.amount_of(Field::CreditAmount)?;
        match (debit.unwrap_or(0), credit.unwrap_or(0)) {
            (0, 0) => Ok(self.amount_of(Field::Amount)?.or(debit).or(credit)),
            (amount, 0) | (0, amount) => Ok(Some(amount)),
            (_, _) => Err(self.fault(
                Field::CreditAmount,
                "the row has an amount of a debit and one of a credit",
            )),
        }
    }

    fn amount_of(&self, field: Field) -> Result<Option<i64>, RowFault> {
        let Some(text) = self.value(field) else {
            return Ok(None);
        };
        let unit = self.profile.amount_unit.ok_or("the profile sets no unit");
        let currency = self.currency()?;
        let number = amount::without_currency(&text, currency);
        let amount = unit.and_then(|unit| amount::of_entry(number, unit));
        amount.map(Some).map_err(|why| {
            let shown = cell::shown(&text);
            self.fault(field, format!("{shown} is not a valid amount: {why}"))
        })
    }

    /// The direction that the column of the amount says. The amounts were read before.
    fn direction_of_column(&self) -> Option<Direction> {
        let is_used = |field| matches!(self.amount_of(field), Ok(Some(1..)));
        match (is_used(Field::DebitAmount), is_used(Field::CreditAmount)) {
            (true, false) => Some(Direction::Debit),
            (false, true) => Some(Direction::Credit),
            (true, true) | (false, false) => None,
        }
    }

    fn currency(&self) -> Result<Currency, RowFault> {
        let Some(text) = self.value(Field::Currency) else {
            return Ok(self.profile.currency);
        };
        text.parse().map_err(|_| {
            let why = format!(
                "{} is not a currency code of three letters",
                cell::shown(&text)
            );
            self.fault(Field::Currency, why)
        })
    }

    fn date(&self, field: Field) -> Result<Option<NaiveDate>, RowFault> {
        let Some(text) = self.value(field) else {
            return Ok(None);
        };
        let formats = &self.profile.date_formats;
        let date = date::read(&text, formats);
        date.map(Some).ok_or_else(|| {
            let (shown, written) = (cell::shown(&text), formats.join(" or "));
            let why = format!("{shown} is not a valid date; dates are written {written}");
            self.fault(field, why)
        })
    }

    /// A date of the row itself. One that lies too far from the day on which the file came is a
    /// placeholder that nobody meant.
    fn own_date(&self, field: Field, tally: &mut FileTally) -> Result<Option<NaiveDate>, RowFault> {
        let date = self.date(field)?;
        Ok(date.filter(|date| {
            let is_near = Window::CREATION.holds(*date, self.received_on);
            if !is_near {
                tally.note(self.row.at, "implausible dates", || {
                    let name = field.as_str().replace('_', " ");
                    format!("the {name} {date} is far from the file's own date; taken as unknown")
                });
            }
            is_near
        }))
    }

    /// When the original took effect; as [`RowFields::own_date`], against the row's own date.
    fn original_date(
        &self,
        own: Option<NaiveDate>,
        tally: &mut FileTally,
    ) -> Result<Option<NaiveDate>, RowFault> {
        let Some(date) = self.date(Field::OriginalDate)? else {
            return Ok(None);
        };
        if Window::ORIGINAL.holds(date, own.unwrap_or(self.received_on)) {
            return Ok(Some(date));
        }
        tally.note(self.row.at, "implausible dates", || {
            format!("the original date {date} is far from the dates of the row; taken as unknown")
        });
        Ok(None)
    }

    fn id(&self, field: Field) -> Result<Option<String>, RowFault> {
        match self.value(field).map(Cow::into_owned) {
            Some(id) if id.len() > limits::ID => {
                let (length, most) = (id.len(), limits::ID);
                let why = format!("the value has {length} bytes; an id has at most {most}");
                Err(self.fault(field, why))
            }
            Some(id) if cell::is_rounded(&id) => {
                let why = "was rounded by a spreadsheet and its digits are lost; fetch the \
                           original file";
                Err(self.fault(field, format!("{id} {why}")))
            }
            id => Ok(id),
        }
    }

    fn keys(&self) -> Result<EntryKeys, RowFault> {
        Ok(EntryKeys {
            original_trace: self.id(Field::OriginalTrace)?,
            return_trace: self.id(Field::ReturnTrace)?,
            payment_id: self.id(Field::PaymentId)?,
            order_id: self.id(Field::OrderId)?,
            transfer_request_id: self.id(Field::TransferRequestId)?,
            case_id: self.id(Field::CaseId)?,
            individual_id: self.id(Field::IndividualId)?,
            check_serial_number: self.id(Field::CheckSerialNumber)?,
            company_id: self.id(Field::CompanyId)?,
        })
    }

    /// The direction, and whether the profile does not list the value it comes from.
    fn direction(&self, tally: &mut FileTally) -> (Direction, Option<Cow<'a, str>>) {
        let Some(value) = self.value(Field::Direction) else {
            return (self.direction_of_sign(tally), None);
        };
        let mut listed = self.profile.directions.iter();
        match listed.find(|(name, _)| name.trim().eq_ignore_ascii_case(&value)) {
            Some((_, direction)) => (*direction, None),
            None => (Direction::Unknown, Some(value)),
        }
    }

    /// The direction that the sign of the amount says, or the profile's. A sign that the profile
    /// does not explain must at least be the same in all rows.
    fn direction_of_sign(&self, tally: &mut FileTally) -> Direction {
        let default = self.profile.direction;
        let Some(text) = self.value(Field::Amount) else {
            return self.direction_of_column().unwrap_or(default);
        };
        let is_negative = amount::is_negative(&text);
        match (self.profile.negative_is, is_negative) {
            (Some(direction), true) => direction,
            (Some(Direction::Debit), false) => Direction::Credit,
            (Some(Direction::Credit), false) => Direction::Debit,
            (Some(Direction::Unknown), false) => default,
            (None, _) if tally.has_sign(is_negative) => default,
            (None, _) => {
                tally.note(self.row.at, "amounts of both signs", || {
                    "their direction is taken as unknown; if the sign is the direction, set \
                     negative_is in the profile"
                        .to_owned()
                });
                Direction::Unknown
            }
        }
    }

    fn account_tail(&self) -> Option<AccountTail> {
        let account = self
            .value(Field::Account)
            .and_then(|account| cell::tail(&account));
        account.or_else(|| AccountTail::of_suffix(&self.value(Field::AccountSuffix)?))
    }

    /// The row for people: header and value, with account numbers hidden.
    fn raw(&self) -> Vec<(String, String)> {
        let longest_name = limits::name(self.row.size(), self.row.len());
        let cells = self.row.cells().enumerate();
        cells
            .map(|(index, text)| {
                let value = cell::clean(text);
                let value = if self.layout.hides(index, value) {
                    cell::masked(value)
                } else if self.layout.is_free_text(index, value) {
                    without_long_numbers(value)
                } else {
                    cell::padded(value, self.layout.pad(index)).into_owned()
                };
                let name = limits::cut(self.layout.name(index), longest_name);
                (name, limits::cut(value, limits::TEXT))
            })
            .collect()
    }

    fn check_required(&self) -> Result<(), RowFault> {
        // Whether a code may be missing depends on the kind of the row.
        let required = self
            .profile
            .required
            .iter()
            .filter(|field| **field != Field::Code);
        for field in required {
            if self.value(*field).is_none() {
                return Err(self.fault(*field, "the value is missing"));
            }
        }
        let mut keys = self
            .profile
            .columns
            .keys()
            .filter(|field| field.is_match_key());
        if keys.clone().any(|field| self.value(*field).is_some()) {
            return Ok(());
        }
        let field = keys.next().copied().unwrap_or(Field::PaymentId);
        Err(self.fault(field, "the row has no id by which its payment can be found"))
    }
}

/// Reads the row. `amount_minor` was read before, so that a rejected row can still show it.
pub(super) fn entry(
    fields: &RowFields<'_>,
    amount_minor: Option<i64>,
    tally: &mut FileTally,
) -> Result<Entry, RowFault> {
    let whole_code = fields.value(Field::Code);
    let (code, words) = match whole_code.as_deref() {
        Some(text) if fields.profile.code_with_text => code::find(text),
        code => (code, None),
    };
    let description = fields
        .text(Field::Description)
        .or_else(|| words.map(|words| limits::cut(words.to_owned(), limits::TEXT)));
    let kind = code::kind(fields.profile, fields.kind, code, description.is_some());
    let mut kind = kind.map_err(|why| fields.fault(Field::Code, why))?;
    fields.check_required()?;
    corrected::fill(&mut kind, fields);

    let currency = fields.currency()?;
    let settlement_date = fields.own_date(Field::SettlementDate, tally)?;
    let received_on = fields.own_date(Field::ReceivedOn, tally)?;
    let issued_on = fields.own_date(Field::IssuedOn, tally)?;
    let own = settlement_date.or(received_on).or(issued_on);
    let mut entry = Entry {
        amount: amount_minor.map(|minor| Money::new(minor, currency)),
        keys: fields.keys()?,
        sec: fields.text(Field::Sec).map(|sec| sec.to_uppercase()),
        company_name: fields.text(Field::CompanyName),
        description,
        settlement_date,
        original_date: fields.original_date(own, tally)?,
        issued_on,
        received_on,
        account_tail: fields.account_tail(),
        raw: if fields.profile.raw {
            fields.raw()
        } else {
            Vec::new()
        },
        ..Entry::new(fields.row.at, kind)
    };
    let (direction, unlisted) = fields.direction(tally);
    entry.direction = direction;
    if let Some(value) = unlisted {
        tally.note(fields.row.at, "direction", || {
            format!(
                "the profile lists no transaction type {}",
                cell::shown(&value)
            )
        });
    }
    Ok(entry)
}
