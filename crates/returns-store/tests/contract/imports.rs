//! Imports.

use super::*;

on_both! {
    progress_counts_rows_that_have_others_between_them,
    a_superseding_row_counts_for_the_import_of_the_row_it_replaces,
    the_same_bytes_received_at_once_by_two_replicas_are_one_import,
    the_same_batch_is_appended_once_whoever_tries_again,
    the_same_bytes_are_one_import_and_another_file_of_that_name_is_reissued,
    refused_bytes_may_be_imported_again,
    an_import_is_applied_once_every_database_has_passed_its_rows,
}

async fn the_same_batch_is_appended_once_whoever_tries_again(fixture: Fixture) {
    let import = fixture.deciding_import("a", 5).await;
    let first = fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    assert!(matches!(first, Appended::Done(_)));
    let again = fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    assert_eq!(again, Appended::Lost);
    assert_eq!(fixture.store.head().await.unwrap().position, 1);
}

async fn the_same_bytes_are_one_import_and_another_file_of_that_name_is_reissued(fixture: Fixture) {
    let Received::New(first) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("the file is new");
    };
    assert!(!first.reissued);
    let again = fixture.store.receive(file("a")).await.unwrap();
    assert_eq!(again, Received::Known(first));
    let Received::New(other) = fixture.store.receive(file("b")).await.unwrap() else {
        panic!("the bytes are new");
    };
    assert!(other.reissued);
}

async fn refused_bytes_may_be_imported_again(fixture: Fixture) {
    let Received::New(first) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("the file is new");
    };
    let why = FileRejected {
        at: None,
        field: None,
        why: "no".into(),
        looks_like: None,
    };
    assert!(
        fixture
            .store
            .reject_import(&first.import_id, &why, now())
            .await
            .unwrap()
    );
    let Received::New(second) = fixture.store.receive(file("a")).await.unwrap() else {
        panic!("refused bytes do not count");
    };
    assert_ne!(first.import_id, second.import_id);
    let kept = fixture
        .store
        .import(&first.import_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.phase, Phase::Rejected { why, at: now() });
}

async fn an_import_is_applied_once_every_database_has_passed_its_rows(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 1).await;
    let mut last = append(&import, (0, 1), 0, Writes::default());
    last.writes.rows.push(row(&import, "TR1"));
    if let AppendCause::Import { last, .. } = &mut last.cause {
        *last = true;
    }
    store.append(last).await.unwrap();
    let databases = [GATEWAY.to_owned(), "rallypay".to_owned()];

    store
        .record_progress(GATEWAY, 0, 1, &[], now())
        .await
        .unwrap();
    assert!(
        store
            .finish_imports(&databases, now())
            .await
            .unwrap()
            .is_empty()
    );
    store
        .record_progress("rallypay", 0, 1, &[exception(1)], now())
        .await
        .unwrap();
    assert!(
        store
            .finish_imports(&databases, now())
            .await
            .unwrap()
            .is_empty(),
        "not dealt with"
    );
    let dealt = Append {
        cause: AppendCause::Exception {
            database: "rallypay".into(),
            position: 1,
        },
        seen_position: 1,
        writes: Writes::default(),
        at: now(),
    };
    store.append(dealt).await.unwrap();
    assert_eq!(
        store.finish_imports(&databases, now()).await.unwrap(),
        [import.as_str()]
    );
    let progress = store.import_progress(&import, "rallypay").await.unwrap();
    assert_eq!(
        (progress.rows, progress.passed, progress.exceptions),
        (1, 1, 1)
    );
}

async fn progress_counts_rows_that_have_others_between_them(fixture: Fixture) {
    let store = &fixture.store;
    let (a, b) = (
        fixture.deciding_import("a", 4).await,
        fixture.deciding_import("b", 1).await,
    );
    let two = |import: &str, first: u64| {
        vec![
            row(import, &format!("TR{first}")),
            row(import, &format!("TR{}", first + 1)),
        ]
    };
    fixture.append_rows(&a, (0, 2), two(&a, 1)).await;
    let passed = async |import: &str, position: u64| {
        let before = store.progress(GATEWAY).await.unwrap().position;
        let moved = store
            .record_progress(GATEWAY, before, position, &[], now())
            .await;
        assert!(moved.unwrap());
        let progress = store.import_progress(import, GATEWAY).await.unwrap();
        (progress.passed, progress.rows)
    };
    assert_eq!(passed(&a, 0).await, (0, 2));
    assert_eq!(passed(&a, 1).await, (1, 2));
    assert_eq!(passed(&a, 2).await, (2, 2));
    fixture.append_rows(&b, (0, 1), vec![row(&b, "TR9")]).await;
    fixture.append_rows(&a, (2, 4), two(&a, 3)).await;
    assert_eq!(passed(&b, 2).await, (0, 1));
    assert_eq!(passed(&b, 3).await, (1, 1));
    assert_eq!(passed(&a, 3).await, (2, 4));
    assert_eq!(passed(&a, 4).await, (3, 4));
    assert_eq!(passed(&a, 5).await, (4, 4));
    let progress = store.import_progress(&a, GATEWAY).await.unwrap();
    assert_eq!((progress.first_position, progress.last_position), (1, 5));
    let unheard = store.import_progress(&a, "rallypay").await.unwrap();
    assert_eq!((unheard.passed, unheard.rows), (0, 4));
}

async fn a_superseding_row_counts_for_the_import_of_the_row_it_replaces(fixture: Fixture) {
    let store = &fixture.store;
    let (a, b) = (
        fixture.deciding_import("a", 1).await,
        fixture.deciding_import("b", 1).await,
    );
    fixture.append_rows(&a, (0, 1), vec![row(&a, "TR1")]).await;
    fixture.append_rows(&b, (0, 1), vec![row(&b, "TR2")]).await;
    store
        .record_progress(GATEWAY, 0, 2, &[exception(1)], now())
        .await
        .unwrap();
    let mut replacing = row(&a, "TR1");
    replacing.relation = Some(Relation::Supersedes { position: 1 });
    let outcome = store
        .append(Append {
            cause: AppendCause::Exception {
                database: GATEWAY.into(),
                position: 1,
            },
            seen_position: 2,
            writes: Writes {
                rows: vec![replacing],
                ..Writes::default()
            },
            at: now(),
        })
        .await;
    assert!(matches!(outcome.unwrap(), Appended::Done(_)));
    let progress = store.import_progress(&a, GATEWAY).await.unwrap();
    assert_eq!(
        progress,
        ImportProgress {
            rows: 2,
            passed: 1,
            exceptions: 1,
            first_position: 1,
            last_position: 3,
            fault: None
        }
    );
}

async fn the_same_bytes_received_at_once_by_two_replicas_are_one_import(fixture: Fixture) {
    let other = fixture.again().await;
    let (one, two) = tokio::join!(fixture.store.receive(file("a")), other.receive(file("a")));
    let outcomes = [one.unwrap(), two.unwrap()];
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Received::New(_)))
        .count();
    assert_eq!(new, 1, "{outcomes:?}");
}
