//! The corrected data of a notification of change.

use super::cell;
use super::column::Field;
use super::mapping::RowFields;
use crate::code::{CorrectedField, CorrectionCode};
use crate::entry::{Coded, Corrected, EntryKind, routing};
use crate::format::limits;
use crate::format::nacha::batch::BatchClass;
use crate::format::nacha::corrected::split;

/// Puts the corrected data of the row into a correction; other kinds have none.
pub(super) fn fill(kind: &mut EntryKind, fields: &RowFields<'_>) {
    match kind {
        EntryKind::Correction { code, corrected }
        | EntryKind::RefusedCorrection {
            code, corrected, ..
        } => {
            *corrected = of_columns(fields);
            if corrected.is_empty() {
                let data = fields.value(Field::CorrectedData);
                corrected.extend(
                    data.map(|data| of_one_column(code, &data))
                        .unwrap_or_default(),
                );
            }
        }
        EntryKind::Return { .. }
        | EntryKind::Dishonored { .. }
        | EntryKind::Contested { .. }
        | EntryKind::ValidationFailure { .. } => {}
    }
}

/// One piece from each column of its own, in the order of the network's addenda.
fn of_columns(fields: &RowFields<'_>) -> Vec<Corrected> {
    let text = |field| {
        let value = fields.value(field)?.into_owned();
        Some(limits::cut(value, limits::ID))
    };
    let account = fields
        .value(Field::CorrectedAccount)
        .and_then(|account| cell::tail(&account));
    let routing = fields.as_written(Field::CorrectedRouting);
    let routing = routing
        .zip(fields.value(Field::CorrectedRouting))
        .and_then(|(written, padded)| routing_number(written, &padded));
    let pieces = [
        routing,
        account.map(Corrected::Account),
        text(Field::CorrectedTransactionCode).map(Corrected::TransactionCode),
        text(Field::CorrectedName).map(Corrected::Name),
    ];
    pieces.into_iter().flatten().collect()
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
        CorrectedField::TransactionCode => Corrected::TransactionCode(text),
        CorrectedField::ForeignReceivingDfiId => Corrected::ForeignBank(text),
        CorrectedField::IndividualId => Corrected::IndividualId(text),
        CorrectedField::CompanyName => Corrected::CompanyName(text),
        CorrectedField::CompanyId => Corrected::CompanyId(text),
        CorrectedField::SecCode => Corrected::Text(text),
    })
}
