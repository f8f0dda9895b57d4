//! How far each database is.

use super::*;

on_both! {
    progress_is_recorded_only_by_whoever_knows_the_position_before,
    a_fault_is_shown_with_its_first_time_until_the_feed_goes_on,
    text_with_a_zero_byte_stops_nothing,
    an_exception_is_dealt_with_once,
    an_unreadable_row_is_skipped_once_and_by_name,
    a_restored_database_is_recorded_as_behind_and_its_exceptions_may_change,
}

async fn an_unreadable_row_is_skipped_once_and_by_name(fixture: Fixture) {
    let import = fixture.deciding_import("a", 2).await;
    let both = vec![row(&import, "TR1"), row(&import, "TR2")];
    fixture.append_rows(&import, (0, 2), both).await;
    let store = &fixture.store;
    for (position, why) in [(1, "no id"), (2, "no amount"), (2, "said otherwise later")] {
        let recorded = store.record_unreadable(GATEWAY, position, why, now());
        recorded.await.unwrap();
    }
    let decision = AuditRecord {
        at: now(),
        identity: "ann".into(),
        address: String::new(),
        request_id: "aud_1".into(),
        action: "skip_journal_row".into(),
        subject: "journal row 2 in gateway".into(),
        before: String::new(),
        after: "skipped".into(),
        reason: "it never had one".into(),
        outcome: "OK".into(),
    };
    assert!(!store.skip_row("rallypay", 2, &decision).await.unwrap());
    assert!(!store.skip_row(GATEWAY, 3, &decision).await.unwrap());
    assert_eq!(store.audit(&AuditFilter::default(), 9).await.unwrap(), []);
    assert!(store.skip_row(GATEWAY, 2, &decision).await.unwrap());
    assert!(!store.skip_row(GATEWAY, 2, &decision).await.unwrap());
    let kept = store.audit(&AuditFilter::default(), 9).await.unwrap();
    assert_eq!((kept.len(), &kept[0].record), (1, &decision));
    let rows = store.unreadable_rows(GATEWAY, 0, 9).await.unwrap();
    let exceptions: Vec<_> = rows.iter().map(UnreadableRow::exception).collect();
    let message = "its adapter cannot read the row (no amount); skipped by ann: it never had one";
    let skipped = RowException {
        position: 2,
        kind: ExceptionKind::Refused,
        message: message.into(),
    };
    assert_eq!(exceptions, [None, Some(skipped)]);
    assert_eq!(store.unreadable_rows(GATEWAY, 2, 9).await.unwrap(), []);
}

async fn an_exception_is_dealt_with_once(fixture: Fixture) {
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    fixture
        .store
        .record_progress(GATEWAY, 0, 1, &[exception(1)], now())
        .await
        .unwrap();
    let deal = || Append {
        cause: AppendCause::Exception {
            database: GATEWAY.into(),
            position: 1,
        },
        seen_position: 1,
        writes: Writes {
            holds: vec![hold(&import, 1)],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        fixture.store.append(deal()).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(fixture.store.append(deal()).await.unwrap(), Appended::Lost);
    assert_eq!(fixture.store.open_holds().await.unwrap(), 1);
}

async fn a_restored_database_is_recorded_as_behind_and_its_exceptions_may_change(fixture: Fixture) {
    let store = &fixture.store;
    store
        .record_progress(GATEWAY, 0, 9, &[exception(4), exception(7)], now())
        .await
        .unwrap();
    store
        .record_progress(GATEWAY, 9, 5, &[], now())
        .await
        .unwrap();
    assert_eq!(store.progress(GATEWAY).await.unwrap().position, 5);
    let left = store.exceptions(GATEWAY, 0, 9).await.unwrap();
    assert_eq!(left, [exception(4)]);
}

async fn progress_is_recorded_only_by_whoever_knows_the_position_before(fixture: Fixture) {
    let (one, other) = (&fixture.store, fixture.again().await);
    let record = |store: Arc<dyn Store>, expected, position, exceptions: Vec<RowException>| async move {
        store
            .record_progress(GATEWAY, expected, position, &exceptions, now())
            .await
            .unwrap()
    };
    assert!(
        !record(one.clone(), 3, 5, vec![exception(4)]).await,
        "nothing is recorded yet"
    );
    assert!(record(one.clone(), 0, 5, vec![exception(4)]).await);
    assert!(
        !record(other.clone(), 0, 6, vec![]).await,
        "the other has moved it"
    );
    assert!(!record(other.clone(), 4, 3, vec![]).await);
    assert_eq!(one.progress(GATEWAY).await.unwrap().position, 5);
    assert_eq!(one.exceptions(GATEWAY, 0, 9).await.unwrap(), [exception(4)]);
    assert!(record(other, 5, 6, vec![exception(6)]).await);
    assert_eq!(
        one.exceptions(GATEWAY, 0, 9).await.unwrap(),
        [exception(4), exception(6)]
    );
}

async fn a_fault_is_shown_with_its_first_time_until_the_feed_goes_on(fixture: Fixture) {
    let store = &fixture.store;
    let later = now() + Duration::hours(1);
    let record = async |owner, what, at| {
        store.record_fault(GATEWAY, owner, what, at).await.unwrap();
        store.progress(GATEWAY).await.unwrap().fault
    };
    assert_eq!(
        record("a", Some("down"), now()).await,
        None,
        "a does not feed"
    );
    let lease = std::time::Duration::from_secs(60);
    assert!(
        store
            .take_lease(&feed_lease(GATEWAY), "a", lease)
            .await
            .unwrap()
    );
    record("a", Some("down"), now()).await;
    let fault = Some(Fault {
        what: "still down".into(),
        since: now(),
    });
    assert_eq!(record("a", Some("still down"), later).await, fault);
    assert_eq!(record("b", None, later).await, fault, "b does not feed");
    let seen = fixture.again().await.progress(GATEWAY).await.unwrap();
    assert_eq!(seen.fault, fault);
    assert_eq!(record("a", None, later).await, None);
    assert_eq!(store.progress(GATEWAY).await.unwrap(), Progress::default());
}

async fn text_with_a_zero_byte_stops_nothing(fixture: Fixture) {
    let mut odd = exception(1);
    odd.message = "zero \u{0} byte".into();
    let recorded = fixture
        .store
        .record_progress(GATEWAY, 0, 1, &[odd], now())
        .await;
    assert!(recorded.unwrap());
    let read = fixture.store.exceptions(GATEWAY, 0, 1).await.unwrap();
    assert!(read[0].message.starts_with("zero ") && read[0].message.ends_with(" byte"));
    assert_eq!(fixture.store.import("\u{0}").await.unwrap(), None);
    assert_eq!(fixture.store.hold("\u{0}").await.unwrap(), None);
}
