//! Reject codes: what a bank refuses before it enters the network comes back in NACHA form, with
//! `REJ0nnnn` where the trace number has its bank: in the entry, or in the header of its batch or
//! of the whole file.

use super::record::{Record, RecordField};

/// Where a reject code is, in every type of record.
pub(super) const REJECT_CODE: RecordField = RecordField::new("reject code", 80, 87);

/// The reject code of a record, in capitals; `None` when it has none.
pub(super) fn code_of(record: &Record) -> Option<String> {
    let code = record.upper(REJECT_CODE)?;
    let number = code.strip_prefix("REJ")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    #[test]
    fn only_rej_with_a_number_is_a_reject_code() {
        let code = |text: &str| {
            let line = format!("{:79}{text}", "6");
            code_of(&Record::new(line.as_bytes(), CharacterLayout::Ascii))
        };
        assert_eq!(code("REJ040110000009").as_deref(), Some("REJ04011"));
        assert_eq!(code("rej0401").as_deref(), Some("REJ0401"));
        for other in ["061000050000001", "REJ", "REJECTED", "REJ0401X", ""] {
            assert_eq!(code(other), None, "{other}");
        }
    }
}
