//! The corrected data of a notification of change.

use super::cell;
use super::column::Field;
use super::mapping::RowFields;
use crate::code::{CorrectedField, CorrectionCode};
use crate::entry::{Coded, Corrected, EntryKind, routing};
use crate::format::limits;
use crate::format::nacha::batch::BatchClass;
use crate::format::nacha::corrected::{split, transaction_code};

/// Puts the corrected data of the row into a correction; other kinds have none. A column of its own
/// counts where the code corrects it, since some files fill it always; what is missing is taken from
/// the column of the network's data.
pub(super) fn fill(kind: &mut EntryKind, fields: &RowFields<'_>) {
    match kind {
        EntryKind::Correction { code, corrected }
        | EntryKind::RefusedCorrection {
            code, corrected, ..
        } => {
            let corrects = code.known().map_or(&[][..], |code| code.info().corrects);
            let mut own = of_columns(fields);
            own.retain(|(field, _)| corrects.is_empty() || corrects.contains(field));
            let has = |field| own.iter().any(|(one, _)| *one == field);
            let is_whole = match corrects {
                [] => !own.is_empty(),
                fields => fields.iter().all(|field| has(*field)),
            };
            let data = fields.value(Field::CorrectedData).filter(|_| !is_whole);
            let mut parts = data.map_or_else(Vec::new, |data| of_one_column(code, &data));
            parts.retain(|part| !field_of(part).is_some_and(has));
            *corrected = own.into_iter().map(|(_, part)| part).collect();
            corrected.extend(parts);
        }
        EntryKind::Return { .. }
        | EntryKind::Dishonored { .. }
        | EntryKind::Contested { .. }
        | EntryKind::ValidationFailure { .. } => {}
    }
}

/// What a part of corrected data is, if it is known.
fn field_of(part: &Corrected) -> Option<CorrectedField> {
    match part {
        Corrected::Account(_) => Some(CorrectedField::AccountNumber),
        Corrected::Routing(_) => Some(CorrectedField::RoutingNumber),
        Corrected::TransactionCode(_) => Some(CorrectedField::TransactionCode),
        Corrected::Name(_) => Some(CorrectedField::Name),
        Corrected::IndividualId(_) => Some(CorrectedField::IndividualId),
        Corrected::ForeignBank(_) => Some(CorrectedField::ForeignReceivingDfiId),
        Corrected::CompanyName(_) => Some(CorrectedField::CompanyName),
        Corrected::CompanyId(_) => Some(CorrectedField::CompanyId),
        Corrected::Text(_) | Corrected::Unreadable(_) => None,
    }
}

/// One piece from each column of its own, in the order of the network's addenda.
fn of_columns(fields: &RowFields<'_>) -> Vec<(CorrectedField, Corrected)> {
    let value = |field| fields.value(field);
    let account = value(Field::CorrectedAccount).and_then(|account| cell::tail(&account));
    let routing = fields.as_written(Field::CorrectedRouting);
    let routing = routing
        .zip(value(Field::CorrectedRouting))
        .and_then(|(written, padded)| routing_number(written, &padded));
    let code = value(Field::CorrectedTransactionCode);
    let name = value(Field::CorrectedName).map(|name| limits::cut(name.into_owned(), limits::ID));
    let pieces = [
        (CorrectedField::RoutingNumber, routing),
        (
            CorrectedField::AccountNumber,
            account.map(Corrected::Account),
        ),
        (
            CorrectedField::TransactionCode,
            code.and_then(|code| account_kind(&code)),
        ),
        (CorrectedField::Name, name.map(Corrected::Name)),
    ];
    let pieces = pieces.into_iter();
    pieces
        .filter_map(|(field, piece)| Some((field, piece?)))
        .collect()
}

/// A transaction code, or what a text that is none can be told by.
fn account_kind(text: &str) -> Option<Corrected> {
    transaction_code(text.trim()).or_else(|| cell::tail(text).map(Corrected::Unreadable))
}

/// A routing number whose check digit is right, or what it can be told by. Eight digits of which
/// nothing says what they lack have lost the zero that the profile puts back.
fn routing_number(written: &str, padded: &str) -> Option<Corrected> {
    let complete = routing::complete(written).or_else(|| routing::complete(padded));
    complete.map_or_else(
        || cell::tail(written).map(Corrected::Unreadable),
        |routing| Some(Corrected::Routing(routing)),
    )
}

/// The change code says what a single column of corrected data holds. Data of several pieces is
/// taken apart as the network's addenda has them.
fn of_one_column(code: &Coded<CorrectionCode>, data: &str) -> Vec<Corrected> {
    let corrects = code.known().map_or(&[][..], |code| code.info().corrects);
    match corrects {
        [field] => of_one_field(*field, data).into_iter().collect(),
        [] | [_, _, ..] => split(code.known(), data, BatchClass::Domestic),
    }
}

fn of_one_field(field: CorrectedField, data: &str) -> Option<Corrected> {
    let text = limits::cut(data.to_owned(), limits::ID);
    Some(match field {
        CorrectedField::AccountNumber => Corrected::Account(cell::tail(data)?),
        CorrectedField::RoutingNumber => routing_number(data, data)?,
        CorrectedField::Name => Corrected::Name(text),
        CorrectedField::TransactionCode => account_kind(data)?,
        CorrectedField::ForeignReceivingDfiId => Corrected::ForeignBank(text),
        CorrectedField::IndividualId => Corrected::IndividualId(text),
        CorrectedField::CompanyName => Corrected::CompanyName(text),
        CorrectedField::CompanyId => Corrected::CompanyId(text),
        CorrectedField::SecCode => Corrected::Text(text),
    })
}
