//! The view on a terminal.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;

use super::Snapshot;
use crate::output::{Columns, Screen, Table, Tone, counted, field, grouped};
use crate::words::{Words as _, since, time};

/// The lines of the view.
pub(super) fn lines(seen: &Snapshot, now: DateTime<Utc>, screen: Screen) -> Vec<String> {
    let mut lines = vec![
        title(seen, now, screen),
        totals(seen, screen),
        String::new(),
    ];
    let head = seen.status.head_position;
    let row = |one: &proto::DatabaseStatus| database(one, head, now);
    lines.extend(Table::of(&seen.status.databases, row).lines(screen));
    lines.push(String::new());
    if seen.sources.is_empty() {
        lines.push("No source has a location to fetch files from.".to_owned());
    } else {
        lines.extend(Table::of(&seen.sources, source).lines(screen));
    }
    lines.push(String::new());
    if seen.incidents.is_empty() {
        lines.push(Tone::Good.paint("No open incidents.", screen));
    } else {
        let row = |one: &proto::Incident| incident(one, now);
        lines.extend(Table::of(&seen.incidents, row).lines(screen));
    }
    lines
}

fn title(seen: &Snapshot, now: DateTime<Utc>, screen: Screen) -> String {
    let at = now.format("%Y-%m-%d %H:%M:%SZ");
    match seen.unavailable.as_str() {
        "" => Tone::Heading.paint(&format!("echeck  {at}  Ctrl-C ends it"), screen),
        why => {
            let what = format!("echeck  {at}  the returns service is unavailable: {why}");
            Tone::Bad.paint(&what, screen)
        }
    }
}

fn totals(seen: &Snapshot, screen: Screen) -> String {
    let status = &seen.status;
    let count = |count, one, many| {
        let tone = if count > 0 {
            Tone::Attention
        } else {
            Tone::Plain
        };
        tone.paint(&counted(count, one, many), screen)
    };
    let holds = count(status.open_holds, "open hold", "open holds");
    let imports = count(
        status.open_imports,
        "unfinished import",
        "unfinished imports",
    );
    format!(
        "journal at {}  {holds}  {imports}",
        grouped(status.head_position)
    )
}

fn database(one: &proto::DatabaseStatus, head: u64, now: DateTime<Utc>) -> Columns {
    let behind = head.saturating_sub(one.position);
    let tone = if behind > 0 {
        Tone::Attention
    } else {
        Tone::Good
    };
    let fault = match one.fault.as_str() {
        "" => String::new(),
        fault => format!("for {}: {fault}", since(one.fault_since.as_ref(), now)),
    };
    vec![
        field("DATABASE", &one.database),
        field("BEHIND", grouped(behind)).right().tone(tone),
        field("STATE", one.state().words()).tone(one.state().tone()),
        field("FAULT", fault).text(),
    ]
}

fn source(one: &proto::JobSource) -> Columns {
    let last = one.last_run.as_ref();
    let outcome = last.map(proto::JobRun::outcome);
    let tone = outcome.map_or(Tone::Plain, proto::JobOutcome::tone);
    let outcome = outcome.map_or_else(|| "-".to_owned(), proto::JobOutcome::words);
    let next = match one.paused_at {
        None => time(one.next_run_at.as_ref()),
        Some(_) => "paused".to_owned(),
    };
    vec![
        field("SOURCE", &one.name),
        field("LAST", outcome).tone(tone),
        field("AT", time(last.and_then(|run| run.started_at.as_ref()))),
        field("NEXT", next),
    ]
}

fn incident(one: &proto::Incident, now: DateTime<Utc>) -> Columns {
    vec![
        field("INCIDENT", &one.incident_id).extra(1),
        field("SEVERITY", one.severity().words()).tone(one.severity().tone()),
        field("AGE", since(one.opened_at.as_ref(), now)),
        field("WHAT", &one.headline).text(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_says_how_far_each_database_is_and_what_is_wrong() {
        let seen = Snapshot {
            status: proto::GetStatusResponse {
                head_position: 71,
                open_holds: 1,
                databases: vec![proto::DatabaseStatus {
                    database: "rallypay".to_owned(),
                    position: 60,
                    state: proto::DatabaseState::Fault.into(),
                    fault: "connection refused".to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            },
            ..Default::default()
        };
        let text = lines(&seen, DateTime::UNIX_EPOCH, Screen::PIPE).join("\n");
        assert!(
            text.contains("journal at 71  1 open hold  0 unfinished imports"),
            "{text}"
        );
        let row = text
            .lines()
            .find(|line| line.starts_with("rallypay"))
            .unwrap();
        assert!(row.contains("11  stalled"), "{row}");
        assert!(text.contains("No open incidents."), "{text}");
    }
}
