//! A part of a document that is written from the code.

use std::path::{Path, PathBuf};

/// The repository's folder `docs`.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Checks that the part of a document between `<!-- NAME: begin -->` and `<!-- NAME: end -->` is
/// `text`, or with `ECHECK_REWRITE_GOLDEN=1` writes it.
///
/// # Panics
/// When it is another text, or the document lacks the marks.
pub fn check_part(document: &str, name: &str, text: &str) {
    let path = docs().join(document);
    let whole = std::fs::read_to_string(&path).expect("the document is there");
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = whole.split_once(&begin).expect("the first mark is there");
    let (part, after) = rest.split_once(&end).expect("the last mark is there");
    if part == text {
        return;
    }
    assert!(
        std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some(),
        "docs/{document} is not up to date about {name}: run this test with ECHECK_REWRITE_GOLDEN=1"
    );
    let written = format!("{before}{begin}{text}{end}{after}");
    std::fs::write(path, written).expect("the document can be written");
}
