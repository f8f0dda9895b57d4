//! The tokens of pages, which callers hand back.

#![no_main]

use chrono::{DateTime, NaiveDate, Utc};
use echeck_fuzz::within;
use libfuzzer_sys::fuzz_target;

/// The errors of the service's API, of which a page needs only this.
mod errors {
    pub(super) type ApiError = String;

    pub(super) fn invalid(field: &str, why: impl Into<String>) -> ApiError {
        format!("{field}: {}", why.into())
    }
}

#[allow(dead_code)]
#[path = "../../returns-service/src/api/page.rs"]
mod page;

/// What a token says, as a list reads it, and the token of that place.
fn again<P>(token: &str) -> Result<Option<String>, String>
where
    P: serde::Serialize + serde::de::DeserializeOwned,
{
    let place = page::place::<P>(token)?;
    Ok(place.map(|place| page::next(&[()], 1, |()| place)))
}

fuzz_target!(|token: &str| {
    within((64 << 10) + 8 * token.len(), || {
        for read in [
            again::<u64>,
            again::<(DateTime<Utc>, String)>,
            again::<(NaiveDate, String, u64)>,
        ] {
            match read(token) {
                // What was read is written as something that reads the same.
                Ok(Some(again)) => assert_eq!(read(&again), Ok(Some(again))),
                Ok(None) => assert_eq!(token, ""),
                Err(why) => assert!(why.len() < 200, "{why}"),
            }
        }
    });
});
