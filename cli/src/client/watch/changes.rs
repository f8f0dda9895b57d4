//! What is different between two looks, a sentence each.

use echeck_proto::returns::v1 as proto;

use super::Snapshot;
use crate::output::{counted, grouped};
use crate::words::Words as _;

/// What has changed since the last look. At the first look, everything is said.
pub(super) fn between(last: Option<&Snapshot>, seen: &Snapshot) -> Vec<String> {
    let mut changes = Vec::new();
    let availability = |one: &Snapshot| one.unavailable.clone();
    let was = last.map(availability).unwrap_or_default();
    match (was.as_str(), seen.unavailable.as_str()) {
        ("", "") => {}
        (_, "") => changes.push("the returns service is available again".to_owned()),
        ("", why) => changes.push(format!("the returns service is unavailable: {why}")),
        (_, _) => {}
    }
    if !seen.unavailable.is_empty() {
        return changes;
    }
    let all = |sentences: fn(&Snapshot) -> Vec<String>, changes: &mut Vec<String>| {
        let before = last.map(sentences).unwrap_or_default();
        let now = sentences(seen).into_iter();
        changes.extend(now.filter(|sentence| !before.contains(sentence)));
    };
    all(journal, &mut changes);
    all(databases, &mut changes);
    all(sources, &mut changes);
    incidents(last, seen, &mut changes);
    changes
}

fn journal(seen: &Snapshot) -> Vec<String> {
    let status = &seen.status;
    vec![
        format!(
            "the journal is at position {}",
            grouped(status.head_position)
        ),
        counted(status.open_holds, "open hold", "open holds"),
        counted(
            status.open_imports,
            "unfinished import",
            "unfinished imports",
        ),
    ]
}

fn databases(seen: &Snapshot) -> Vec<String> {
    let head = seen.status.head_position;
    let databases = seen.status.databases.iter();
    databases.map(|one| database(one, head)).collect()
}

fn database(one: &proto::DatabaseStatus, head: u64) -> String {
    let name = &one.database;
    match (head.saturating_sub(one.position), one.fault.as_str()) {
        (0, "") => format!("{name} has everything"),
        (rows, "") => format!("{name} is {} behind", counted(rows, "row", "rows")),
        (_, fault) => format!("{name} is stalled: {fault}"),
    }
}

fn sources(seen: &Snapshot) -> Vec<String> {
    let sentence = |source: &proto::JobSource| {
        let name = &source.name;
        let last = match &source.last_run {
            None => "no run yet".to_owned(),
            Some(run) if run.summary.is_empty() => run.outcome().words(),
            Some(run) => format!("{} ({})", run.outcome().words(), run.summary),
        };
        match source.paused_at {
            None => format!("source {name}: {last}"),
            Some(_) => format!("source {name} is paused by {}: {last}", source.paused_by),
        }
    };
    seen.sources.iter().map(sentence).collect()
}

fn incidents(last: Option<&Snapshot>, seen: &Snapshot, changes: &mut Vec<String>) {
    let before = last
        .map(|last| last.incidents.as_slice())
        .unwrap_or_default();
    let is_in = |all: &[proto::Incident], one: &proto::Incident| {
        all.iter().any(|other| other.incident_id == one.incident_id)
    };
    for one in seen.incidents.iter().filter(|one| !is_in(before, one)) {
        let (id, headline) = (&one.incident_id, &one.headline);
        changes.push(format!("incident {id} is open: {headline}"));
    }
    for one in before.iter().filter(|one| !is_in(&seen.incidents, one)) {
        changes.push(format!("incident {} is closed", one.incident_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(head_position: u64, gateway: u64) -> Snapshot {
        Snapshot {
            status: proto::GetStatusResponse {
                head_position,
                databases: vec![proto::DatabaseStatus {
                    database: "gateway".to_owned(),
                    position: gateway,
                    ..Default::default()
                }],
                ..Default::default()
            },
            ..Default::default()
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        let first = snapshot(70, 70);
        assert_eq!(
            between(None, &first),
            [
                "the journal is at position 70",
                "0 open holds",
                "0 unfinished imports",
                "gateway has everything"
            ]
        );
        assert!(between(Some(&first), &first).is_empty());
        let next = snapshot(1_072, 71);
        assert_eq!(
            between(Some(&first), &next),
            [
                "the journal is at position 1,072",
                "gateway is 1,001 rows behind"
            ]
        );
    }

    #[test]
    fn an_incident_is_said_when_it_opens_and_when_it_closes() {
        let quiet = snapshot(1, 1);
        let mut loud = quiet.clone();
        loud.incidents.push(proto::Incident {
            incident_id: "inc_1".to_owned(),
            headline: "the file is missing".to_owned(),
            ..Default::default()
        });
        assert_eq!(
            between(Some(&quiet), &loud),
            ["incident inc_1 is open: the file is missing"]
        );
        assert_eq!(between(Some(&loud), &quiet), ["incident inc_1 is closed"]);
    }

    #[test]
    fn a_service_that_does_not_answer_is_one_change_and_so_is_its_return() {
        let well = snapshot(1, 1);
        let lost = Snapshot {
            unavailable: "connection refused".to_owned(),
            ..well.clone()
        };
        assert_eq!(
            between(Some(&well), &lost),
            ["the returns service is unavailable: connection refused"]
        );
        assert!(between(Some(&lost), &lost).is_empty());
        assert_eq!(
            between(Some(&lost), &well),
            ["the returns service is available again"]
        );
    }
}
