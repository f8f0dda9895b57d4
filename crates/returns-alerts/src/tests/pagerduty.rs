//! PagerDuty's Events API, version 2.

use super::*;

fn toml(receiver: &HttpReceiver) -> String {
    format!(
        "[alerts]\ninstallation = \"prod\"\nescalate_times = 1\n[alerts.channels.pd]\n\
         kind = \"pagerduty\"\nurl = {:?}\nrouting_key = \"R0UTING\"\n",
        receiver.url("/v2/enqueue")
    )
}

async fn events(receiver: &HttpReceiver, count: usize) -> Vec<Value> {
    eventually("the events arrive", async || {
        receiver.received().len() == count
    })
    .await;
    receiver.received().iter().map(body).collect()
}

#[tokio::test]
async fn an_incident_is_one_alert_under_its_key_from_trigger_to_resolve() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::start(&store, &toml(&receiver));
    rig.report(port_closed());
    rig.report(port_closed());
    events(&receiver, 1).await;
    rig.pass(901);
    events(&receiver, 2).await;
    let id = rig.incident().await.incident_id;
    rig.manager.acknowledge(&id, "ann", "").await.unwrap();
    events(&receiver, 3).await;
    rig.clear(Area::Reach);
    let events = events(&receiver, 4).await;
    let actions: Vec<&str> = events
        .iter()
        .map(|event| event["event_action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
    for event in &events {
        assert_eq!(event["dedup_key"], "prod/PORT_CLOSED/source:worldpay");
        assert_eq!(event["routing_key"], "R0UTING");
    }
    let payload = &events[0]["payload"];
    assert_eq!(payload["summary"], PORT_CLOSED);
    assert_eq!(payload["severity"], "critical");
    assert_eq!(payload["source"], "prod");
    assert_eq!(payload["class"], "PORT_CLOSED");
    assert!(
        events[1]["payload"]["summary"]
            .as_str()
            .unwrap()
            .starts_with("Nobody has acknowledged")
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_test_is_resolved_at_once_under_a_key_of_its_own() {
    let (_folder, store) = empty_store().await;
    let receiver = HttpReceiver::start().await;
    let rig = Rig::start(&store, &toml(&receiver));
    let results = rig.manager.test_channels("ann").await;
    assert_eq!(results[0].error, None);
    let events = events(&receiver, 2).await;
    assert_eq!(events[0]["payload"]["severity"], "info");
    assert_eq!(events[1]["event_action"], "resolve");
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    rig.stop().await;
}
