//! Pages of a list, and their tokens: where the next page begins, as text that callers only hand
//! back.

use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::{self, ApiError};

/// The most rows of a page.
const MOST_ROWS: u32 = 500;

/// How many rows a page has. Default: 50, at most 500.
pub(super) fn size(requested: u32) -> u32 {
    match requested {
        0 => 50,
        requested => requested.min(MOST_ROWS),
    }
}

/// The size of a page as a number of things in memory.
pub(super) fn count(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// How many rows a list without pages has. Default: 100, at most 1,000.
pub(super) fn limit(requested: u32) -> u32 {
    match requested {
        0 => 100,
        requested => requested.min(1_000),
    }
}

/// The token after a page that was read with `size`: where its last row is, by `place`. Empty
/// when there is no more.
pub(super) fn next<T, P: Serialize>(rows: &[T], size: u32, place: impl FnOnce(&T) -> P) -> String {
    match rows.last() {
        Some(last) if rows.len() == size as usize => token(&place(last)),
        Some(_) | None => String::new(),
    }
}

/// The token of a page that begins after a place.
pub(super) fn token(place: &impl Serialize) -> String {
    // Times, texts and numbers always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The most stretches of a list that one call reads for a page.
const MOST_READS: usize = 20;

/// A page of what a filter lets through that the database does not know. Stretches of the list in
/// which there is little of it are read on, up to a limit: a page may have fewer rows than were asked
/// for, or none, and still a next one.
pub(super) struct Filtered<T, P> {
    size: u32,
    is_narrow: bool,
    reads_left: usize,
    found: Vec<T>,
    place: Option<P>,
    is_open: bool,
}

impl<T, P: Clone + Serialize> Filtered<T, P> {
    /// A page that begins after `place`. A narrow filter leaves most rows out.
    pub(super) fn new(size: u32, is_narrow: bool, place: Option<P>) -> Self {
        Self {
            size,
            is_narrow,
            reads_left: MOST_READS,
            found: Vec::new(),
            place,
            is_open: true,
        }
    }

    /// Whether another stretch is to be read.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Where the next stretch begins.
    pub(super) fn place(&self) -> Option<P> {
        self.place.clone()
    }

    /// How many rows the next stretch has.
    pub(super) fn rows_to_read(&self) -> u32 {
        match self.is_narrow {
            true => MOST_ROWS,
            false => self.size,
        }
    }

    /// Takes a stretch: what is wanted of it, until the page is full. `wanted` breaks off where
    /// nothing more can be found.
    pub(super) fn take(
        &mut self,
        rows: Vec<T>,
        place: impl Fn(&T) -> P,
        wanted: impl Fn(&T) -> ControlFlow<(), bool>,
    ) {
        let is_last = rows.len() < count(self.rows_to_read());
        self.reads_left -= 1;
        self.is_open = !is_last && self.reads_left > 0;
        for row in rows {
            if self.found.len() == count(self.size) {
                self.is_open = false;
                return;
            }
            self.place = Some(place(&row));
            match wanted(&row) {
                ControlFlow::Break(()) => {
                    self.is_open = false;
                    self.place = None;
                    return;
                }
                ControlFlow::Continue(true) => self.found.push(row),
                ControlFlow::Continue(false) => {}
            }
        }
        if is_last {
            self.place = None;
        }
        self.is_open &= self.found.len() < count(self.size);
    }

    /// The rows, and the token of the next page.
    pub(super) fn finish(self) -> (Vec<T>, String) {
        let token = self.place.map(|place| token(&place));
        (self.found, token.unwrap_or_default())
    }
}

/// A text of a request, if it is set.
pub(super) fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The place that a request's token names; `None` for the first page.
pub(super) fn place<P: DeserializeOwned>(token: &str) -> Result<Option<P>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .filter(is_storable)
        .and_then(|place| serde_json::from_value(place).ok())
        .map(Some)
        .ok_or_else(not_a_token)
}

/// Whether the returns database can hold every number of a place.
fn is_storable(place: &Value) -> bool {
    match place {
        Value::Number(number) => number.as_i64().is_some(),
        Value::Array(parts) => parts.iter().all(is_storable),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => true,
    }
}

/// A number of a request, if the returns database can hold it.
pub(super) fn number(field: &str, number: u64) -> Result<u64, ApiError> {
    if i64::try_from(number).is_err() {
        let most = i64::MAX;
        return Err(errors::invalid(
            field,
            format!("must not be larger than {most}"),
        ));
    }
    Ok(number)
}

/// The token is none of ours.
pub(super) fn not_a_token() -> ApiError {
    errors::invalid("page_token", "is not a next_page_token of this call")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use returns_model::dishonor::DishonorPlace;

    use super::*;

    #[test]
    fn a_token_comes_back_as_what_it_was_and_anything_else_is_refused() {
        let at = DateTime::UNIX_EPOCH + chrono::Duration::microseconds(1_234_567);
        let last = (at, "imp_1".to_owned());
        let token_of_time = token(&last);
        let found: Option<(DateTime<Utc>, String)> = place(&token_of_time).unwrap();
        assert_eq!(found, Some(last));
        assert_eq!(place(&token(&7_u64)).unwrap(), Some(7_u64));
        assert_eq!(place::<u64>("").unwrap(), None);
        assert!(place::<u64>("!").is_err());
        assert!(place::<u64>(&token_of_time).is_err());
        assert_eq!(
            place(&token(&i64::MAX)).unwrap(),
            Some(i64::MAX.unsigned_abs())
        );
        assert!(place::<u64>(&token(&(1_u64 << 63))).is_err());
        assert!(number("position", u64::MAX).is_err());
        for text in [
            " ",
            "7",
            "[7]",
            "[\"24\",\"imp_1\",1]",
            "[\"2026-11-24\",\"imp_1\",-1]",
            "[\"2026-11-24\",\"imp_1\",9223372036854775808]",
        ] {
            let token = URL_SAFE_NO_PAD.encode(text);
            assert!(place::<DishonorPlace>(&token).is_err(), "{text:?}");
        }
        let token = URL_SAFE_NO_PAD.encode("[\"2026-11-24\",\"imp_1\",7]");
        let (day, id, ordinal): DishonorPlace = place(&token).unwrap().unwrap();
        assert_eq!(
            (day.to_string(), id.as_str(), ordinal),
            ("2026-11-24".to_owned(), "imp_1", 7)
        );
    }
}
