#![doc = include_str!("../README.md")]

/// As many digits in a row may be an account number.
const SHORTEST_RUN: usize = 5;
/// As many digits with separators between them may be one.
const SHORTEST_GROUPED: usize = 7;
/// The most characters between two digits of one number, as in `9041 -- 7263`.
const LONGEST_SEPARATOR: usize = 8;
/// Groups of as many digits are one number also where a list, or a letter, stands between them.
const SHORTEST_GROUP: usize = 4;

/// Hides what may be an account number in a text that somebody else wrote: of long numbers only
/// the last digits stay, also if separators stand between the digits. Dates stay.
///
/// It goes through any text once.
#[must_use]
pub fn without_long_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_numeric) {
        let (before, from_number) = rest.split_at(start);
        shown.push_str(before);
        let length = date_length(from_number).unwrap_or_else(|| number_length(from_number));
        let (number, after) = from_number.split_at(length);
        if is_long(number) {
            shown.push_str("***");
            shown.push_str(&last_digits(number));
        } else {
            shown.push_str(number);
        }
        rest = after;
    }
    shown + rest
}

/// The last digits of a number: at most four, and never more than half of them.
fn last_digits(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let kept = (digits.len() / 2).min(4);
    digits[digits.len() - kept..].iter().collect()
}

/// What stands between two runs of digits.
#[derive(Default)]
struct Between {
    length: usize,
    letters: usize,
    /// A comma or semicolon before a blank, as in a list.
    is_listed: bool,
}

impl Between {
    fn add(&mut self, letter: char, last: char) {
        self.length += 1;
        self.letters += usize::from(letter.is_alphabetic());
        self.is_listed |= letter == ' ' && matches!(last, ',' | ';');
    }

    fn ends_the_number(&self) -> bool {
        self.length > LONGEST_SEPARATOR || self.letters > 1
    }

    /// Whether the runs on both sides, of so many digits, are one number.
    fn joins(&self, before: usize, after: usize) -> bool {
        let is_plain = self.letters == 0 && !self.is_listed;
        is_plain || before >= SHORTEST_GROUP && after >= SHORTEST_GROUP
    }
}

/// The bytes of the number at the beginning of `text`: digits, with a few characters between them.
fn number_length(text: &str) -> usize {
    let (mut end, mut run) = (0, 0);
    let mut between = Between::default();
    let mut last = ' ';
    for (at, letter) in text.char_indices() {
        if letter.is_numeric() {
            if at > end {
                let next = text[at..]
                    .chars()
                    .take_while(|one| one.is_numeric())
                    .count();
                if !between.joins(run, next) {
                    break;
                }
                (between, run) = (Between::default(), 0);
            }
            end = at + letter.len_utf8();
            run += 1;
        } else {
            between.add(letter, last);
            if between.ends_the_number() {
                break;
            }
        }
        last = letter;
    }
    end
}

fn is_long(number: &str) -> bool {
    let is_no_date = number == "0000-00-00";
    if is_no_date || date_length(number) == Some(number.len()) || is_list_of_fields(number) {
        return false;
    }
    let digits = number.chars().filter(|letter| letter.is_numeric()).count();
    let mut runs = number.split(|letter: char| !letter.is_numeric());
    let has_long_run = runs.any(|run| run.chars().count() >= SHORTEST_RUN);
    has_long_run || digits >= SHORTEST_GROUPED
}

/// The fields of R69 as its addenda lists them: `01*03*06`.
fn is_list_of_fields(number: &str) -> bool {
    let mut fields = number.split('*');
    fields.all(|field| matches!(field.as_bytes(), [b'0', b'1'..=b'7']))
}

/// The length of a date at the beginning of `text`, written 2026-11-20 or 11/20/2026. What goes on like a
/// number, as 2026-11-20-2611 does, is none.
fn date_length(text: &str) -> Option<usize> {
    const LENGTH: usize = 10;
    let date = text.as_bytes().get(..LENGTH)?;
    let after = text.as_bytes().get(LENGTH..);
    if let Some([b'0'..=b'9', ..] | [b'-' | b'/' | b'.' | b'_', b'0'..=b'9', ..]) = after {
        return None;
    }
    let is_pair = |tens: &u8, ones: &u8, most: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits && (1..=most).contains(&((tens - b'0') * 10 + (ones - b'0')))
    };
    let is_date = match date {
        [b'2', b'0', y, z, b'-', m, n, b'-', d, e] | [m, n, b'/', d, e, b'/', b'2', b'0', y, z] => {
            let is_year = y.is_ascii_digit() && z.is_ascii_digit();
            is_year && is_pair(m, n, 12) && is_pair(d, e, 31)
        }
        _ => false,
    };
    is_date.then_some(LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_may_be_an_account_keeps_only_its_last_digits() {
        for (text, shown) in [
            ("ACCT 123456789012 CLOSED", "ACCT ***9012 CLOSED"),
            ("1234567 and 7654321", "***567 and ***321"),
            ("né 12345678é", "né ***5678é"),
            ("１２３４５６７", "***"),
            ("", ""),
            ("9", "9"),
            ("12345", "***45"),
        ] {
            assert_eq!(without_long_numbers(text), shown);
        }
    }

    #[test]
    fn separators_hide_nothing_from_the_rule() {
        for account in [
            "730284615509",
            "7302-8461-5509",
            "7302 8461 5509",
            "7302.8461.5509",
            "730.284.615.509",
            "7302/8461/5509",
            "7302_8461_5509",
            "7302 - 8461 - 5509",
            "7302\u{a0}8461\u{a0}5509",
            "7302\u{2013}8461\u{2013}5509",
            "7302\u{200b}84615509",
            "73-02-84-61-55-09",
            "7,3,0,2,8,4,6,1,5,5,0,9",
            "(7302)84615509",
            "7302*8461*5509",
            "7302    8461 5509",
            "7302 -- 8461 -- 5509",
            "7302  - 8461  - 5509",
            "7302, 8461, 5509",
            "7302; 8461; 5509",
            "7302A8461B5509",
            "7302 x 8461 x 5509",
            "1904-12-17-5509",
            "2004-12-17-5509",
            "12/17/2004/5509",
        ] {
            let shown = without_long_numbers(&format!("ACCT {account} CLOSED"));
            let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, "5509", "{account}: {shown}");
        }
        assert_eq!(without_long_numbers("７３０２８４６１"), "***");
    }

    #[test]
    fn dates_and_short_numbers_stay() {
        for text in [
            "R03 on 2026-11-20 15:04:05",
            "R03 on 11/20/2026 and 11/21/2026",
            "code 01*03*06*07",
            "fields 01, 03, 06, 07, 12, 15",
            "check 1234, 88.00",
            "check 1234 of lines 12, 13, 204, 1205",
            "1,234.56 of 12 items",
            "0000-00-00",
        ] {
            assert_eq!(without_long_numbers(text), text);
        }
        assert_eq!(without_long_numbers("check 1234    567"), "check ***567");
        assert_eq!(without_long_numbers("2026-11-201"), "***1201");
        assert_eq!(without_long_numbers("2026-13-20"), "***1320");
        assert_eq!(without_long_numbers("2026-00-20"), "***0020");
        assert_eq!(without_long_numbers("20.6-11-20"), "***120");
        assert_eq!(without_long_numbers("2026-1 -20"), "***120");
    }

    #[test]
    fn a_text_of_many_numbers_is_gone_through_once() {
        let text = "1234567ab".repeat(100_000);
        assert_eq!(without_long_numbers(&text), "***567ab".repeat(100_000));
        let text = "1234567a".repeat(100_000);
        assert_eq!(without_long_numbers(&text), "***4567a");
        let text = "1 ".repeat(100_000);
        assert_eq!(without_long_numbers(&text), "***1111 ");
    }

    #[test]
    fn no_text_shows_five_digits_in_a_row_and_none_grows() {
        let letters: Vec<char> = "0123456789 -./,;:_*aXé０\n".chars().collect();
        let mut state: u64 = 20_261_201;
        let mut draw = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..200_000 {
            let text: String = (0..draw(40))
                .map(|_| letters[draw(letters.len())])
                .collect();
            let shown = without_long_numbers(&text);
            assert!(shown.len() <= 2 * text.len() + 8, "{text:?}: {shown:?}");
            let mut runs = shown.split(|letter: char| !letter.is_ascii_digit());
            assert!(runs.all(|run| run.len() < 5), "{text:?}: {shown:?}");
        }
    }
}
