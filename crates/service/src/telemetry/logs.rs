//! Logs: one line per event on standard error, as text for people or JSON for machines.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload};

use super::TelemetryConfig;
use crate::config::Section;

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, the event's fields at its top level.
    Json,
}

/// Reads the section `[log]`: `format` and `filter`. An invalid filter is a fault.
pub(super) fn read(section: &Section<'_>) -> (LogFormat, String) {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = section.one_of("format", &formats, Some(LogFormat::Text));
    let filter = section.string_or("filter", "info");
    if let Err(fault) = parse_filter(&filter) {
        section.fault("filter", fault);
    }
    (format, filter)
}

/// Remembers how the filter of the lines is changed, and lets a panic become a line of JSON.
pub(super) fn remember(handle: reload::Handle<EnvFilter, Registry>, config: &TelemetryConfig) {
    // It is set once, when telemetry starts.
    let _ = FILTER.set(RunningFilter {
        handle,
        configured: config.filter.clone(),
        now: Mutex::new(config.filter.clone()),
    });
    if config.format == LogFormat::Json {
        log_panics();
    }
}

/// The filter of the lines, which may be changed while the process runs.
static FILTER: OnceLock<RunningFilter> = OnceLock::new();

struct RunningFilter {
    handle: reload::Handle<EnvFilter, Registry>,
    /// What the configuration says.
    configured: String,
    now: Mutex<String>,
}

/// What is logged now; `None` where this process does not log by itself.
pub fn filter() -> Option<String> {
    let running = FILTER.get()?;
    Some(
        running
            .now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    )
}

/// Changes what is logged; an empty text stands for what the configuration says. Gives what is logged
/// from now on.
///
/// # Errors
/// When the text is no filter, or this process does not log by itself.
pub fn set_filter(text: &str) -> Result<String, String> {
    let running = FILTER
        .get()
        .ok_or("cannot be set: this process does not log by itself")?;
    let text = match text.trim() {
        "" => running.configured.as_str(),
        given => given,
    };
    let filter = parse_filter(text)?;
    let mut now = running.now.lock().unwrap_or_else(PoisonError::into_inner);
    running
        .handle
        .reload(filter)
        .map_err(|fault| fault.to_string())?;
    *now = text.to_owned();
    Ok(now.clone())
}

/// The layer that writes events as lines to `writer`.
pub(crate) fn lines<S, W>(
    format: LogFormat,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> Box<dyn tracing_subscriber::Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: Write + 'static,
{
    let base = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || OneLine {
            writer: writer(),
            format,
        });
    match format {
        LogFormat::Text => base.compact().boxed(),
        LogFormat::Json => base
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

/// A filter is a list with commas of levels and `target=level`. The library also accepts a word
/// that is not a level, as the name of a target, and then logs nothing else. Refused here,
/// because a mistyped level must not silence a service.
pub(super) fn parse_filter(text: &str) -> Result<EnvFilter, String> {
    let is_level = |part: &str| part.parse::<LevelFilter>().is_ok();
    // Inside braces, which match fields, a comma does not end a part.
    let mut parts = text
        .split(',')
        .map(str::trim)
        .filter(|_| !text.contains('{'));
    if let Some(part) = parts.find(|part| !part.contains(['=', '[']) && !is_level(part)) {
        return Err(format!(
            "has {part:?}, which is neither a level (off, error, warn, info, debug, trace) nor target=level"
        ));
    }
    EnvFilter::try_new(text).map_err(|fault| format!("is not a valid filter: {fault}"))
}

/// Panics become log lines, so that a collector of JSON lines gets them.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(panic = message, place, %backtrace, "a task panicked");
    }));
}

/// Keeps each event on one line. The subscriber passes an event in one write, which ends with
/// its only true line end; any other control character came from a logged value and is escaped.
struct OneLine<W> {
    writer: W,
    format: LogFormat,
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let body = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(body.len() + 1);
        for character in body.chars() {
            if character.is_control() {
                line.extend(character.escape_default());
            } else {
                line.push(character);
            }
        }
        line.push('\n');
        if self.format == LogFormat::Json {
            // The name that log platforms take. The library writes it second, after the time.
            line = line.replacen("\"level\":", "\"severity\":", 1);
        }
        self.writer.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::config::Settings;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let filter = parse_filter("info").unwrap();
        let layer = lines(format, move || writer.clone()).with_filter(filter);
        tracing::subscriber::with_default(Registry::default().with(layer), log);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_hostile_value_cannot_break_a_text_line_or_reach_the_terminal() {
        let hostile = "a\nERROR forged\r\u{1b}[2J\u{9b}2J\tend";
        let text = logged(LogFormat::Text, || {
            tracing::info!(shown = %hostile, debug = ?hostile, plain = hostile, "{hostile}");
        });
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(text.ends_with('\n'));
        assert!(
            !text.trim_end_matches('\n').contains(char::is_control),
            "{text:?}"
        );
        assert!(text.contains("forged"), "{text}");
    }

    #[test]
    fn json_has_the_fields_of_an_event_at_the_top_level() {
        let text = logged(LogFormat::Json, || {
            let _span = tracing::info_span!("import", import_id = "imp_1").entered();
            tracing::info!(file = "a\nb", rows = 3, "read");
        });
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "read");
        assert_eq!(line["severity"], "INFO");
        assert!(line["timestamp"].is_string(), "{line}");
        assert!(line.get("level").is_none(), "{line}");
        assert_eq!(line["file"], "a\nb");
        assert_eq!(line["rows"], 3);
        assert_eq!(line["span"]["import_id"], "imp_1");
    }

    #[test]
    fn a_panic_is_a_json_line() {
        let text = logged(LogFormat::Json, || {
            log_panics();
            let panicked = std::panic::catch_unwind(|| panic!("two\nlines"));
            drop(std::panic::take_hook());
            assert!(panicked.is_err());
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["panic"], "two\nlines");
        assert_eq!(line["severity"], "ERROR");
        assert!(
            line["place"].as_str().unwrap().contains("logs.rs:"),
            "{line}"
        );
    }

    #[test]
    fn a_mistyped_level_is_a_fault_and_not_silence() {
        let settings = Settings::from_toml("[log]\nfilter = \"inof\"\nformat = \"xml\"").unwrap();
        read(&settings.root().section("log"));
        let faults = settings.finish().unwrap_err().to_string();
        assert!(faults.contains("log.filter: has \"inof\""), "{faults}");
        assert!(
            faults.contains("log.format: must be one of text, json, not \"xml\""),
            "{faults}"
        );
        for good in [
            "info",
            "warn,echeck_service=debug",
            "off",
            "info,[call{method}]=trace",
        ] {
            assert!(parse_filter(good).is_ok(), "{good}");
        }
    }
}
