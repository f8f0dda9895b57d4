//! What a request must keep to before it is looked at.

use prost::Message;

use super::errors::{self, ApiError};

/// The longest request of one message, in bytes. The largest that make sense, an endpoint with its
/// event types or a reason of some pages, have a tenth of it.
const LONGEST_REQUEST: usize = 64 << 10;

/// Refuses a request that is too long, so that no id or name of it is looked up, quoted or
/// recorded.
pub(super) fn admit<M: Message>(request: M) -> Result<M, ApiError> {
    let bytes = request.encoded_len();
    if bytes > LONGEST_REQUEST {
        let what = format!("has {bytes} bytes; at most {LONGEST_REQUEST} are allowed");
        return Err(errors::invalid("request", what));
    }
    Ok(request)
}
