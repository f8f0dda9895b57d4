//! Routing numbers: eight digits that name a bank, and a ninth that checks them.

/// The ninth digit that follows from the eight before it: 3, 7 and 1 times each digit in turn add
/// up to a multiple of ten with it (ABA). `None` when they are not eight digits.
pub(crate) fn check_digit(bank: &[u8]) -> Option<u8> {
    const WEIGHTS: [u8; 8] = [3, 7, 1, 3, 7, 1, 3, 7];
    if bank.len() != WEIGHTS.len() || !bank.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum = bank.iter().zip(WEIGHTS).fold(0, |sum, (digit, weight)| {
        (sum + (digit - b'0') * weight % 10) % 10
    });
    Some(b'0' + (10 - sum) % 10)
}

/// The routing number that a text of eight or nine digits stands for, with a right check digit.
///
/// Of eight digits, either the check digit was never sent or a leading zero was lost. `None` when
/// both may be true, and when the check digit is wrong.
pub(crate) fn complete(text: &str) -> Option<String> {
    match text.len() {
        9 => is_complete(text).then(|| text.to_owned()),
        8 => {
            let with_zero = format!("0{text}");
            let with_digit = format!("{text}{}", char::from(check_digit(text.as_bytes())?));
            match (is_complete(&with_zero), is_complete(&with_digit)) {
                (false, true) => Some(with_digit),
                (true, false) => Some(with_zero),
                (true, true) | (false, false) => None,
            }
        }
        _ => None,
    }
}

/// Whether the text is nine digits, of which the first two are in use and the last is right.
pub(crate) fn is_complete(text: &str) -> bool {
    let Some((bank, check)) = text.as_bytes().split_at_checked(8) else {
        return false;
    };
    let is_used = bank.starts_with(b"80")
        || matches!(bank, [b'0', ..] | [b'1', b'0'..=b'2', ..])
        || matches!(bank, [b'2', b'1'..=b'9', ..] | [b'3', b'0'..=b'2', ..])
        || matches!(bank, [b'6', b'1'..=b'9', ..] | [b'7', b'0'..=b'2', ..]);
    is_used && bank != b"00000000" && check_digit(bank).is_some_and(|digit| check == [digit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_get_the_check_digit_or_the_zero_that_they_lack() {
        assert_eq!(complete("061000052").as_deref(), Some("061000052"));
        // Without its check digit; a zero before it would make the check digit wrong.
        assert_eq!(complete("06100005").as_deref(), Some("061000052"));
        // Without its leading zero; no routing number begins with 51.
        assert_eq!(complete("51403164").as_deref(), Some("051403164"));
        // 061000052 without its zero, or 610000526 without its check digit.
        assert_eq!(complete("61000052"), None);
    }

    #[test]
    fn what_cannot_be_a_routing_number_is_none() {
        for text in [
            "061000053",
            "06100005X",
            "0610000",
            "0610000521",
            "",
            "000000000",
            "990000006",
            "0610000é",
            "٠٦١٠٠٠٠٥",
        ] {
            assert_eq!(complete(text), None, "{text}");
        }
    }
}
