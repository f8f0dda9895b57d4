//! The corrected data of a notification of change.

use super::cell;
use super::column::Field;
use super::mapping::Cells;
use crate::code::CorrectionCode;
use crate::entry::{Coded, Corrected, EntryKind};

/// Puts the corrected data of the row into a correction; other kinds have none.
pub(super) fn fill(kind: &mut EntryKind, cells: &Cells<'_>) {
    match kind {
        EntryKind::Correction { code, corrected }
        | EntryKind::RefusedCorrection {
            code, corrected, ..
        } => {
            *corrected = of_columns(cells);
            if corrected.is_empty() {
                let data = cells.value(Field::CorrectedData);
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
fn of_columns(cells: &Cells<'_>) -> Vec<Corrected> {
    let text = |field| cells.value(field).map(|value| value.into_owned());
    let account = cells
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

/// The change code says what a single column of corrected data holds. What may hold an
/// account number and cannot be told apart is hidden.
fn of_one_column(code: &Coded<CorrectionCode>, data: &str) -> Option<Corrected> {
    use CorrectionCode::{C01, C02, C04, C05, C08, C09, C10, C11, C14};
    let text = data.to_owned();
    Some(match code.known() {
        Some(C01) => Corrected::Account(cell::tail(data)?),
        Some(C02) => Corrected::Routing(text),
        Some(C04) => Corrected::Name(text),
        Some(C05) => Corrected::TransactionCode(text),
        Some(C08) => Corrected::ForeignBank(text),
        Some(C09) => Corrected::IndividualId(text),
        Some(C10) => Corrected::CompanyName(text),
        Some(C11) => Corrected::CompanyId(text),
        Some(C14) => Corrected::Text(text),
        Some(_) | None => Corrected::Unreadable(cell::tail(data)?),
    })
}
