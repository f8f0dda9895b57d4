//! Lists with filters, single things, and errors for programs.

use super::support::{World, echeck, json, text};

#[tokio::test(flavor = "multi_thread")]
async fn imports_and_returns_are_found_by_state_time_and_amount() {
    let world = World::with_imports().await;
    let count = async |arguments: &[&str]| world.json(arguments).await.len();
    assert_eq!(count(&["imports"]).await, 2);
    assert_eq!(count(&["imports", "--state", "applied"]).await, 2);
    assert_eq!(count(&["imports", "--state", "rejected"]).await, 0);
    assert_eq!(count(&["imports", "--since", "2020-01-01"]).await, 2);
    assert_eq!(
        count(&["imports", "--until", "2020-01-01T00:00:00Z"]).await,
        0
    );
    assert_eq!(count(&["imports", "--max-amount", "0.01"]).await, 0);
    assert_eq!(
        count(&["imports", "--min-amount", "$1,000,000,000.00"]).await,
        0
    );
    let returns = world.json(&["returns", "--limit", "500"]).await;
    let reversed = returns
        .iter()
        .filter(|one| one["effect"] == "reverse")
        .count();
    assert_eq!(
        count(&["returns", "--effect", "reverse", "--limit", "500"]).await,
        reversed
    );
    let amounts = returns
        .iter()
        .filter_map(|one| one["amount_minor"].as_i64());
    let large = amounts.filter(|amount| *amount >= 10_000).count();
    assert_eq!(
        count(&["returns", "--min-amount", "100", "--limit", "500"]).await,
        large
    );
    assert_eq!(count(&["returns", "--merchant", "IDnobody"]).await, 0);
    assert_eq!(
        count(&["returns", "--since", "2020-01-01", "--until", "2020-01-02"]).await,
        0
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_cut_says_that_there_is_more_and_a_whole_one_does_not() {
    let world = World::with_imports().await;
    let hint = async |arguments: &[&str]| text(&world.run(arguments).await.stderr);
    let said = hint(&["imports", "--limit", "1"]).await;
    assert_eq!(
        said,
        "1 row is shown, and there are more: --limit shows more.\n"
    );
    assert_eq!(hint(&["imports", "--limit", "2"]).await, "");
    assert_eq!(hint(&["imports", "--limit", "1", "--json"]).await, "");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_listed_with_its_date_money_and_outcomes() {
    let world = World::with_imports().await;
    let listed = text(&world.run(&["imports"]).await.stdout);
    let header = listed.lines().next().unwrap();
    for column in [
        "RECEIVED",
        "AMOUNT",
        "RETURNED",
        "REVERSED",
        "RESTORED",
        "REAPPLIED",
    ] {
        assert!(header.contains(column), "{column}: {header}");
    }
    let import = &world.json(&["imports", "--source", "nacha"]).await[0];
    let minor = import["totals"]["read"]["amount_minor"].as_i64().unwrap();
    let cents = format!(".{:02}", minor % 100);
    let row = listed
        .lines()
        .find(|line| line.contains("returns.ach"))
        .unwrap();
    assert!(row.contains('$') && row.contains(&cents), "{minor}: {row}");
    let id = import["import_id"].as_str().unwrap();
    for arguments in [
        &["imports", id][..],
        &["imports", "show", id],
        &["import", id],
    ] {
        let shown = text(&world.run(arguments).await.stdout);
        assert!(
            shown.contains("reversed") && shown.contains("gateway"),
            "{shown}"
        );
        assert!(
            shown.contains(&format!("echeck holds --import {id}")),
            "{shown}"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_grouped_by_reason_with_counts_money_and_ages_and_one_is_shown_whole() {
    let world = World::with_imports().await;
    let holds = world.json(&["holds"]).await;
    let listed = text(&world.run(&["holds"]).await.stdout);
    let of_reason = holds
        .iter()
        .filter(|one| one["reason"] == "unknown_transfer");
    let count = of_reason.count();
    assert!(count > 1, "{holds:?}");
    assert!(
        listed.contains(&format!("unknown transfer: {count} holds, $")),
        "{listed}"
    );
    let last = listed.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("{} open holds, $", holds.len())),
        "{last}"
    );
    assert!(
        listed.contains("AGE") && listed.contains(" second"),
        "{listed}"
    );
    let one = ["holds", "--hold-reason", "unknown-transfer", "--limit", "1"];
    let short = text(&world.run(&one).await.stdout);
    assert!(
        short.contains(&format!("and {} more: --limit", count - 1)),
        "{short}"
    );
    assert!(!short.contains("unknown code"), "{short}");
    let id = holds[0]["hold_id"].as_str().unwrap();
    let shown = text(&world.run(&["holds", "show", id]).await.stdout);
    for part in [
        id,
        "reason",
        "amount",
        "original trace",
        "echeck holds dismiss",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(world.json(&["holds", "show", id]).await[0], holds[0]);
    let dismissed = world
        .run(&["holds", "dismiss", id, "--reason", "a test"])
        .await;
    assert_eq!(dismissed.status.code(), Some(0), "{dismissed:?}");
    let closed = world.json(&["holds", "--state", "dismissed"]).await;
    assert_eq!(closed[0]["note"], "a test");
    let all = text(&world.run(&["holds", "--all"]).await.stdout);
    assert!(all.contains("STATE") && all.contains("dismissed"), "{all}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_an_object_on_standard_error_and_a_server_needs_no_scheme() {
    let world = World::start().await;
    let server = world.server().to_owned();
    let named = echeck(&["status", "--server", &server, "--json"], &world.home());
    assert_eq!(json(&named)[0]["head_position"], 0, "{named:?}");
    let errors: [(&[&str], &str, i32); 4] = [
        (&["transfer", "TRnone", "--json"], "not_found", 4),
        (
            &["status", "--server", "127.0.0.1:1", "--json"],
            "unreachable",
            1,
        ),
        (&["imports", "--state", "nonsense", "--json"], "usage", 64),
        (&["codes", "R48", "--json"], "failed", 1),
    ];
    for (arguments, kind, code) in errors {
        let failed = world.run(arguments).await;
        assert_eq!(failed.status.code(), Some(code), "{failed:?}");
        assert!(failed.stdout.is_empty(), "{failed:?}");
        let said: serde_json::Value = serde_json::from_slice(&failed.stderr).unwrap();
        assert_eq!(said["error"]["kind"], kind, "{said}");
        assert_eq!(said["error"]["exit_code"], code, "{said}");
        assert!(
            !said["error"]["message"].as_str().unwrap().is_empty(),
            "{said}"
        );
    }
    world.stop().await;
}

#[test]
fn a_shell_gets_completions_and_man_gets_a_page_for_each_command() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&echeck(&["completions", shell], home.path()).stdout);
        assert!(
            script.contains("dishonorable") && script.contains("hold-reason"),
            "{shell}"
        );
    }
    let written = echeck(&["man", "pages"], home.path());
    assert!(written.status.success(), "{written:?}");
    let page = std::fs::read_to_string(home.path().join("pages/echeck-holds-retry.1")).unwrap();
    assert!(page.contains("hold\\-reason"), "{page}");
}
