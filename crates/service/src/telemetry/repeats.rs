//! Lines that one place in the code writes again and again. The first of each second are written; the
//! others are counted, and a line says regularly how many they were. The line of a call is always
//! written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Metadata, warn};
use tracing_subscriber::layer::{Context, Filter};

/// The most lines of one place in a second.
const MOST_A_SECOND: u32 = 50;

/// How often it is said how many lines were left out.
const BETWEEN_SUMS: Duration = Duration::from_secs(10);

/// The target of the lines that are written however many there are.
pub(crate) const CALLS: &str = "echeck_service::call";

/// Counts the lines of each place.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats(Arc<Mutex<HashMap<Identifier, Place>>>);

#[derive(Debug)]
struct Place {
    file: &'static str,
    line: u32,
    since: Instant,
    written: u32,
    left_out: u64,
}

impl Repeats {
    /// Whether a line of this place is written now.
    fn allows(&self, metadata: &'static Metadata<'static>, now: Instant) -> bool {
        if metadata.target() == CALLS {
            return true;
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(metadata.callsite()).or_insert(Place {
            file: metadata.file().unwrap_or("?"),
            line: metadata.line().unwrap_or(0),
            since: now,
            written: 0,
            left_out: 0,
        });
        if now.saturating_duration_since(place.since) >= Duration::from_secs(1) {
            (place.since, place.written) = (now, 0);
        }
        if place.written < MOST_A_SECOND {
            place.written += 1;
            return true;
        }
        place.left_out += 1;
        false
    }

    /// What was left out since this was asked last: places, and how many lines of each.
    fn take_left_out(&self) -> Vec<(String, u64)> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let repeating = places.values_mut().filter(|place| place.left_out > 0);
        repeating
            .map(|place| {
                let name = format!("{}:{}", place.file, place.line);
                (name, std::mem::take(&mut place.left_out))
            })
            .collect()
    }

    /// Says regularly how many lines were left out.
    pub(super) async fn sum_up(self) {
        loop {
            tokio::time::sleep(BETWEEN_SUMS).await;
            for (place, lines) in self.take_left_out() {
                warn!(place, lines, "lines that repeat were left out");
            }
        }
    }
}

impl<S> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.allows(event.metadata(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::{LogFormat, lines};
    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<u64>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            *self.0.lock().unwrap() += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_repeats_is_counted_and_the_line_of_a_call_is_always_written() {
        let (written, repeats) = (Lines::default(), Repeats::default());
        let writer = written.clone();
        let layer = lines(LogFormat::Json, move || writer.clone()).with_filter(repeats.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..200 {
                tracing::info!(target: CALLS, number, "a call");
            }
            for number in 0..200 {
                warn!(number, "again");
            }
        });
        let left_out = repeats.take_left_out();
        let [(place, number)] = &left_out[..] else {
            panic!("{left_out:?}");
        };
        assert!(place.contains("repeats.rs:"), "{place}");
        // A second may end meanwhile.
        assert!((1..=150).contains(number), "{number}");
        assert_eq!(*written.0.lock().unwrap(), 400 - number);
        assert!(repeats.take_left_out().is_empty());
    }
}
