//! Page tokens: where the next page begins, as text that callers only hand back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use returns_model::delivery::{Delivery, DeliveryPlace};
use returns_model::dishonor::{DishonorMark, DishonorPlace};

use super::errors::{self, ApiError};

/// How many rows a page has: 50 unless asked, at most 500.
pub(super) fn size(asked: u32) -> u32 {
    match asked {
        0 => 50,
        asked => asked.min(500),
    }
}

/// The token after a row with this time and id.
pub(super) fn token_of(at: DateTime<Utc>, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{id}", at.to_rfc3339()))
}

/// The token after this journal position.
pub(super) fn token_of_position(position: u64) -> String {
    URL_SAFE_NO_PAD.encode(position.to_string())
}

/// The token after this delivery.
pub(super) fn token_of_delivery(delivery: &Delivery) -> String {
    let Delivery {
        sequence,
        endpoint_id,
        event_type,
        ..
    } = delivery;
    URL_SAFE_NO_PAD.encode(format!("{sequence}\n{endpoint_id}\n{event_type}"))
}

pub(super) fn delivery_place(token: &str) -> Result<Option<DeliveryPlace>, ApiError> {
    let Some(text) = text(token)? else {
        return Ok(None);
    };
    let mut parts = text.split('\n');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(sequence), Some(endpoint), Some(event_type), None) => {
            let sequence = sequence.parse().map_err(|_| bad())?;
            Ok(Some((sequence, endpoint.to_owned(), event_type.to_owned())))
        }
        _ => Err(bad()),
    }
}

fn text(token: &str) -> Result<Option<String>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Some)
        .ok_or_else(bad)
}

fn bad() -> ApiError {
    errors::invalid("page_token", "is not a next_page_token of this call")
}

pub(super) fn time_and_id(token: &str) -> Result<Option<(DateTime<Utc>, String)>, ApiError> {
    let Some(text) = text(token)? else {
        return Ok(None);
    };
    let (at, id) = text.split_once('\n').ok_or_else(bad)?;
    let at = DateTime::parse_from_rfc3339(at).map_err(|_| bad())?;
    Ok(Some((at.with_timezone(&Utc), id.to_owned())))
}

/// The token after this mark.
pub(super) fn token_of_dishonor(mark: &DishonorMark) -> String {
    let DishonorMark {
        import_id, ordinal, ..
    } = mark;
    URL_SAFE_NO_PAD.encode(format!("{}\n{import_id}\n{ordinal}", mark.ground.last_day))
}

pub(super) fn dishonor_place(token: &str) -> Result<Option<DishonorPlace>, ApiError> {
    let Some(text) = text(token)? else {
        return Ok(None);
    };
    let mut parts = text.splitn(3, '\n');
    let (Some(day), Some(import_id), Some(ordinal)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(bad());
    };
    let day = day.parse().map_err(|_| bad())?;
    let ordinal: u64 = ordinal.parse().map_err(|_| bad())?;
    // No file has more entries than the database's integers can count.
    if i64::try_from(ordinal).is_err() {
        return Err(bad());
    }
    Ok(Some((day, import_id.to_owned(), ordinal)))
}

pub(super) fn position(token: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = text(token)? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_what_it_was_and_anything_else_is_refused() {
        let at = DateTime::UNIX_EPOCH + chrono::Duration::microseconds(1_234_567);
        let token = token_of(at, "imp_1");
        assert_eq!(time_and_id(&token).unwrap(), Some((at, "imp_1".to_owned())));
        assert_eq!(position(&token_of_position(7)).unwrap(), Some(7));
        assert_eq!(position("").unwrap(), None);
        assert!(position("!").is_err());
        assert!(time_and_id(&token_of_position(7)).is_err());
        for text in [
            "",
            "2026-11-24",
            "2026-11-24\nimp_1",
            "24\nimp_1\n1",
            "2026-11-24\nimp_1\n-1",
        ] {
            let token = URL_SAFE_NO_PAD.encode(format!("{text} "));
            assert!(dishonor_place(&token).is_err(), "{text:?}");
        }
        let token = URL_SAFE_NO_PAD.encode("2026-11-24\nimp_1\n7");
        let (day, id, ordinal) = dishonor_place(&token).unwrap().unwrap();
        assert_eq!(
            (day.to_string().as_str(), id.as_str(), ordinal),
            ("2026-11-24", "imp_1", 7)
        );
    }
}
