//! The daily job's rows.

use std::time::Duration as Lease;

use chrono::{DateTime, Utc};
use returns_model::plan::{Days, PlanText};
use returns_model::run_outcome::{RunOutcome, Trigger};

use super::*;

on_both! {
    a_slot_runs_once_and_two_runs_of_a_source_never_overlap,
    a_run_whose_replica_died_is_taken_over,
    a_run_ends_once_and_says_when_the_source_is_tried_again,
    a_source_is_changed_only_as_it_was_looked_at_and_the_change_is_kept,
    a_file_that_was_taken_is_known_by_name_size_and_time,
    an_archive_is_known_with_all_its_files,
    runs_are_listed_newest_first,
    a_days_files_and_unfinished_imports_are_found,
    bytes_that_come_again_count_only_when_they_say_that_there_is_nothing,
    another_plan_moves_slots_and_leaves_what_is_due,
}

const LEASE: Lease = Lease::from_secs(60);

fn new_run(id: &str, slot: &str) -> NewRun {
    NewRun {
        run_id: id.into(),
        source: "worldpay".into(),
        slot: slot.into(),
        slot_at: Some(now()),
        trigger: Trigger::Schedule,
        actor: None,
        started_at: now(),
    }
}

fn end(outcome: RunOutcome) -> RunEnd {
    RunEnd {
        at: now() + Duration::seconds(5),
        outcome,
        summary: "one file".into(),
        cause: None,
        files: vec![RunFile {
            name: "a\u{202e}b\0.csv".into(),
            size_bytes: 9,
            import_id: None,
            outcome,
            what: "imported".into(),
        }],
    }
}

fn audit(id: &str) -> AuditRecord {
    AuditRecord {
        at: now(),
        identity: "ann".into(),
        address: String::new(),
        request_id: id.into(),
        action: "pause".into(),
        subject: "source:worldpay".into(),
        before: "runs".into(),
        after: "paused".into(),
        reason: "maintenance".into(),
        outcome: "OK".into(),
    }
}

async fn a_slot_runs_once_and_two_runs_of_a_source_never_overlap(fixture: Fixture) {
    let store = &fixture.store;
    let begin = async |run: &NewRun, owner: &str| store.begin_run(run, owner, LEASE).await.unwrap();
    assert_eq!(
        begin(&new_run("run_1", "slot 1"), "a").await,
        Begun::Started
    );
    assert_eq!(
        begin(&new_run("run_2", "slot 1"), "b").await,
        Begun::SlotTaken
    );
    let busy = Begun::Busy {
        run_id: "run_1".into(),
    };
    assert_eq!(begin(&new_run("run_3", "slot 2"), "b").await, busy);
    assert!(store.slot_taken("worldpay", "slot 1").await.unwrap());
    assert!(!store.slot_taken("worldpay", "slot 2").await.unwrap());
    let other = NewRun {
        source: "bank".into(),
        ..new_run("run_4", "slot 1")
    };
    assert_eq!(begin(&other, "b").await, Begun::Started);
    assert!(
        store
            .end_run("run_1", "a", &end(RunOutcome::Completed), None)
            .await
            .unwrap()
    );
    assert_eq!(
        begin(&new_run("run_3", "slot 2"), "b").await,
        Begun::Started
    );
    assert_eq!(
        begin(&new_run("run_5", "slot 1"), "a").await,
        Begun::SlotTaken
    );
    assert_eq!(store.last_slot_at("worldpay").await.unwrap(), Some(now()));
    assert_eq!(store.last_slot_at("nobody").await.unwrap(), None);
}

async fn a_run_whose_replica_died_is_taken_over(fixture: Fixture) {
    let (store, other) = (&fixture.store, fixture.again().await);
    store
        .begin_run(&new_run("run_1", "slot 1"), "a", LEASE)
        .await
        .unwrap();
    let mut own = new_run("run_2", "slot 1");
    own.source = "bank".into();
    other.begin_run(&own, "b", Lease::ZERO).await.unwrap();
    assert!(store.renew_run("run_1", "a", LEASE).await.unwrap());
    assert!(!store.renew_run("run_1", "b", LEASE).await.unwrap());

    let ids = |runs: Vec<RunRecord>| {
        runs.into_iter()
            .map(|run| run.new.run_id)
            .collect::<Vec<_>>()
    };
    let taken = store
        .take_over_runs("a", &["run_1".to_owned()], LEASE)
        .await
        .unwrap();
    assert_eq!(ids(taken), ["run_2"], "its lease has run out");
    assert!(
        !other
            .end_run("run_2", "b", &end(RunOutcome::Completed), None)
            .await
            .unwrap()
    );
    // A process that starts again under its name goes on with what it had.
    let taken = store.take_over_runs("a", &[], LEASE).await.unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].ended, None);
}

async fn a_run_ends_once_and_says_when_the_source_is_tried_again(fixture: Fixture) {
    let store = &fixture.store;
    store.source_state("worldpay", now()).await.unwrap();
    let later = now() + Duration::minutes(1);
    for (run, slot) in [("run_1", "slot 1"), ("run_2", "slot 2")] {
        store
            .begin_run(&new_run(run, slot), "a", LEASE)
            .await
            .unwrap();
        let ended = store
            .end_run(run, "a", &end(RunOutcome::TargetFailed), Some(later))
            .await;
        assert!(ended.unwrap());
    }
    assert!(
        !store
            .end_run("run_1", "a", &end(RunOutcome::Completed), None)
            .await
            .unwrap()
    );
    let state = store.source_state("worldpay", now()).await.unwrap();
    assert_eq!((state.retry_at, state.retries), (Some(later), 2));
    store
        .begin_run(&new_run("run_3", "slot 3"), "a", LEASE)
        .await
        .unwrap();
    store
        .end_run("run_3", "a", &end(RunOutcome::Completed), None)
        .await
        .unwrap();
    let state = store.source_state("worldpay", now()).await.unwrap();
    assert_eq!((state.retry_at, state.retries), (None, 0));
    let last = store
        .last_run("worldpay", &[RunOutcome::TargetFailed])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last.new.run_id, "run_2");
    let ended = last.ended.unwrap();
    assert_eq!(ended.outcome, RunOutcome::TargetFailed);
    assert_eq!(ended.files[0].size_bytes, 9);
}

async fn a_source_is_changed_only_as_it_was_looked_at_and_the_change_is_kept(fixture: Fixture) {
    let store = &fixture.store;
    let seen = store.source_state("worldpay", now()).await.unwrap();
    assert_eq!((seen.version, seen.known_since), (0, now()));
    let change = |seen_version, to, id: &str| SourceChange {
        source: "worldpay".into(),
        seen_version,
        to,
        audit: audit(id),
    };
    let paused = Paused {
        at: now(),
        by: "ann".into(),
        reason: "maintenance\0".into(),
    };
    let pause = change(0, SourceChangeTo::Paused(paused), "aud_1");
    assert!(store.change_source(&pause).await.unwrap());
    assert!(
        !store
            .change_source(&change(0, SourceChangeTo::Resumed, "aud_2"))
            .await
            .unwrap()
    );
    let state = store.source_state("worldpay", now()).await.unwrap();
    assert_eq!(state.paused.unwrap().by, "ann");

    let plan = PlanText {
        cron: "0 9 * * *".into(),
        time_zone: "UTC".into(),
        days: Days::BankingDays,
        due: None,
        grace_minutes: 30,
    };
    assert!(
        store
            .change_source(&change(1, SourceChangeTo::Resumed, "aud_3"))
            .await
            .unwrap()
    );
    let to = SourceChangeTo::Plan(Some(plan.clone()));
    assert!(store.change_source(&change(2, to, "aud_4")).await.unwrap());
    let state = store
        .source_state("worldpay", now() + Duration::days(1))
        .await
        .unwrap();
    assert_eq!(
        (state.plan, state.paused, state.version),
        (Some(plan), None, 3)
    );
    assert_eq!(state.known_since, now());

    store.record_audit(&audit("aud_5")).await.unwrap();
    let kept: Vec<_> = store.audit(&AuditFilter::default(), 10).await.unwrap();
    assert_eq!(
        kept.iter()
            .map(|row| &*row.record.request_id)
            .collect::<Vec<_>>(),
        ["aud_5", "aud_4", "aud_3", "aud_1"]
    );
    assert_eq!(kept[0].record, audit("aud_5"));
}

async fn a_file_that_was_taken_is_known_by_name_size_and_time(fixture: Fixture) {
    let store = &fixture.store;
    let import_id = fixture.deciding_import("bytes", 1).await;
    let file = RemoteKey {
        source: "worldpay".into(),
        name: "returns.csv".into(),
        size_bytes: 10,
        modified_at: now(),
    };
    assert_eq!(store.taken(&file).await.unwrap(), []);
    let took = async |file: &RemoteKey| {
        let files = [(file.clone(), import_id.clone())];
        store.record_taken(&files, now()).await.unwrap();
    };
    for _ in 0..2 {
        took(&file).await;
    }
    let taken = store.taken(&file).await.unwrap().pop().unwrap();
    assert_eq!(
        (&taken.name, &taken.import_id, taken.archived_remotely_at),
        (&file.name, &import_id, None)
    );
    let renamed = RemoteKey {
        name: "again.csv".into(),
        ..file.clone()
    };
    took(&renamed).await;
    let since = store.taken_since("worldpay", now()).await.unwrap();
    assert_eq!(
        since,
        std::slice::from_ref(&import_id),
        "one import, under however many names"
    );
    let later = now() + Duration::seconds(1);
    assert!(
        store
            .taken_since("worldpay", later)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.taken_since("other", now()).await.unwrap().is_empty());
    let grown = RemoteKey {
        size_bytes: 11,
        ..file.clone()
    };
    assert_eq!(store.taken(&grown).await.unwrap(), []);
    store.record_remote_archival(&file, now()).await.unwrap();
    store
        .record_remote_archival(&file, now() + Duration::days(1))
        .await
        .unwrap();
    let taken = store.taken(&file).await.unwrap().pop().unwrap();
    assert_eq!(
        taken.archived_remotely_at,
        Some(now()),
        "the first time stays"
    );
}

async fn an_archive_is_known_with_all_its_files(fixture: Fixture) {
    let store = &fixture.store;
    let named = |name: &str| RemoteKey {
        source: "worldpay".into(),
        name: name.into(),
        size_bytes: 10,
        modified_at: now(),
    };
    let import_id = fixture.deciding_import("bytes", 1).await;
    let names = ["r.zip/a.csv", "r.zip/b.csv", "r.zip2"];
    let files = names.map(|name| (named(name), import_id.clone()));
    store.record_taken(&files, now()).await.unwrap();
    let taken = store.taken(&named("r.zip")).await.unwrap();
    let found: Vec<&str> = taken.iter().map(|taken| &*taken.name).collect();
    assert_eq!(found, ["r.zip/a.csv", "r.zip/b.csv"]);
}

async fn runs_are_listed_newest_first(fixture: Fixture) {
    let store = &fixture.store;
    for number in 1..=3 {
        let run = NewRun {
            started_at: now() + Duration::minutes(number),
            ..new_run(&format!("run_{number}"), &format!("slot {number}"))
        };
        store.begin_run(&run, "a", LEASE).await.unwrap();
        store
            .end_run(&run.run_id, "a", &end(RunOutcome::NoActivity), None)
            .await
            .unwrap();
    }
    let ids = |runs: Vec<RunRecord>| {
        runs.into_iter()
            .map(|run| run.new.run_id)
            .collect::<Vec<_>>()
    };
    let page = store.runs(Some("worldpay"), None, 2).await.unwrap();
    let last = (page[1].new.started_at, page[1].new.run_id.clone());
    assert_eq!(ids(page), ["run_3", "run_2"]);
    assert_eq!(
        ids(store.runs(None, Some(last), 2).await.unwrap()),
        ["run_1"]
    );
    assert_eq!(
        ids(store.runs(Some("bank"), None, 2).await.unwrap()),
        [""; 0]
    );
    assert_eq!(
        store.run("run_2").await.unwrap().unwrap().new.slot,
        "slot 2"
    );
    assert_eq!(store.run("run_9").await.unwrap(), None);
}

fn came(import_id: &str, received_at: DateTime<Utc>, modified_at: Option<DateTime<Utc>>) -> Came {
    Came {
        import_id: import_id.into(),
        received_at,
        modified_at,
    }
}

async fn bytes_that_come_again_count_only_when_they_say_that_there_is_nothing(fixture: Fixture) {
    let store = &fixture.store;
    let full = fixture.deciding_import("full", 1).await;
    let quiet = fixture.deciding_import("quiet", 0).await;
    let tomorrow = now() + Duration::days(1);
    for import_id in [&full, &quiet] {
        for day in [now(), tomorrow] {
            let key = RemoteKey {
                source: "worldpay".into(),
                name: "returns.csv".into(),
                size_bytes: import_id.len() as u64,
                modified_at: day + Duration::seconds(i64::from(import_id == &full)),
            };
            let files = [(key, import_id.clone())];
            store.record_taken(&files, day).await.unwrap();
        }
    }
    let since = async |from| store.came_since("worldpay", from).await.unwrap();
    assert_eq!(
        since(now()).await.len(),
        3,
        "each once, and the quiet one again"
    );
    let again = came(&quiet, tomorrow, Some(tomorrow));
    assert_eq!(since(tomorrow).await, [again]);
}

async fn another_plan_moves_slots_and_leaves_what_is_due(fixture: Fixture) {
    let store = &fixture.store;
    store.source_state("worldpay", now()).await.unwrap();
    let later = now() + Duration::hours(1);
    let change = |seen_version, to, id: &str| SourceChange {
        source: "worldpay".into(),
        seen_version,
        to,
        audit: AuditRecord {
            at: later,
            ..audit(id)
        },
    };
    let since = async || {
        let state = store.source_state("worldpay", later).await.unwrap();
        (state.known_since, state.due_since)
    };
    let plan = change(0, SourceChangeTo::Plan(None), "aud_1");
    assert!(store.change_source(&plan).await.unwrap());
    assert_eq!(since().await, (later, now()));
    let resume = change(1, SourceChangeTo::Resumed, "aud_2");
    assert!(store.change_source(&resume).await.unwrap());
    assert_eq!(since().await, (later, later));
}

async fn a_days_files_and_unfinished_imports_are_found(fixture: Fixture) {
    let store = &fixture.store;
    let import_id = fixture.deciding_import("bytes", 1).await;
    let received = store
        .import(&import_id)
        .await
        .unwrap()
        .unwrap()
        .new
        .received_at;
    let since = async |from| store.came_since("worldpay", from).await.unwrap();
    let file = came(&import_id, received, None);
    assert_eq!(since(received).await, std::slice::from_ref(&file));
    assert!(since(received + Duration::seconds(1)).await.is_empty());
    assert!(store.came_since("bank", received).await.unwrap().is_empty());
    let key = RemoteKey {
        source: "worldpay".into(),
        name: "returns.csv".into(),
        size_bytes: 5,
        modified_at: received - Duration::hours(1),
    };
    let files = [(key.clone(), import_id.clone())];
    store.record_taken(&files, received).await.unwrap();
    let file = came(&import_id, received, Some(key.modified_at));
    assert_eq!(since(received).await, [file], "once, and with its time");
    assert_eq!(
        store.unfinished_imports("worldpay").await.unwrap(),
        [import_id]
    );
    assert!(store.unfinished_imports("bank").await.unwrap().is_empty());
}
