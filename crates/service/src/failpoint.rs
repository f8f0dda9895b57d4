//! Named points at which the crash campaign makes a process fail. Without the feature
//! `failpoints`, which no released binary has, a failpoint does nothing.
//!
//! With the feature, the variable `FAILPOINTS` says what happens where, in the syntax of the
//! crate `fail`: `append::before_commit=1*return(abort)` ends the process the first time it gets
//! there. `return(…)` takes `abort`, `error`, or a delay in milliseconds.

/// The error that a failpoint raised.
#[derive(Debug, thiserror::Error)]
#[error("the failpoint {0} raised this error")]
pub struct Tripped(pub &'static str);

/// Reads `FAILPOINTS`. Keep the returned guard for as long as the process runs.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn setup() -> impl Sized {
    fail::FailScenario::setup()
}

/// Does nothing without the feature.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub fn setup() -> impl Sized {}

/// A failpoint: the process fails here when `FAILPOINTS` says so.
///
/// # Errors
/// When `FAILPOINTS` asks for an error at this point.
#[cfg(feature = "failpoints")]
pub async fn hit(point: &'static str) -> Result<(), Tripped> {
    let Some(action) = fail::eval(point, |action| action.unwrap_or_default()) else {
        return Ok(());
    };
    tracing::warn!(point, action, "a failpoint was hit");
    match action.as_str() {
        // No destructor runs and nothing is flushed: as SIGKILL does it, at exactly this point.
        "abort" => std::process::abort(),
        "error" => Err(Tripped(point)),
        delay_ms => {
            let delay_ms = delay_ms.parse().unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_millis(delay_ms)).await;
            Ok(())
        }
    }
}

/// Does nothing without the feature.
///
/// # Errors
/// Never without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub async fn hit(_point: &'static str) -> Result<(), Tripped> {
    Ok(())
}
