//! The audit log, requests that can be repeated, and proposals.

use std::time::Duration as Lease;

use returns_model::proposal::*;

use super::*;

on_both! {
    records_are_chained_listed_by_filter_and_never_touched,
    many_at_once_leave_no_gap,
    a_request_is_done_once_and_its_answer_is_kept,
    a_request_of_a_process_that_is_gone_is_taken_over,
    a_proposal_is_decided_once_and_in_time,
}

fn record(identity: &str, action: &str) -> AuditRecord {
    AuditRecord {
        at: now(),
        identity: identity.into(),
        address: "127.0.0.1:9".into(),
        request_id: format!("{identity}-{action}"),
        action: action.into(),
        subject: "source:bank".into(),
        before: "runs".into(),
        after: "paused".into(),
        reason: "maintenance".into(),
        outcome: DONE.into(),
    }
}

async fn faults(store: &Arc<dyn Store>) -> Vec<String> {
    let head = store.audit_head().await.unwrap();
    let mut verifier = AuditVerifier::new(head.journal_id);
    let mut faults = Vec::new();
    for stored in store.stored_audit(0, 1_000).await.unwrap() {
        faults.extend(verifier.check(&stored));
    }
    faults.extend(verifier.finish(&head));
    faults
}

async fn records_are_chained_listed_by_filter_and_never_touched(fixture: Fixture) {
    let store = &fixture.store;
    assert_eq!(store.audit_head().await.unwrap().position, 0);
    for (identity, action) in [("ann", "pause"), ("bob", "pause"), ("ann", "resume")] {
        store.record_audit(&record(identity, action)).await.unwrap();
    }
    assert_eq!(faults(store).await, Vec::<String>::new());
    let listed = async |filter: AuditFilter| {
        let found = store.audit(&filter, 9).await.unwrap();
        found.iter().map(|one| one.position).collect::<Vec<_>>()
    };
    let all = AuditFilter::default();
    assert_eq!(listed(all.clone()).await, [3, 2, 1]);
    let ann = AuditFilter {
        identity: Some("ann".into()),
        ..all.clone()
    };
    assert_eq!(listed(ann.clone()).await, [3, 1]);
    let before = AuditFilter {
        before: Some(3),
        ..ann
    };
    assert_eq!(listed(before).await, [1]);
    for (filter, found) in [
        (
            AuditFilter {
                action: Some("pause".into()),
                ..all.clone()
            },
            vec![2, 1],
        ),
        (
            AuditFilter {
                request_id: Some("bob-pause".into()),
                ..all.clone()
            },
            vec![2],
        ),
        (
            AuditFilter {
                subject: Some("source:other".into()),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                since: Some(now() + Duration::seconds(1)),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                until: Some(now() + Duration::seconds(1)),
                ..all
            },
            vec![3, 2, 1],
        ),
    ] {
        assert_eq!(listed(filter.clone()).await, found, "{filter:?}");
    }
    let first = &store.audit(&AuditFilter::default(), 9).await.unwrap()[2];
    assert_eq!(first.record, record("ann", "pause"));
    for sql in ["UPDATE audit SET identity = 'eve'", "DELETE FROM audit"] {
        let refused = fixture.execute(sql).await.unwrap_err();
        assert!(refused.contains("audit records are never"), "{refused}");
    }
}

async fn many_at_once_leave_no_gap(fixture: Fixture) {
    let other = fixture.again().await;
    let appending = (0..20).map(|number| {
        let store = if number % 2 == 0 {
            fixture.store.clone()
        } else {
            other.clone()
        };
        tokio::spawn(async move {
            store
                .record_audit(&record("ann", &format!("a{number}")))
                .await
        })
    });
    for done in appending.collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    assert_eq!(fixture.store.audit_head().await.unwrap().position, 20);
    assert_eq!(faults(&fixture.store).await, Vec::<String>::new());
}

const KEY: RequestKey<'static> = RequestKey {
    identity: "ann",
    request_id: "r1",
};
const LONG: Lease = Lease::from_secs(60);

async fn a_request_is_done_once_and_its_answer_is_kept(fixture: Fixture) {
    let store = &fixture.store;
    let begin = async |key, arguments: &str| {
        store
            .begin_request(key, arguments, now(), LONG)
            .await
            .unwrap()
    };
    assert_eq!(begin(KEY, "a").await, KnownRequest::New);
    assert_eq!(begin(KEY, "a").await, KnownRequest::Claimed);
    assert_eq!(begin(KEY, "b").await, KnownRequest::Other);
    let bobs = RequestKey {
        identity: "bob",
        ..KEY
    };
    assert_eq!(
        begin(bobs, "b").await,
        KnownRequest::New,
        "ids are each caller's own"
    );
    store.answer_request(KEY, "sealed").await.unwrap();
    let answered = KnownRequest::Answered {
        answer: "sealed".into(),
    };
    assert_eq!(begin(KEY, "a").await, answered);
    assert_eq!(begin(KEY, "b").await, KnownRequest::Other);
    // An answer is not forgotten by a failure that comes late.
    store.forget_request(KEY).await.unwrap();
    assert_eq!(begin(KEY, "a").await, answered);
    store.forget_request(bobs).await.unwrap();
    assert_eq!(begin(bobs, "c").await, KnownRequest::New);
    assert_eq!(store.forget_requests(now()).await.unwrap(), 0);
    let later = now() + Duration::days(8);
    assert_eq!(store.forget_requests(later).await.unwrap(), 2);
    assert_eq!(begin(KEY, "b").await, KnownRequest::New);
}

async fn a_request_of_a_process_that_is_gone_is_taken_over(fixture: Fixture) {
    let store = &fixture.store;
    let begin = async |lease| store.begin_request(KEY, "a", now(), lease).await.unwrap();
    assert_eq!(begin(Lease::from_millis(50)).await, KnownRequest::New);
    store.renew_request(KEY, LONG).await.unwrap();
    assert_eq!(begin(LONG).await, KnownRequest::Claimed);
    store
        .renew_request(KEY, Lease::from_millis(1))
        .await
        .unwrap();
    while begin(LONG).await != KnownRequest::Left {
        tokio::time::sleep(Lease::from_millis(5)).await;
    }
    assert_eq!(begin(LONG).await, KnownRequest::Claimed, "by one alone");
}

async fn a_proposal_is_decided_once_and_in_time(fixture: Fixture) {
    let store = &fixture.store;
    let proposal = Proposal {
        proposal_id: "prop_1".into(),
        change: ProposedChange::DismissHold {
            hold_id: "hold_1".into(),
        },
        summary: "close hold_1".into(),
        proposed_by: "ann".into(),
        reason: "it is a test".into(),
        proposed_at: now(),
        expires_at: now() + APPROVABLE,
        decision: None,
    };
    let audit = record("ann", "propose_dismiss_hold");
    store.propose(&proposal, &audit).await.unwrap();
    assert_eq!(store.proposal("prop_1").await.unwrap().unwrap(), proposal);
    assert_eq!(store.proposal("prop_2").await.unwrap(), None);
    let waiting = store.proposals(None, 9).await.unwrap();
    assert_eq!(waiting, std::slice::from_ref(&proposal));
    let place = Some((now(), "prop_1".to_owned()));
    assert_eq!(store.proposals(place, 9).await.unwrap(), []);

    let decide = async |approved, at| {
        let decision = Decision {
            approved,
            by: "bob".into(),
            at,
        };
        let audit = record("bob", "approve_proposal");
        store
            .decide_proposal("prop_1", &decision, &audit)
            .await
            .unwrap()
    };
    assert!(!decide(true, proposal.expires_at).await, "it has expired");
    assert!(decide(true, now()).await);
    assert!(!decide(false, now()).await, "it is decided");
    let decided = store.proposal("prop_1").await.unwrap().unwrap();
    assert_eq!(decided.state(now()), ProposalState::Approved);
    store.reopen_proposal("prop_1").await.unwrap();
    assert!(decide(false, now()).await);
    let decided = store.proposal("prop_1").await.unwrap().unwrap();
    assert_eq!(decided.state(now()), ProposalState::Rejected);
    // What was decided, and nothing else, is recorded.
    assert_eq!(store.audit_head().await.unwrap().position, 3);
}
