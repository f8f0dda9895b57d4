//! How the bytes of a line are counted as characters.
//!
//! Records are 94 characters. Banks send ASCII, UTF-8 (counted in characters, or by some
//! in bytes) and Windows-1252, and none of them says which.

use std::borrow::Cow;

use super::record::WIDTH;

/// Bytes that Windows-1252 does not define.
pub(super) const UNDEFINED: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];

/// The most bytes that 94 characters of UTF-8 take.
const LONGEST: usize = WIDTH * 4;

/// How bytes become positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CharacterLayout {
    /// Each byte is a character of ASCII and a position.
    Ascii,
    /// UTF-8 in which each character is a position.
    Characters,
    /// UTF-8 in which each byte is a position.
    Bytes,
    /// One byte of Windows-1252 is a position.
    Windows1252,
}

impl CharacterLayout {
    /// The text of `bytes`.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Ascii | Self::Characters | Self::Bytes => String::from_utf8_lossy(bytes),
            Self::Windows1252 => {
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(bytes)
                    .0
            }
        }
    }

    /// How many positions a character takes.
    pub(super) fn positions(self, character: char) -> usize {
        match self {
            Self::Ascii | Self::Characters | Self::Windows1252 => 1,
            Self::Bytes => character.len_utf8(),
        }
    }

    /// How many positions `bytes` take.
    pub(super) fn width(self, bytes: &[u8]) -> usize {
        match self {
            Self::Ascii | Self::Bytes | Self::Windows1252 => bytes.len(),
            // Bytes that continue a character have no position of their own.
            Self::Characters => bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count(),
        }
    }
}

/// The first record in the rest of a line: how many bytes it takes and how they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) bytes: usize,
    pub(super) layout: CharacterLayout,
}

/// Bytes that no text file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotText;

/// Whether a byte opens a record.
pub(super) const fn opens_record(byte: u8) -> bool {
    matches!(byte, b'1' | b'5'..=b'9')
}

/// Measures the first record of `rest`, the rest of a line without trailing blanks. Where the
/// line continues after it, what follows decides between characters and bytes: it must open a
/// record.
pub(super) fn measure(rest: &[u8]) -> Result<Measure, NotText> {
    let head = &rest[..rest.len().min(WIDTH)];
    // Without an early exit, the compiler compares many bytes at once.
    if head
        .iter()
        .fold(true, |plain, byte| plain & is_plain(*byte))
    {
        return Ok(Measure {
            bytes: head.len(),
            layout: CharacterLayout::Ascii,
        });
    }
    if head.contains(&0) {
        return Err(NotText);
    }
    let Some(by_characters) = end_by_characters(&rest[..rest.len().min(LONGEST)]) else {
        if head.iter().any(|byte| UNDEFINED.contains(byte)) {
            return Err(NotText);
        }
        return Ok(Measure {
            bytes: head.len(),
            layout: CharacterLayout::Windows1252,
        });
    };
    let fits = |end: usize| rest.get(end).is_none_or(|next| opens_record(*next));
    let full = CharacterLayout::Characters.width(&rest[..by_characters]) == WIDTH;
    if !(full && fits(by_characters)) && rest.len() >= WIDTH && fits(WIDTH) {
        return Ok(Measure {
            bytes: WIDTH,
            layout: CharacterLayout::Bytes,
        });
    }
    Ok(Measure {
        bytes: by_characters,
        layout: CharacterLayout::Characters,
    })
}

/// Whether a byte is a character of ASCII that can be shown.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Where the first 94 characters of UTF-8 end, or all of them when there are fewer.
/// `None` when the bytes up to there are not UTF-8.
fn end_by_characters(bytes: &[u8]) -> Option<usize> {
    let (text, broken) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
            true,
        ),
    };
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => Some(end),
        None if broken && text.chars().count() < WIDTH => None,
        None => Some(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &[u8], filled_to: usize) -> Vec<u8> {
        let mut line = b"6".to_vec();
        line.extend_from_slice(name);
        line.resize(filled_to, b'0');
        line
    }

    #[test]
    fn ascii_takes_ninety_four_bytes() {
        let measured = measure(&line(b"", 200)).unwrap();
        assert_eq!(
            measured,
            Measure {
                bytes: 94,
                layout: CharacterLayout::Ascii
            }
        );
    }

    #[test]
    fn utf8_is_counted_in_characters_when_that_gives_94() {
        let measured = measure(&line("ż".as_bytes(), 95)).unwrap();
        assert_eq!(
            measured,
            Measure {
                bytes: 95,
                layout: CharacterLayout::Characters
            }
        );
    }

    #[test]
    fn utf8_is_counted_in_bytes_when_that_gives_94() {
        let measured = measure(&line("ż".as_bytes(), 94)).unwrap();
        assert_eq!(
            measured,
            Measure {
                bytes: 94,
                layout: CharacterLayout::Bytes
            }
        );
    }

    #[test]
    fn without_line_ends_the_next_record_decides_between_characters_and_bytes() {
        let mut by_characters = line("ż".as_bytes(), 95);
        by_characters.extend_from_slice(&line(b"", 94));
        assert_eq!(measure(&by_characters).unwrap().bytes, 95);
        let mut by_bytes = line("ż".as_bytes(), 94);
        by_bytes.extend_from_slice(&line(b"", 94));
        assert_eq!(measure(&by_bytes).unwrap().bytes, 94);
    }

    #[test]
    fn what_is_not_utf8_is_windows_1252() {
        let measured = measure(&line(b"Andr\xE9 X", 94)).unwrap();
        assert_eq!(
            measured,
            Measure {
                bytes: 94,
                layout: CharacterLayout::Windows1252
            }
        );
    }

    #[test]
    fn zero_bytes_and_undefined_bytes_are_not_text() {
        assert_eq!(measure(&line(b"a\0b", 94)), Err(NotText));
        assert_eq!(measure(&line(b"a\x81 b", 94)), Err(NotText));
    }
}
