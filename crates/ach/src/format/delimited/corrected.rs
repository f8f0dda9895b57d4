//! The corrected data of a notification of change.

use super::cell;
use super::column::Field;
use super::mapping::RowFields;
use crate::code::{CorrectedField, CorrectionCode};
use crate::entry::{Coded, Corrected, EntryKind};

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
                corrected.extend(data.and_then(|data| of_one_column(code, &data)));
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
    let text = |field| fields.value(field).map(|value| value.into_owned());
    let account = fields
        .value(Field::CorrectedAccount)
        .and_then(|account| cell::tail(&account));
    let pieces = [
        text(Field::CorrectedRouting).map(Corrected::Routing),
        account.map(Corrected::Account),
        text(Field::CorrectedTransactionCode).map(Corrected::TransactionCode),
        text(Field::CorrectedName).map(Corrected::Name),
    ];
    pieces.into_iter().flatten().collect()
}

/// The change code says what a single column of corrected data holds. Data of several pieces is
/// hidden, since nothing says where in it an account number is.
fn of_one_column(code: &Coded<CorrectionCode>, data: &str) -> Option<Corrected> {
    let corrects = code.known().map_or(&[][..], |code| code.info().corrects);
    let [field] = corrects else {
        return cell::tail(data).map(Corrected::Unreadable);
    };
    let text = data.to_owned();
    Some(match field {
        CorrectedField::AccountNumber => Corrected::Account(cell::tail(data)?),
        CorrectedField::RoutingNumber => Corrected::Routing(text),
        CorrectedField::Name => Corrected::Name(text),
        CorrectedField::TransactionCode => Corrected::TransactionCode(text),
        CorrectedField::ForeignReceivingDfiId => Corrected::ForeignBank(text),
        CorrectedField::IndividualId => Corrected::IndividualId(text),
        CorrectedField::CompanyName => Corrected::CompanyName(text),
        CorrectedField::CompanyId => Corrected::CompanyId(text),
        CorrectedField::SecCode => Corrected::Text(text),
    })
}
