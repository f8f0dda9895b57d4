//! Every command on terminals of several widths: nothing is too wide, and nothing reads like a
//! program.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::support::{World, assert_for_people, echeck, json};

/// The names of all commands, as their man pages have them.
fn all_commands(home: &std::path::Path) -> BTreeSet<String> {
    let pages = json(&echeck(&["man", "man", "--json"], home));
    let name = |page: &Value| {
        let file = page["file"].as_str().unwrap().to_owned();
        let name = file.rsplit('/').next().unwrap();
        name.trim_start_matches("echeck")
            .trim_start_matches('-')
            .trim_end_matches(".1")
            .to_owned()
    };
    pages
        .iter()
        .map(name)
        .filter(|name| !name.is_empty())
        .collect()
}

/// What the commands need to know of a world.
struct Ids {
    import: String,
    hold: String,
    transfer: String,
    endpoint: String,
}

impl Ids {
    async fn of(world: &World) -> Self {
        let first = async |arguments: &[&str], field: &str| {
            let found = world.json(arguments).await;
            found[0][field].as_str().unwrap().to_owned()
        };
        let url = "https://hooks.platform.invalid/a/rather/long/path/of/a/platform";
        let create = [
            "webhooks", "create", url, "--style", "finix", "--reason", "a test",
        ];
        let made = world.json(&create).await;
        Self {
            import: first(&["imports", "--source", "nacha"], "import_id").await,
            hold: first(&["holds"], "hold_id").await,
            transfer: first(&["returns", "--code", "R01"], "transfer_id").await,
            endpoint: made[0]["endpoint"]["endpoint_id"]
                .as_str()
                .unwrap()
                .to_owned(),
        }
    }
}

/// Each command with arguments that make it say something. `$I`, `$H`, `$T` and `$E` are an import,
/// a hold, a transfer and an endpoint.
const COMMANDS: &[(&str, &str)] = &[
    ("adapter", ""),
    (
        "adapter-init",
        "adapter init gateway --url sqlite:world/gateway.db",
    ),
    (
        "adapter-init",
        "adapter init mirror --url sqlite:world/rallypay.db --out mirror.toml",
    ),
    (
        "adapter-init",
        "adapter init gateway --url sqlite:empty.csv",
    ),
    ("adapter-test", "adapter-test 127.0.0.1:1"),
    ("audit", "audit"),
    ("codes", "codes"),
    ("codes", "codes R03"),
    ("codes", "codes C01"),
    ("completions", ""),
    ("demo", ""),
    ("diagnose", "diagnose"),
    ("dishonorable", "dishonorable --all"),
    ("explain", "explain"),
    ("explain", "explain holds-waiting"),
    ("explain", "explain nonsense"),
    ("follow", "follow --after 0 --limit 30"),
    ("holds", "holds"),
    ("holds", "holds --all"),
    ("holds-show", "holds show $H"),
    ("holds-retry", "holds retry $H"),
    (
        "holds-retry",
        "holds retry --hold-reason unknown_transfer --reason again",
    ),
    ("holds-dismiss", "holds dismiss $H --reason nothing"),
    ("import", "import returns.ach --source nacha"),
    (
        "import",
        "import returns.ach --source worldpay_returns --dry-run",
    ),
    ("imports", "imports"),
    ("imports-show", "imports show $I"),
    ("imports-lines", "imports lines $I"),
    ("imports-retry", "imports retry $I --reason again"),
    ("incidents", "incidents"),
    ("incidents", "incidents --all"),
    ("incidents-list", "incidents list"),
    ("incidents-show", "incidents show inc_nothing"),
    ("incidents-ack", "incidents ack inc_nothing"),
    ("incidents-close", "incidents close inc_nothing"),
    ("incidents-test-alert", "incidents test-alert"),
    ("journal", ""),
    ("journal-verify", "journal verify --targets"),
    ("journal-show", "journal show"),
    (
        "journal-skip",
        "journal skip --database gateway --reason nothing",
    ),
    (
        "journal-adopt",
        "journal adopt --database gateway --reason nothing",
    ),
    ("log", "log"),
    ("man", "man man-pages"),
    ("parse", "parse returns.ach"),
    ("parse", "parse empty.csv"),
    ("profile", ""),
    (
        "profile-save",
        "profile save a_profile --server returns.internal.example:50051",
    ),
    ("profile-use", "profile use a_profile"),
    ("profile-list", "profile list"),
    ("profile-forget", "profile forget a_profile"),
    ("proposals", "proposals"),
    ("proposals-approve", "proposals approve prop_nothing"),
    (
        "proposals-reject",
        "proposals reject prop_nothing --reason no",
    ),
    ("release", "release $T --reason nothing"),
    ("report", "report $I"),
    ("returns", "returns --limit 500"),
    ("run", "run drop"),
    ("runs", "runs"),
    ("sample", "sample nacha --out another.ach"),
    ("sources", "sources"),
    ("sources-pause", "sources pause drop --reason maintenance"),
    ("sources-resume", "sources resume drop --reason done"),
    (
        "sources-schedule",
        "sources schedule drop --reset --reason configured",
    ),
    ("status", "status"),
    ("token", "token rails_app --merchants MU1,MU2"),
    ("transfer", "transfer $T"),
    ("transfer", "transfer TRnothing"),
    ("up", ""),
    ("watch", ""),
    ("webhooks", ""),
    ("webhooks-list", "webhooks list"),
    ("webhooks-list", "webhooks list $E"),
    (
        "webhooks-create",
        "webhooks create https://hooks.platform.invalid/b --style finix --reason more",
    ),
    (
        "webhooks-update",
        "webhooks update $E --all-types --reason more",
    ),
    ("webhooks-rotate", "webhooks rotate $E --reason yearly"),
    ("webhooks-disable", "webhooks disable $E --reason asked"),
    ("webhooks-enable", "webhooks enable $E --reason asked"),
    ("webhooks-deliveries", "webhooks deliveries"),
    ("webhooks-events", "webhooks events --style finix"),
    (
        "webhooks-replay",
        "webhooks replay $E --event evt_nothing --reason lost",
    ),
    (
        "webhooks-recover",
        "webhooks recover $E --since 2026-01-01 --reason down",
    ),
    ("webhooks-test", "webhooks test $E"),
];

/// Commands that are tested elsewhere, since they print a script or go on until Ctrl-C; and those
/// that only have commands.
const ELSEWHERE: [&str; 7] = [
    "adapter",
    "completions",
    "demo",
    "journal",
    "profile",
    "up",
    "watch",
];

#[test]
fn the_list_of_commands_is_complete() {
    let home = tempfile::tempdir().unwrap();
    let listed: BTreeSet<String> = COMMANDS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(listed, all_commands(home.path()));
    let silent = COMMANDS.iter().filter(|(_, line)| line.is_empty());
    for (name, _) in silent.filter(|(name, _)| *name != "webhooks") {
        assert!(ELSEWHERE.contains(name), "{name} is not run at all");
    }
}

/// Runs the chosen commands on terminals of these widths.
async fn walk(widths: &[usize], is_chosen: impl Fn(&str) -> bool) {
    let world = World::with_imports().await;
    std::fs::write(world.home().join("empty.csv"), "").unwrap();
    let ids = Ids::of(&world).await;
    let values: BTreeMap<&str, &str> = BTreeMap::from([
        ("$I", ids.import.as_str()),
        ("$H", &ids.hold),
        ("$T", &ids.transfer),
        ("$E", &ids.endpoint),
    ]);
    let lines = COMMANDS.iter().map(|(_, line)| *line);
    let chosen = lines.filter(|line| !line.is_empty() && is_chosen(line));
    for (line, columns) in chosen.flat_map(|line| widths.iter().map(move |width| (line, *width))) {
        let words = line.split(' ');
        let arguments: Vec<&str> = words
            .map(|word| *values.get(word).unwrap_or(&word))
            .collect();
        let shown = world.show(columns, &arguments).await;
        assert!(
            !shown.is_empty() || arguments[0] == "sample",
            "{arguments:?} says nothing"
        );
        assert_for_people(&shown, columns, &arguments);
        assert!(!shown.contains("panicked"), "{arguments:?}: {shown}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_fits_eighty_columns_and_speaks_to_people() {
    walk(&[80], |_| true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_fit_narrow_and_wide_terminals() {
    let lists = [
        "imports",
        "imports show $I",
        "holds",
        "holds show $H",
        "returns --limit 500",
        "transfer $T",
        "status",
        "journal show",
        "dishonorable --all",
        "diagnose",
        "codes",
        "parse returns.ach",
        "follow --after 0 --limit 30",
    ];
    walk(&[40, 60, 100, 200], |line| lists.contains(&line)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_a_sentence() {
    let world = World::start().await;
    for list in [
        "imports",
        "returns",
        "holds",
        "incidents",
        "dishonorable",
        "audit",
        "runs",
    ] {
        let shown = world.show(80, &[list]).await;
        assert!(shown.starts_with("No "), "{list}: {shown}");
    }
    world.stop().await;
}
