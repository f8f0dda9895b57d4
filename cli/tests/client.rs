//! The operator's commands against a running stack.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail loudly, its own functions too"
)]

use std::process::{Command, Output};

use echeck::database::DatabaseArguments;
use echeck::stack::{DataFolder, Ports, Stack, StackOptions};
use serde_json::Value;

async fn echeck(stack: &Stack, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echeck"));
    command.args(arguments).env("ECHECK_SERVER", stack.url());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_imports_looks_and_resolves() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let sample = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_echeck"))
            .arg("sample")
            .args(arguments)
            .status()
            .unwrap();
        assert!(done.success());
    };
    let world = path("world");
    sample(&["world", "--payments", "300", "--out", &world]);
    let file = path("r.ach");
    sample(&[
        "nacha",
        "--payments",
        "300",
        "--entries",
        "60",
        "--strange",
        "100",
        "--out",
        &file,
    ]);
    let data = DataFolder::open(&folder.path().join("world"), &DatabaseArguments::default())
        .await
        .unwrap();
    assert!(data.gateway().file().unwrap().exists());
    let mut options = StackOptions::new(folder.path().join("world").as_path(), Ports::ANY);
    // So that the journal has just the rows that the file asks for.
    options
        .returns
        .push_str("[reversals]\nready = \"by_hand\"\n");
    let stack = Stack::start(&options).await.unwrap();

    let dry = echeck(
        &stack,
        &["import", &file, "--source", "nacha", "--dry-run", "--json"],
    )
    .await;
    assert_eq!(json(&dry)[0]["file_import"]["state"], "dry_run");
    let status = json(&echeck(&stack, &["status", "--json"]).await);
    assert_eq!(status[0]["head_position"], 0);

    let imported = echeck(&stack, &["import", &file, "--source", "nacha", "--json"]).await;
    assert_eq!(
        imported.status.code(),
        Some(2),
        "some codes are strange, so a person must look"
    );
    let import = &json(&imported)[0]["file_import"];
    assert_eq!(import["state"], "applied");
    let count = |what: &str| import["totals"][what]["count"].as_u64().unwrap();
    let parts: u64 = [
        "returned",
        "reversed",
        "failed",
        "corrected",
        "duplicate",
        "held",
        "rejected",
    ]
    .into_iter()
    .map(count)
    .sum();
    assert_eq!((count("read"), parts), (60, 60));

    let again = echeck(&stack, &["import", &file, "--source", "nacha", "--json"]).await;
    assert_eq!(json(&again)[0]["duplicate_file"], true);
    let shown = echeck(&stack, &["imports"]).await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("applied"));

    // The report says what is held when it is written, so nobody decides before it is there.
    let import_id = import["import_id"].as_str().unwrap();
    let saved = path("report.csv");
    let report = loop {
        let asked = echeck(&stack, &["report", import_id, "-o", &saved, "--json"]).await;
        if asked.status.success() {
            break json(&asked).remove(0);
        }
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        assert!(said.contains("NOT_REPORTED_YET"), "{said}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(
        (&report["rows"], &report["ties_out"]),
        (&60.into(), &true.into())
    );

    let holds = json(&echeck(&stack, &["holds", "--json"]).await);
    assert_eq!(holds.len() as u64, count("held"));
    let hold_id = holds[0]["hold_id"].as_str().unwrap();
    let retried = echeck(&stack, &["holds", "retry", hold_id]).await;
    assert_eq!(
        retried.status.code(),
        Some(2),
        "the code is as strange as before"
    );
    let dismissed = echeck(
        &stack,
        &["holds", "dismiss", hold_id, "--reason", "a test", "--json"],
    )
    .await;
    assert_eq!(json(&dismissed)[0]["state"], "dismissed");

    let returns = json(&echeck(&stack, &["returns", "--limit", "1000", "--json"]).await);
    assert_eq!(returns.len() as u64, 60 - count("held"));
    let transfer_id = returns[0]["transfer_id"].as_str().unwrap();
    let transfer = echeck(&stack, &["transfer", transfer_id, "--json"]).await;
    assert_eq!(json(&transfer)[0]["has_ach_return"], true);
    let for_people = echeck(&stack, &["transfer", transfer_id]).await;
    assert!(String::from_utf8_lossy(&for_people.stdout).contains("deadline"));
    let missing = echeck(&stack, &["transfer", "TRnone"]).await;
    assert_eq!(missing.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("NOT_FOUND"));

    let outcomes = report["outcomes"].as_array().unwrap();
    let held = outcomes.iter().find(|one| one["outcome"] == "held");
    assert_eq!(
        held.unwrap()["tally"]["count"].as_u64().unwrap(),
        count("held")
    );
    let text = std::fs::read_to_string(&saved).unwrap();
    assert_eq!(text.lines().count(), 61);
    let printed = echeck(&stack, &["report", import_id, "-o", "-"]).await;
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), text);
    let for_people = echeck(&stack, &["report", import_id, "-o", &saved]).await;
    assert!(
        String::from_utf8_lossy(&for_people.stdout)
            .contains("Everything in the file is accounted for")
    );
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let missing = echeck(&stack, &["report", "imp_none"]).await;
    assert_eq!(missing.status.code(), Some(4));

    let verified = echeck(&stack, &["journal", "verify", "--json"]).await;
    assert_eq!(verified.status.code(), Some(0));
    assert_eq!(json(&verified)[0]["checked"], 60 - count("held"));
    let rows = json(&echeck(&stack, &["journal", "show", "--limit", "3", "--json"]).await);
    assert_eq!(rows[2]["position"], 3);
    let payload: Value = serde_json::from_str(rows[2]["payload_json"].as_str().unwrap()).unwrap();
    let for_people = echeck(&stack, &["journal", "show", "--limit", "3"]).await;
    let for_people = String::from_utf8(for_people.stdout).unwrap();
    let about = for_people.lines().nth(3).unwrap();
    let effect = payload["effect"].as_object().unwrap().keys().next();
    assert!(about.contains(effect.unwrap()), "{about}");
    for part in ["/transfer/id", "/return_id", "/import_id"] {
        let part = payload.pointer(part).unwrap().as_str().unwrap();
        assert!(about.contains(part), "{part}: {about}");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_tampered_with_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world");
    let file = folder.path().join("r.ach");
    for arguments in [
        vec![
            "world",
            "--payments",
            "100",
            "--out",
            world.to_str().unwrap(),
        ],
        vec![
            "nacha",
            "--payments",
            "100",
            "--entries",
            "5",
            "--out",
            file.to_str().unwrap(),
        ],
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_echeck"))
            .arg("sample")
            .args(arguments)
            .status()
            .unwrap();
        assert!(done.success());
    }
    let stack = Stack::start(&StackOptions::new(&world, Ports::ANY))
        .await
        .unwrap();
    echeck(
        &stack,
        &["import", file.to_str().unwrap(), "--source", "nacha"],
    )
    .await;
    let data = DataFolder::open(&world, &DatabaseArguments::default())
        .await
        .unwrap();
    let pool = sqlx::SqlitePool::connect(data.returns().url())
        .await
        .unwrap();
    for sql in [
        "DROP TRIGGER journal_rows_are_never_changed",
        "UPDATE journal SET payload = replace(payload, 'nacha', 'other') WHERE position = 2",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    let verified = echeck(&stack, &["journal", "verify"]).await;
    assert_eq!(verified.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("position 2"));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_tries_rotates_and_disables_a_webhook_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world");
    let done = Command::new(env!("CARGO_BIN_EXE_echeck"))
        .args(["sample", "world", "--payments", "10", "--out"])
        .arg(&world)
        .status();
    assert!(done.unwrap().success());
    let stack = Stack::start(&StackOptions::new(world.as_path(), Ports::ANY))
        .await
        .unwrap();
    let webhooks = async |arguments: &[&str]| {
        let all: Vec<&str> = ["webhooks"].iter().chain(arguments).copied().collect();
        echeck(&stack, &all).await
    };
    let create = async |url: &str| {
        let because = ["--reason", "a test", "--json"];
        let what = ["create", url, "--style", "finix", "--type", "transfer.*"];
        webhooks(&[&what[..], &because[..]].concat()).await
    };

    let refused = create("https://169.254.169.254/latest").await;
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("url: leads to 169.254.169.254"), "{said}");

    let made = json(&create("https://hooks.platform.invalid/x").await);
    let secret = made[0]["key"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let id = made[0]["endpoint"]["endpoint_id"].as_str().unwrap();

    let tried = webhooks(&["test", id, "--json"]).await;
    assert_eq!(tried.status.code(), Some(2), "nobody has that name");
    assert!(
        json(&tried)[0]["error"]
            .as_str()
            .unwrap()
            .contains("does not resolve")
    );

    let ed25519 = [
        "rotate",
        id,
        "--key-kind",
        "ed25519",
        "--reason",
        "a test",
        "--json",
    ];
    let rotated = json(&webhooks(&ed25519).await);
    let public = rotated[0]["key"]["key"]["public_key"].as_str().unwrap();
    assert!(public.starts_with("whpk_") && rotated[0]["key"]["secret"] == "");
    let shown = webhooks(&["list", id]).await;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(public) && !shown.contains(secret), "{shown}");

    let off = json(&webhooks(&["disable", id, "--reason", "a test", "--json"]).await);
    assert_eq!(off[0]["enabled"], false);
    let on = json(&webhooks(&["enable", id, "--reason", "a test", "--json"]).await);
    assert_eq!(
        (&on[0]["enabled"], &on[0]["version"]),
        (&true.into(), &3.into())
    );

    let since = [
        "--since",
        "2026-01-01T00:00:00Z",
        "--reason",
        "a test",
        "--json",
    ];
    let recovered = webhooks(&[&["recover", id][..], &since[..]].concat()).await;
    assert_eq!(json(&recovered)[0]["messages"], 0);
    let replayed = webhooks(&["replay", id, "--event", "evt_none", "--reason", "a test"]).await;
    assert_eq!(replayed.status.code(), Some(4));
    let listed = webhooks(&["deliveries", "--endpoint", id, "--json"]).await;
    assert!(listed.status.success() && listed.stdout.is_empty());
    let events = webhooks(&["events", "--style", "finix", "--json"]).await;
    assert!(events.status.success() && events.stdout.is_empty());
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stacks_never_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = StackOptions::new(folder.path(), Ports::ANY);
    let first = Stack::start(&options).await.unwrap();
    let refused = Stack::start(&options).await.err().unwrap().to_string();
    assert!(refused.contains("is in use by another echeck"), "{refused}");
    first.stop().await.unwrap();
    Stack::start(&options).await.unwrap().stop().await.unwrap();
}
