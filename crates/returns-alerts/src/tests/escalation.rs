//! What nobody acknowledges.

use returns_model::incident::AlertState;

use super::*;
use crate::operate::OperateError;

fn toml(ops: &HttpReceiver, boss: &HttpReceiver) -> String {
    format!(
        "[alerts]\nescalate_times = 2\n{}{}regular = false\nescalation = true\n",
        slack("ops", ops),
        slack("boss", boss)
    )
}

/// Nothing more is on its way after the manager has looked at the clock again.
async fn settled(rig: &Rig) {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    eventually("nothing is on its way", async || {
        rig.alerts()
            .await
            .iter()
            .all(|one| one.state != AlertState::Pending)
    })
    .await;
}

#[tokio::test]
async fn an_incident_that_nobody_acknowledges_is_escalated_up_to_the_limit_and_its_end_is_reported()
{
    let (_folder, store) = empty_store().await;
    let (ops, boss) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let rig = Rig::start(&store, &toml(&ops, &boss));
    rig.report(port_closed());
    receives(&ops, 1).await;
    rig.pass(899);
    settled(&rig).await;
    assert!(boss.received().is_empty());
    for count in [1, 2] {
        rig.pass(901);
        receives(&boss, count).await;
    }
    rig.pass(2_000);
    settled(&rig).await;
    receives(&boss, 2).await;
    let said = first_lines(&boss);
    assert!(
        said[0].starts_with("Nobody has acknowledged this for 30 min 0 s: sftp.example"),
        "{said:?}"
    );
    receives(&ops, 1).await;
    rig.clear(Area::Reach);
    receives(&ops, 2).await;
    receives(&boss, 3).await;
    rig.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_is_reported_and_stops_the_escalation() {
    let (_folder, store) = empty_store().await;
    let (ops, boss) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let rig = Rig::start(&store, &toml(&ops, &boss));
    rig.report(port_closed());
    receives(&ops, 1).await;
    let id = rig.incident().await.incident_id;
    let manager = &rig.manager;
    manager.acknowledge(&id, "ann", "on it").await.unwrap();
    manager.acknowledge(&id, "ann", "again").await.unwrap();
    let taken = manager.acknowledge(&id, "bob", "").await.unwrap_err();
    assert!(matches!(taken, OperateError::Taken { by } if by == "ann"));
    let none = manager.acknowledge("inc_x", "bob", "").await.unwrap_err();
    assert!(matches!(none, OperateError::NotFound(_)));
    receives(&ops, 2).await;
    assert_eq!(
        first_lines(&ops)[1],
        format!("Acknowledged by ann: {PORT_CLOSED}")
    );
    rig.pass(100_000);
    settled(&rig).await;
    assert!(boss.received().is_empty());

    manager.close(&id, "bob", "mended").await.unwrap();
    receives(&ops, 3).await;
    let said = &first_lines(&ops)[2];
    assert!(
        said.starts_with("Closed by bob after 1 d 3 h, seen once:"),
        "{said}"
    );
    let over = manager.acknowledge(&id, "bob", "").await.unwrap_err();
    assert!(matches!(over, OperateError::Over { by } if by == "bob"));

    let details = manager.details(&id).await.unwrap();
    let what: Vec<_> = details
        .events
        .iter()
        .map(|event| {
            (
                event.what.as_str(),
                event.actor.as_str(),
                event.note.as_str(),
            )
        })
        .collect();
    assert_eq!(
        what[2..],
        [
            ("acknowledged", "ann", "on it"),
            ("closed", "bob", "mended")
        ]
    );
    assert!(details.text.starts_with("Closed by bob"));
    assert_eq!(details.alerts.len(), 3);
    rig.stop().await;
}

#[tokio::test]
async fn what_a_person_closed_comes_back_when_it_is_met_again() {
    let (_folder, store) = empty_store().await;
    let ops = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &ops));
    rig.report(port_closed());
    receives(&ops, 1).await;
    let id = rig.incident().await.incident_id;
    rig.manager.acknowledge(&id, "ann", "").await.unwrap();
    receives(&ops, 2).await;
    rig.manager.close(&id, "ann", "").await.unwrap();
    receives(&ops, 3).await;
    rig.pass(10);
    rig.report(port_closed());
    receives(&ops, 4).await;
    assert_eq!(first_lines(&ops)[3], format!("It is back: {PORT_CLOSED}"));
    let incident = rig.incident().await;
    assert_eq!((incident.reopened, incident.acknowledged), (1, None));
    rig.stop().await;
}
