//! Values as people read them: money, times, and what enums and codes mean.

mod codes;
mod enums;
mod money;
mod shell;
mod time;

pub(crate) use codes::{
    account_effect, account_kind, corrected_field, counted_from, initiator, rate_category,
    recommended_action, representment, stage, time_frame, validity,
};
pub(crate) use enums::Words;
pub(crate) use money::{money, sum};
pub(crate) use shell::shell_word;
pub(crate) use time::{day_or_time, since, time};

/// A name that a program gave, such as `SUCCEEDED` or `pause_source`, in plain words. Text that is
/// not such a name stays as it is.
pub(crate) fn plain(name: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_upper = name.bytes().all(|byte| !byte.is_ascii_lowercase());
    let is_lower = name.bytes().all(|byte| !byte.is_ascii_uppercase());
    if name.bytes().all(is_name) && (is_upper || is_lower) {
        name.to_ascii_lowercase().replace('_', " ")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_of_programs_become_plain_words_and_other_text_stays() {
        assert_eq!(plain("SUCCEEDED"), "succeeded");
        assert_eq!(plain("SETTLEMENT_MERCHANT"), "settlement merchant");
        assert_eq!(plain("pause_source"), "pause source");
        assert_eq!(plain("Ann Smith"), "Ann Smith");
        assert_eq!(plain("source:worldpay_returns"), "source:worldpay_returns");
    }
}
