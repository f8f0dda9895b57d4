//! Names that others give to their files. A name is data: it is compared, shown escaped and
//! handed back to the place it came from, and never a path of this machine.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// More bytes than this no file system here or there takes.
const LONGEST_BYTES: usize = 255;

/// The name of a file at its source, byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RemoteName(Vec<u8>);

impl RemoteName {
    /// The name as the source gave it.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, as the server sent them.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text, as it goes into records. Bytes that are not UTF-8 are written as
    /// `\xFF`, so that two names never become one.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            text.push_str(chunk.valid());
            for byte in chunk.invalid() {
                text.push_str(&format!("\\x{byte:02X}"));
            }
        }
        text
    }

    /// The name for people: odd characters, such as right-to-left marks, are escaped.
    pub(crate) fn shown(&self) -> String {
        self.text().escape_debug().to_string()
    }

    /// Why the name cannot be used at all; `None` for one that can.
    pub(crate) fn hostile(&self) -> Option<&'static str> {
        match self.0.as_slice() {
            b"" => Some("it has no name"),
            b"." | b".." => Some("it is a step of a path"),
            name if name.len() > LONGEST_BYTES => Some("its name has more than 255 bytes"),
            name if name.contains(&b'/') => Some("its name has a slash in it"),
            name if name.contains(&0) => Some("its name has a NUL in it"),
            _ if self.text().chars().any(char::is_control) => {
                Some("its name has a control character in it")
            }
            _ => None,
        }
    }

    /// The name with something after it.
    pub(crate) fn with_suffix(&self, suffix: &str) -> Self {
        Self([self.as_bytes(), suffix.as_bytes()].concat())
    }

    /// Whether it ends with `end`, in any case of ASCII letters.
    pub(crate) fn ends_with_ignoring_case(&self, end: &str) -> bool {
        let at = self.0.len().checked_sub(end.len());
        at.and_then(|at| self.0.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    }

    /// The path of the file in its own directory, there.
    pub(super) fn within(&self, directory: &Path) -> PathBuf {
        directory.join(OsStr::from_bytes(&self.0))
    }
}

impl std::fmt::Debug for RemoteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_steps_of_paths_or_cannot_be_shown_are_hostile() {
        for name in [
            "",
            ".",
            "..",
            "../../x",
            "/etc/passwd",
            "a\0b",
            "a\nb",
            "a\u{85}b",
        ] {
            assert!(RemoteName::new(name).hostile().is_some(), "{name:?}");
        }
        assert!(RemoteName::new("x".repeat(256)).hostile().is_some());
        assert!(RemoteName::new("x".repeat(255)).hostile().is_none());
        assert!(
            RemoteName::new("returns 2026-11-20.csv")
                .hostile()
                .is_none()
        );
    }

    #[test]
    fn a_right_to_left_mark_is_data_and_shown_escaped() {
        let name = RemoteName::new("returns\u{202e}vsc.exe");
        assert_eq!(name.hostile(), None);
        assert_eq!(name.text(), "returns\u{202e}vsc.exe");
        assert_eq!(name.shown(), "returns\\u{202e}vsc.exe");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_kept_and_shown() {
        let name = RemoteName::new(b"retour_\xe9.csv".to_vec());
        assert_eq!(name.hostile(), None);
        assert_eq!(name.text(), "retour_\\xE9.csv");
        assert_ne!(
            name.text(),
            RemoteName::new(b"retour_\xe8.csv".to_vec()).text()
        );
        assert_eq!(
            name.within(Path::new("/in")).as_os_str().as_bytes(),
            b"/in/retour_\xe9.csv"
        );
    }
}
