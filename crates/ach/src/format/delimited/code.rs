//! What an entry is, by its code.

use super::cell;
use super::profile::{DeclaredKind, Profile};
use crate::entry::{Coded, EntryKind};
use crate::format::codes;

/// What the code says. `code` is `None` when its cell is blank. The error says what is
/// wrong with it.
pub(super) fn kind(
    profile: &Profile,
    declared: DeclaredKind,
    code: Option<&str>,
    has_description: bool,
) -> Result<EntryKind, String> {
    let Some(code) = code else {
        return without_code(profile, declared, has_description);
    };
    let code = spelled(profile, code);
    if !codes::is_plausible(&code) {
        return Err(format!(
            "{} is not a valid code; is the row shifted?",
            cell::shown(&code)
        ));
    }
    if let Some(kind) = EntryKind::of_network(&code) {
        return agreed(declared, kind, &code);
    }
    let mut patterns = profile.validation_codes.iter();
    if patterns.any(|pattern| fits(pattern, &code)) {
        let failed = Some(code.clone());
        let kind = EntryKind::ValidationFailure { code: failed };
        return agreed(declared, kind, &code);
    }
    Ok(match declared {
        DeclaredKind::ByCode | DeclaredKind::Returns => EntryKind::Return {
            code: Coded::Unknown(code),
            date_of_death: None,
        },
        DeclaredKind::Corrections => EntryKind::Correction {
            code: Coded::Unknown(code),
            corrected: Vec::new(),
        },
        DeclaredKind::ValidationFailures => EntryKind::ValidationFailure { code: Some(code) },
    })
}

/// The code in a cell with words, and the words: `R01 - Insufficient Funds`, `(R01) NSF`, or a
/// sentence that names one code of the network.
pub(in crate::format) fn find(text: &str) -> (Option<&str>, Option<&str>) {
    let (first, words) = split(text);
    let is_code = |word: &&str| EntryKind::of_network(&word.to_uppercase()).is_some();
    if is_code(&first) {
        return (Some(first), words);
    }
    let mut codes = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(is_code);
    match (codes.next(), codes.next()) {
        (Some(code), None) => (Some(code), Some(text)),
        (Some(_), Some(_)) | (None, _) if first.is_empty() => (None, Some(text)),
        (Some(_), Some(_)) | (None, _) => (Some(first), words),
    }
}

/// Cuts `R01 - Insufficient Funds` into the code and the words.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    let Some(end) = text.find(|c: char| !c.is_ascii_alphanumeric()) else {
        return (text, None);
    };
    let words = text[end..]
        .trim_start_matches([' ', '-', ':', '/', '\t', '|', ','])
        .trim();
    (&text[..end], Some(words).filter(|words| !words.is_empty()))
}

fn without_code(
    profile: &Profile,
    declared: DeclaredKind,
    has_description: bool,
) -> Result<EntryKind, String> {
    let may_be_blank = match declared {
        DeclaredKind::ValidationFailures => true,
        DeclaredKind::ByCode => profile.blank_code_is_validation_failure && has_description,
        DeclaredKind::Returns | DeclaredKind::Corrections => false,
    };
    if may_be_blank {
        Ok(EntryKind::ValidationFailure { code: None })
    } else {
        Err("the code is missing".to_owned())
    }
}

/// The code in capitals, translated where the profile says so.
fn spelled(profile: &Profile, code: &str) -> String {
    let code = code.trim().to_uppercase();
    if let Some(meant) = profile.code_map.get(&code) {
        return meant.clone();
    }
    let is_number = (1..=2).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    if profile.code_without_r && is_number {
        format!("R{code:0>2}")
    } else {
        code
    }
}

/// Whether a word of the text looks like a code of the network.
pub(super) fn names_network_code(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| EntryKind::of_network(&word.to_uppercase()).is_some())
}

/// A file that is declared to have one kind of entry must not have another: the code or the
/// declaration is wrong, and a person must see which.
fn agreed(declared: DeclaredKind, kind: EntryKind, code: &str) -> Result<EntryKind, String> {
    let (agrees, declared) = match declared {
        DeclaredKind::ByCode => (true, ""),
        DeclaredKind::Returns => (kind.is_return(), "returns"),
        DeclaredKind::Corrections => (!kind.moves_money(), "corrections"),
        DeclaredKind::ValidationFailures => (
            matches!(kind, EntryKind::ValidationFailure { .. }),
            "validation failures",
        ),
    };
    if agrees {
        return Ok(kind);
    }
    let is = kind.as_str().replace('_', " ");
    Err(format!(
        "{code} is the code of a {is}, but the file is declared to have {declared} only"
    ))
}

/// Whether the code fits the pattern: `#` is a digit, a `*` at the end is anything.
pub(super) fn fits(pattern: &str, code: &str) -> bool {
    let (pattern, is_open) = pattern
        .strip_suffix('*')
        .map_or((pattern, false), |start| (start, true));
    let length_fits = if is_open {
        code.len() >= pattern.len()
    } else {
        code.len() == pattern.len()
    };
    let same = |(wanted, is): (u8, u8)| {
        if wanted == b'#' {
            is.is_ascii_digit()
        } else {
            wanted.eq_ignore_ascii_case(&is)
        }
    };
    length_fits && pattern.bytes().zip(code.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(
        profile: &Profile,
        code: Option<&str>,
        has_description: bool,
    ) -> Result<EntryKind, String> {
        super::kind(profile, profile.kind, code, has_description)
    }

    fn by_code(code: &str) -> EntryKind {
        kind(&Profile::default(), Some(code), false).unwrap()
    }

    #[test]
    fn the_code_says_what_the_row_is() {
        let cases = [
            ("R01", "return"),
            (" r53 ", "return"),
            ("R61", "dishonored"),
            ("R70", "dishonored"),
            ("R71", "contested"),
            ("R77", "contested"),
            ("R80", "return"),
            ("C01", "correction"),
            ("c61", "refused_correction"),
            ("R97", "return"),
            ("X01", "return"),
            ("2101", "return"),
        ];
        for (code, is) in cases {
            assert_eq!(by_code(code).as_str(), is, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_kept_trimmed_and_in_capitals() {
        assert_eq!(by_code(" r97 ").code(), Some(("R97".into(), false)));
        assert_eq!(by_code("x01").code(), Some(("X01".into(), false)));
        assert_eq!(by_code("r1").code(), Some(("R1".into(), false)));
        assert_eq!(by_code("r01").code(), Some(("R01".into(), true)));
    }

    #[test]
    fn a_declared_kind_rejects_codes_of_another() {
        let declared = |declared, code| {
            kind(
                &Profile {
                    kind: declared,
                    ..Profile::default()
                },
                Some(code),
                true,
            )
        };
        assert!(declared(DeclaredKind::Returns, "R01").is_ok());
        for wrong in ["R61", "R71", "C01", "C61"] {
            let why = declared(DeclaredKind::Returns, wrong).unwrap_err();
            assert!(why.contains("returns only"), "{why}");
        }
        assert!(declared(DeclaredKind::Corrections, "C01").is_ok());
        assert!(declared(DeclaredKind::Corrections, "C61").is_ok());
        assert!(declared(DeclaredKind::Corrections, "R01").is_err());
        assert!(declared(DeclaredKind::ValidationFailures, "R01").is_err());
        let failure = declared(DeclaredKind::ValidationFailures, "abc").unwrap();
        assert_eq!(
            failure,
            EntryKind::ValidationFailure {
                code: Some("ABC".into())
            }
        );
        assert_eq!(
            declared(DeclaredKind::Corrections, "Q1").unwrap().as_str(),
            "correction"
        );
    }

    #[test]
    fn validation_failures_are_recognized_by_pattern_and_by_a_blank_code_with_words() {
        let profile = Profile {
            validation_codes: vec!["###".into(), "X*".into()],
            blank_code_is_validation_failure: true,
            ..Profile::default()
        };
        for code in ["900", "X01", "xz"] {
            assert_eq!(
                kind(&profile, Some(code), false).unwrap().as_str(),
                "validation_failure"
            );
        }
        for code in ["90", "9000", "R03", "Q00"] {
            assert_eq!(
                kind(&profile, Some(code), false).unwrap().as_str(),
                "return",
                "{code}"
            );
        }
        assert_eq!(
            kind(&profile, None, true),
            Ok(EntryKind::ValidationFailure { code: None })
        );
        assert!(kind(&profile, None, false).is_err());
        assert!(kind(&Profile::default(), None, true).is_err());
    }

    #[test]
    fn a_vendors_codes_are_translated() {
        let profile = Profile {
            code_map: [("2101".to_owned(), "R01".to_owned())].into(),
            code_without_r: true,
            ..Profile::default()
        };
        for code in ["2101", "01", "1", "r01"] {
            let kind = kind(&profile, Some(code), false).unwrap();
            assert_eq!(kind.code(), Some(("R01".into(), true)), "{code}");
        }
        let unknown = kind(&profile, Some("2199"), false).unwrap();
        assert_eq!(unknown.code(), Some(("2199".into(), false)));
    }

    #[test]
    fn what_may_be_an_account_number_is_not_a_code() {
        let why = kind(&Profile::default(), Some("12345678"), true).unwrap_err();
        assert!(
            why.contains("***5678") && !why.contains("12345678"),
            "{why}"
        );
        assert!(kind(&Profile::default(), Some("NOT A CODE AT ALL"), true).is_err());
    }

    #[test]
    fn a_code_is_found_in_a_sentence() {
        let cases = [
            ("(R01) Insufficient Funds", Some("R01")),
            ("Return Code: R03 - No Account", Some("R03")),
            ("R10: Not authorized", Some("R10")),
            ("62: CANNOT_TRACE, not R03", Some("R03")),
            ("62: CANNOT_TRACE", Some("62")),
            ("R01 or R09", Some("R01")),
            ("- no funds", None),
            ("(R01) or (R09)", None),
        ];
        for (text, code) in cases {
            assert_eq!(find(text).0, code, "{text}");
        }
    }

    #[test]
    fn a_code_is_cut_from_its_words() {
        assert_eq!(
            split("R01 - Insufficient Funds"),
            ("R01", Some("Insufficient Funds"))
        );
        assert_eq!(split("R01:NSF"), ("R01", Some("NSF")));
        assert_eq!(split("R01"), ("R01", None));
        assert_eq!(split("R01 - "), ("R01", None));
    }
}
