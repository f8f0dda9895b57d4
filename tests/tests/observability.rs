//! `docs/observability.md`, the alert rules and the dashboards, beside what the code really has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use echeck_service::metrics::{Metric, MetricKind};
use serde_json::Value;

const BEGIN: &str = "<!-- metrics: written by ECHECK_REWRITE_GOLDEN=1 cargo test -p echeck-tests --test observability -->\n";
const END: &str = "<!-- end of metrics -->\n";

/// What a line of JSON has by itself.
const OF_EVERY_LINE: [&str; 5] = ["timestamp", "severity", "message", "target", "span"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> String {
    fs::read_to_string(root().join("docs/observability.md")).unwrap()
}

fn all() -> [(&'static str, &'static [&'static Metric]); 3] {
    [
        ("every program", echeck_service::metrics::ALL),
        ("the returns service", returns_store::metrics::ALL),
        ("the adapters", echeck_adapter::metrics::ALL),
    ]
}

fn metrics_table() -> String {
    let mut table = String::new();
    for (whose, metrics) in all() {
        write!(table, "\nOf {whose}:\n\n| at `/metrics` | by OTLP | kind | labels | what it is |\n|---|---|---|---|---|\n").unwrap();
        for metric in metrics {
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
            };
            let labels: Vec<String> = metric.labels.iter().map(|one| format!("`{one}`")).collect();
            let (shown, name) = (metric.prometheus_name(), metric.name);
            let (labels, unit, help) = (labels.join(", "), metric.unit, metric.help);
            writeln!(
                table,
                "| `{shown}` | `{name}` | {kind}, {unit} | {labels} | {help} |"
            )
            .unwrap();
        }
    }
    table + "\n"
}

#[test]
fn the_document_lists_every_number() {
    let document = document();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let wanted = metrics_table();
    if std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some() {
        let path = root().join("docs/observability.md");
        fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert!(
            shown == wanted,
            "docs/observability.md is not up to date: run ECHECK_REWRITE_GOLDEN=1 cargo test -p echeck-tests --test observability"
        );
    }
}

/// The names of the first column of the table that begins with this line.
fn listed(heading: &str) -> BTreeSet<String> {
    let document = document();
    let (_, rest) = document.split_once(heading).unwrap();
    let rows = rest
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// The program's own sources, without its tests.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = [
        "crates",
        "returns-service/src",
        "gateway-adapter/src",
        "rallypay-adapter/src",
        "cli/src",
    ]
    .map(|name| root().join(name))
    .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(path).unwrap();
                let own = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                found.push(own.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_document_lists_every_span() {
    let mut spans = BTreeSet::new();
    for text in sources() {
        for begin in ["info_span!(", "instrument("] {
            for (at, _) in text.match_indices(begin) {
                let rest = text[at + begin.len()..].trim_start();
                let rest = rest.strip_prefix("name = ").unwrap_or(rest);
                if let Some(rest) = rest.strip_prefix('"') {
                    spans.insert(rest.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    assert_eq!(listed("| span | program | what it is |"), spans);
}

/// The arguments of a macro's call, from after its opening parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), String::new());
    let (mut depth, mut in_text) = (0_u32, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_text => {
                current.push(character);
                current.extend(characters.next());
                continue;
            }
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(character);
    }
    found.push(current);
    found
}

/// The name of the field that an argument of a line is, if it is one. What follows the text is not.
fn field(argument: &str) -> Option<String> {
    let argument = argument.trim();
    // A comment before it.
    let argument = argument
        .lines()
        .find(|line| !line.trim().starts_with("//"))?
        .trim();
    let name = argument.split(" = ").next()?.trim_start_matches(['%', '?']);
    let is_name = |character: char| {
        character.is_ascii_lowercase() || "_.".contains(character) || character.is_ascii_digit()
    };
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

fn fields() -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for text in sources() {
        for level in [
            "trace!(", "debug!(", "info!(", "warn!(", "error!(", "$level!(",
        ] {
            for (at, _) in text.match_indices(level) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|one| one.is_alphanumeric() || one == '_') {
                    continue;
                }
                let arguments = arguments(&text[at + level.len()..]);
                let named = arguments
                    .iter()
                    .take_while(|one| !one.trim().starts_with('"'));
                fields.extend(named.filter_map(|one| field(one)));
            }
        }
    }
    fields
}

#[test]
fn the_document_lists_every_field_of_the_log() {
    let fields = fields();
    assert_eq!(listed("| field | what it is |"), fields);
    let twice: Vec<&str> = OF_EVERY_LINE
        .into_iter()
        .filter(|name| fields.contains(*name))
        .collect();
    assert_eq!(twice, [""; 0], "a line would have it twice");
}

/// Every name that `/metrics` may show.
fn exported() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for metric in all().iter().flat_map(|(_, metrics)| *metrics) {
        let name = metric.prometheus_name();
        match metric.kind {
            MetricKind::Histogram => {
                names.extend(["bucket", "count", "sum"].map(|end| format!("{name}_{end}")));
            }
            MetricKind::Counter | MetricKind::Gauge => {
                names.insert(name);
            }
        }
    }
    names
}

/// The metrics that an expression names.
fn used(expression: &str) -> BTreeSet<String> {
    let words = expression
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    words
        .filter(|word| word.starts_with("echeck_") || word.starts_with("rpc_server"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_fire_when_they_should_and_name_what_is_exported() {
    let folder = root().join("observability");
    for arguments in [
        ["check", "rules", "rules.yaml"],
        ["test", "rules", "rules_test.yaml"],
    ] {
        let run = Command::new("promtool")
            .args(arguments)
            .current_dir(&folder)
            .output();
        let run = run.expect("promtool is there: scripts/setup tests installs it");
        let said = String::from_utf8_lossy(&run.stdout).into_owned()
            + &String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{said}");
    }
    let rules = fs::read_to_string(folder.join("rules.yaml")).unwrap();
    let tried = fs::read_to_string(folder.join("rules_test.yaml")).unwrap();
    let alerts: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert_eq!(
        rules.matches("runbook_url: ").count(),
        alerts.len(),
        "each rule has a runbook"
    );
    for alert in alerts {
        let fires = format!("alertname: {alert}\n        exp_alerts:\n");
        assert!(tried.contains(&fires), "{alert} is not tried");
    }
    let recorded = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "));
    let mut known = exported();
    for name in recorded {
        assert!(
            tried.contains(&format!("expr: {name}\n")),
            "{name} is not tried"
        );
        known.insert(name.to_owned());
    }
    let unknown: Vec<String> = used(&rules).difference(&known).cloned().collect();
    assert_eq!(unknown, [""; 0]);
    for page in rules.split("runbooks.example/").skip(2) {
        let page = page.split_whitespace().next().unwrap();
        let Some((file, anchor)) = page.split_once('#') else {
            assert!(
                page.contains("{{") || root().join("docs").join(page).exists(),
                "{page}"
            );
            continue;
        };
        let text = fs::read_to_string(root().join("docs").join(file))
            .unwrap()
            .to_ascii_lowercase();
        assert!(text.contains(&format!("### {anchor}\n")), "{page}");
    }
}

#[test]
fn dashboards_show_what_is_exported() {
    let (exported, mut shown) = (exported(), BTreeSet::new());
    let mut ids = BTreeMap::new();
    for entry in fs::read_dir(root().join("observability/dashboards")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let board: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(ids.insert(board["uid"].to_string(), path.clone()), None);
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                let used = used(target["expr"].as_str().unwrap());
                assert!(!used.is_empty(), "{}: {panel}", path.display());
                let unknown: Vec<_> = used.difference(&exported).collect();
                assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
                shown.extend(used);
            }
        }
    }
    // What no dashboard shows, nobody looks at.
    for metric in all().iter().flat_map(|(_, metrics)| *metrics) {
        let name = metric.prometheus_name();
        assert!(
            shown.iter().any(|one| one.starts_with(&name)),
            "no dashboard shows {name}"
        );
    }
}
