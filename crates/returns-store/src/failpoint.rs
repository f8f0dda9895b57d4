//! Where the crash campaign makes a step on the returns database fail.

use crate::StoreError;

/// A point at which a step may be made to fail, as if the returns database had failed.
///
/// # Errors
/// When the crash campaign asks for an error here. Without its feature, never.
pub async fn failpoint(point: &'static str) -> Result<(), StoreError> {
    Ok(echeck_service::failpoint::hit(point).await?)
}
