//! A status as the trailers that end a response.

use http::{HeaderMap, HeaderValue};
use tonic::Status;

/// The trailers that carry `status`. If its text cannot be sent, its code still is.
pub(super) fn trailers_of(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(i32::from(status.code())));
    }
    trailers
}
