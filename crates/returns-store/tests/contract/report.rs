//! What of an import is in the bucket, and what its report is written from.

use super::*;
use echeck_test_fixtures::duplicate;

on_both! {
    what_was_archived_or_reported_first_stays,
    a_fault_keeps_its_first_time_and_counts_its_tries,
    files_are_done_only_when_everything_is_in_the_bucket,
    unfinished_files_come_oldest_first_page_by_page,
    first_rows_are_in_the_order_of_the_file_and_leave_later_decisions_out,
    what_is_asked_by_entry_or_position_comes_back_for_just_these,
    a_returned_prenote_comes_back_as_it_was_written,
}

const DATABASES: [&str; 1] = [GATEWAY];

fn archive(key: &str) -> ArchivedFile {
    ArchivedFile {
        key: key.into(),
        sha256: "ab".into(),
        size_bytes: 3,
        at: now(),
    }
}

fn report(key: &str, ties_out: bool) -> WrittenReport {
    WrittenReport {
        key: key.into(),
        sha256: "cd".into(),
        size_bytes: 4,
        rows: 2,
        totals_key: format!("{key}.json"),
        totals: "{}".into(),
        ties_out,
        at: now(),
    }
}

fn fault(what: &str, area: &str, minutes: i64) -> FilesFault {
    FilesFault {
        what: what.into(),
        area: area.into(),
        since: now() + Duration::minutes(minutes),
    }
}

/// An import without entries, which every database has.
async fn applied_import(fixture: &Fixture, bytes: &str) -> String {
    let id = fixture.deciding_import(bytes, 0).await;
    let databases = DATABASES.map(str::to_owned);
    let finished = fixture.store.finish_imports(&databases, now()).await;
    assert!(finished.unwrap().contains(&id));
    id
}

async fn what_was_archived_or_reported_first_stays(fixture: Fixture) {
    let (store, other) = (&fixture.store, fixture.again().await);
    let id = fixture.deciding_import("a", 1).await;
    assert_eq!(store.files_of(&id).await.unwrap(), FilesRecord::default());
    assert_eq!(
        store.files_of("imp_?").await.unwrap(),
        FilesRecord::default()
    );

    assert!(store.record_archive(&id, &archive("one")).await.unwrap());
    assert!(!other.record_archive(&id, &archive("two")).await.unwrap());
    assert!(
        other
            .record_report(&id, &report("one", true))
            .await
            .unwrap()
    );
    assert!(
        !store
            .record_report(&id, &report("two", true))
            .await
            .unwrap()
    );
    let files = store.files_of(&id).await.unwrap();
    assert_eq!(files.archive, Some(archive("one")));
    assert_eq!(files.report, Some(report("one", true)));

    let reported_first = fixture.deciding_import("b", 1).await;
    let written = report("x", false);
    assert!(
        store
            .record_report(&reported_first, &written)
            .await
            .unwrap()
    );
    let files = store.files_of(&reported_first).await.unwrap();
    assert_eq!((files.archive, files.report), (None, Some(written)));
}

async fn a_fault_keeps_its_first_time_and_counts_its_tries(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 1).await;
    let tell = async |fault| store.record_files_fault(&id, &fault).await.unwrap();
    tell(fault("forbidden", "bucket", 0)).await;
    tell(fault("unreachable", "bucket", 1)).await;
    let files = store.files_of(&id).await.unwrap();
    assert_eq!(files.fault, Some(fault("unreachable", "bucket", 0)));
    assert_eq!(files.attempts, 2);
    assert_eq!(store.files_with_fault("bucket").await.unwrap(), 1);

    tell(fault("full\0", "disk", 2)).await;
    assert_eq!(store.files_with_fault("bucket").await.unwrap(), 0);
    let kept = store.files_of(&id).await.unwrap().fault.unwrap();
    assert_eq!(
        kept.since,
        now() + Duration::minutes(2),
        "another area is another fault"
    );

    assert!(store.record_archive(&id, &archive("one")).await.unwrap());
    store.clear_files_fault(&id).await.unwrap();
    let files = store.files_of(&id).await.unwrap();
    assert_eq!((files.fault, files.attempts), (None, 3));
    assert!(files.archive.is_some());
    assert_eq!(store.files_with_fault("disk").await.unwrap(), 0);
}

async fn files_are_done_only_when_everything_is_in_the_bucket(fixture: Fixture) {
    let store = &fixture.store;
    let finish = async |id: &str| store.finish_files(id).await.unwrap();

    let deciding = fixture.deciding_import("a", 1).await;
    assert!(
        store
            .record_archive(&deciding, &archive("a"))
            .await
            .unwrap()
    );
    assert!(
        store
            .record_report(&deciding, &report("a", true))
            .await
            .unwrap()
    );
    assert!(!finish(&deciding).await, "it is not applied");

    let applied = applied_import(&fixture, "b").await;
    assert!(!finish(&applied).await, "nothing is in the bucket");
    assert!(store.record_archive(&applied, &archive("b")).await.unwrap());
    assert!(!finish(&applied).await, "there is no report");
    assert!(
        store
            .record_report(&applied, &report("b", true))
            .await
            .unwrap()
    );
    assert!(finish(&applied).await);
    assert!(!finish(&applied).await, "it is done");
    assert!(store.files_of(&applied).await.unwrap().done);

    let open = applied_import(&fixture, "c").await;
    assert!(store.record_archive(&open, &archive("c")).await.unwrap());
    assert!(
        store
            .record_report(&open, &report("c", false))
            .await
            .unwrap()
    );
    assert!(!finish(&open).await, "it does not tie out");

    let Received::New(rejected) = store.receive(file("d")).await.unwrap() else {
        panic!("the file is new")
    };
    let why = FileRejected {
        looks_like: None,
        at: None,
        field: None,
        why: "no".into(),
    };
    let rejected = rejected.import_id;
    store.reject_import(&rejected, &why, now()).await.unwrap();
    assert!(!finish(&rejected).await);
    assert!(
        store
            .record_archive(&rejected, &archive("d"))
            .await
            .unwrap()
    );
    assert!(finish(&rejected).await, "it needs no report");
}

async fn unfinished_files_come_oldest_first_page_by_page(fixture: Fixture) {
    let store = &fixture.store;
    let mut ids = Vec::new();
    for age in [2, 0, 1] {
        let mut new = file(&format!("file {age}"));
        new.received_at = now() + Duration::minutes(age);
        let Received::New(import) = store.receive(new).await.unwrap() else {
            panic!("the file is new")
        };
        ids.push((age, import.import_id));
    }
    ids.sort();
    let first = store.unfinished_files(None, 2).await.unwrap();
    let rest = store
        .unfinished_files(first.last().cloned(), 2)
        .await
        .unwrap();
    let listed: Vec<String> = first.into_iter().chain(rest).map(|(_, id)| id).collect();
    let ids: Vec<String> = ids.into_iter().map(|(_, id)| id).collect();
    assert_eq!(listed, ids);

    let done = applied_import(&fixture, "done").await;
    assert!(store.record_archive(&done, &archive("b")).await.unwrap());
    assert!(
        store
            .record_report(&done, &report("b", true))
            .await
            .unwrap()
    );
    assert!(store.finish_files(&done).await.unwrap());
    assert_eq!(store.unfinished_files(None, 9).await.unwrap().len(), 3);
}

fn row_at(import_id: &str, transfer_id: &str, ordinal: u64) -> Row {
    Row {
        ordinal,
        ..row(import_id, transfer_id)
    }
}

/// Rows 1 and 2 for entries 0 and 2, a hold for entry 1, which row 3 resolves; row 4 supersedes
/// row 1, and row 5 says row 2 again.
async fn import_with_everything(fixture: &Fixture) -> String {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 5).await;
    let writes = Writes {
        rows: vec![row_at(&id, "TR0", 0), row_at(&id, "TR2", 2)],
        holds: vec![hold(&id, 1)],
        duplicates: vec![duplicate(3), duplicate(4)],
        rejected: Vec::new(),
        dishonor: Marks::default(),
        ..Writes::default()
    };
    let appended = store.append(append(&id, (0, 5), 0, writes)).await;
    assert!(matches!(appended.unwrap(), Appended::Done(_)));
    let resolve = Append {
        cause: AppendCause::Hold {
            hold_id: ids::hold_id(&id, 1),
            state: HoldState::Resolved,
            by: "ann".into(),
            note: String::new(),
        },
        seen_position: 2,
        writes: Writes {
            rows: vec![row_at(&id, "TR1", 1)],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        store.append(resolve).await.unwrap(),
        Appended::Done(_)
    ));
    assert!(
        store
            .record_progress(GATEWAY, 0, 3, &[exception(1), exception(2)], now())
            .await
            .unwrap()
    );
    for (position, relation) in [
        (1, Relation::Supersedes { position: 1 }),
        (
            2,
            Relation::Repeats {
                position: 2,
                database: GATEWAY.into(),
            },
        ),
    ] {
        let again = Append {
            cause: AppendCause::Exception {
                database: GATEWAY.into(),
                position,
            },
            seen_position: store.head().await.unwrap().position,
            writes: Writes {
                rows: vec![Row {
                    relation: Some(relation),
                    ..row_at(
                        &id,
                        &format!("TR{}", (position - 1) * 2),
                        (position - 1) * 2,
                    )
                }],
                ..Writes::default()
            },
            at: now(),
        };
        assert!(matches!(
            store.append(again).await.unwrap(),
            Appended::Done(_)
        ));
    }
    id
}

async fn first_rows_are_in_the_order_of_the_file_and_leave_later_decisions_out(fixture: Fixture) {
    let id = import_with_everything(&fixture).await;
    let store = &fixture.store;
    let positions = async |after, limit| -> Vec<(u64, Option<u64>)> {
        let rows = store.first_rows(&id, after, limit).await.unwrap();
        rows.iter()
            .map(|row| (row.position, row.superseded_by))
            .collect()
    };
    assert_eq!(positions(0, 9).await, [(1, Some(4)), (2, None)]);
    assert_eq!(positions(0, 1).await, [(1, Some(4))]);
    assert_eq!(positions(1, 9).await, [(2, None)]);
    assert!(positions(2, 9).await.is_empty());
}

async fn what_is_asked_by_entry_or_position_comes_back_for_just_these(fixture: Fixture) {
    let id = import_with_everything(&fixture).await;
    let store = &fixture.store;
    let rows = store.rows_at(&[5, 3, 99]).await.unwrap();
    let rows: Vec<u64> = rows.iter().map(|row| row.position).collect();
    assert_eq!(rows, [3, 5]);
    assert!(store.rows_at(&[]).await.unwrap().is_empty());

    let found = store.exceptions_at(&[2, 3]).await.unwrap();
    assert_eq!(found, [(GATEWAY.to_owned(), exception(2))]);

    let held = store.holds_of(&id, 1..2).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].state, held[0].resolved_position),
        (HoldState::Resolved, Some(3))
    );
    assert!(store.holds_of(&id, 2..9).await.unwrap().is_empty());

    let known = store.duplicates_of(&id, 0..4).await.unwrap();
    assert_eq!(known, [duplicate(3)]);
    assert_eq!(
        store.duplicates_of(&id, 4..9).await.unwrap(),
        [duplicate(4)]
    );
    assert!(store.rejected_of(&id, 0..9).await.unwrap().is_empty());
}

async fn a_returned_prenote_comes_back_as_it_was_written(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 2).await;
    let prenote = PrenoteLine {
        ordinal: 1,
        entry: entry(2),
    };
    let writes = Writes {
        prenotes: vec![prenote.clone()],
        ..Writes::default()
    };
    store.append(append(&id, (0, 2), 0, writes)).await.unwrap();
    assert_eq!(store.prenotes_of(&id, 0..2).await.unwrap(), [prenote]);
    assert!(store.prenotes_of(&id, 0..1).await.unwrap().is_empty());
}
