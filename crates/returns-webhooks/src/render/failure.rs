//! The words in which Finix says why a bank payment failed.

/// The published words (docs.finix.com, failure codes of bank payments).
const PUBLISHED: [(&str, &str); 4] = [
    ("R01", "INSUFFICIENT_FUNDS"),
    ("R02", "BANK_ACCOUNT_CLOSED"),
    ("R03", "NO_BANK_ACCOUNT_FOUND"),
    ("R04", "INVALID_BANK_ACCOUNT_NUMBER"),
];

/// Words for codes of which no published one is known, in the same style. A message says that its
/// word is inferred.
const INFERRED: [(&str, &str); 9] = [
    ("R05", "UNAUTHORIZED_DEBIT"),
    ("R07", "AUTHORIZATION_REVOKED"),
    ("R08", "PAYMENT_STOPPED"),
    ("R09", "UNCOLLECTED_FUNDS"),
    ("R10", "CUSTOMER_ADVISES_NOT_AUTHORIZED"),
    ("R11", "CUSTOMER_ADVISES_NOT_AS_AUTHORIZED"),
    ("R16", "BANK_ACCOUNT_FROZEN"),
    ("R20", "NON_TRANSACTION_BANK_ACCOUNT"),
    ("R29", "CORPORATE_CUSTOMER_ADVISES_NOT_AUTHORIZED"),
];

fn of(words: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    let found = words.iter().find(|(known, _)| *known == code);
    found.map(|(_, word)| *word)
}

/// The word for a return code; none for a code that has no word of its own.
pub(super) fn word(code: &str) -> Option<&'static str> {
    of(&PUBLISHED, code).or_else(|| of(&INFERRED, code))
}

/// Whether the word of a code is inferred.
pub(super) fn is_inferred(code: &str) -> bool {
    of(&INFERRED, code).is_some()
}
