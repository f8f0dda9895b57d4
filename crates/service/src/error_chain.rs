//! How an error with its sources is shown.

use std::error::Error;
use std::fmt;

/// Shows an error with all its sources, as `this: its source: the source of that`. Many libraries
/// end the message of an error with its source; that is not shown twice.
#[derive(Debug, Clone, Copy)]
pub struct ErrorChain<'a>(pub &'a dyn Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let message = error.to_string();
            if !shown.ends_with(&message) {
                shown = format!("{shown}: {message}");
            }
            source = error.source();
        }
        f.write_str(&shown)
    }
}

/// The last of an error's sources, or the error itself. In an error of an HTTP client it says what
/// happened; those around it say only where.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the batch was not applied")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the target is not available: {0}")]
    struct Inner(#[source] std::io::Error);

    #[test]
    fn an_error_is_shown_with_all_its_sources_each_once() {
        let refused = std::io::Error::other("connection refused");
        assert_eq!(
            ErrorChain(&Outer(Inner(refused))).to_string(),
            "the batch was not applied: the target is not available: connection refused"
        );
    }

    #[test]
    fn the_innermost_source_says_what_happened() {
        let error = Outer(Inner(std::io::Error::other("connection refused")));
        assert_eq!(innermost(&error).to_string(), "connection refused");
    }
}
