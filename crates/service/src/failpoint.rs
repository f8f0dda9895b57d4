//! Named points at which the crash campaign makes a process fail. Without the feature
//! `failpoints`, which no released binary has, a point is nothing at all.
//!
//! With it, the variable `FAILPOINTS` says what happens where, in the words of the crate
//! `fail`: `append::before_commit=1*return(abort)` ends the process the first time it gets
//! there. What may stand in `return(…)`: `abort`, `error`, or a delay in milliseconds.

/// The error that a point made.
#[derive(Debug, thiserror::Error)]
#[error("the failpoint {0} made this fail")]
pub struct Tripped(pub &'static str);

/// Reads `FAILPOINTS`. What it gives must live as long as the process works.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn setup() -> impl Sized {
    fail::FailScenario::setup()
}

/// Reads `FAILPOINTS`, where the feature is on.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub fn setup() -> impl Sized {}

/// A point at which the process may be made to fail.
///
/// # Errors
/// When `FAILPOINTS` asks for an error here.
#[cfg(feature = "failpoints")]
pub async fn hit(point: &'static str) -> Result<(), Tripped> {
    let Some(action) = fail::eval(point, |action| action.unwrap_or_default()) else {
        return Ok(());
    };
    tracing::warn!(point, action, "a failpoint was hit");
    match action.as_str() {
        // No destructor runs, nothing is flushed: as SIGKILL does it, but just here.
        "abort" => std::process::abort(),
        "error" => Err(Tripped(point)),
        delay_ms => {
            let delay_ms = delay_ms.parse().unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_millis(delay_ms)).await;
            Ok(())
        }
    }
}

/// A point at which the process may be made to fail, where the feature is on.
///
/// # Errors
/// None without the feature.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub async fn hit(_point: &'static str) -> Result<(), Tripped> {
    Ok(())
}
