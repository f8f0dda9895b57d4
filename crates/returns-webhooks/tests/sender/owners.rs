//! The owner of a disabled endpoint is told, whatever happens in between.

use echeck_service::clock::ManualClock;
use echeck_service::config::Settings;
use echeck_test_servers::smtp::{Security, SmtpServer};
use returns_alerts::{AlertSettings, Diagnoser, IncidentManager};
use returns_model::endpoint::{EndpointChange, NotificationState, OwnerChange};
use returns_model::incident::Problem;

use returns_model::check::Diagnosis;

use super::world::*;

impl World {
    async fn one(&self) -> Endpoint {
        self.store.endpoint("whe_1").await.unwrap().unwrap()
    }

    async fn notification(&self) -> Option<NotificationState> {
        self.one()
            .await
            .owner_notice
            .map(|notice| notice.notification)
    }

    /// Disables the endpoint as the sender does, and nothing more: a crash comes right after.
    async fn disabled_just_now(&self) {
        let now = self.clock.now();
        let change = EndpointChange {
            endpoint: Endpoint {
                disabled_why: Some("has accepted no message for 120 hours".to_owned()),
                updated_at: now,
                ..self.one().await
            },
            forget_failures: false,
            owner: OwnerChange::Notify,
            audit: audit("disabled"),
        };
        assert!(self.store.change_endpoint(&change).await.unwrap());
    }

    async fn owner_is_notified(&self) {
        eventually("the owner is told", async || {
            matches!(
                self.notification().await,
                Some(NotificationState::Notified { .. })
            )
        })
        .await;
    }

    /// What the incidents that were reported so far say of the owner.
    async fn said(&mut self) -> Vec<String> {
        eventually("an incident is told", async || !self.signals.is_empty()).await;
        let causes = self.signals().into_iter().flatten();
        causes
            .map(|cause| match cause {
                Cause::WebhookDisabled { owner, .. } => owner,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[tokio::test]
async fn a_crash_between_the_disabling_and_the_mail_swallows_neither_mail_nor_incident() {
    let mut world = World::new().await;
    world.endpoint("whe_1", "https://a.example/x", false).await;
    world.disabled_just_now().await;
    let sender = world.start();
    world.owner_is_notified().await;
    let told = ["Its owner owner@platform.example was notified by e-mail."];
    assert_eq!(world.said().await, told);
    let sent = world.mail.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].subject,
        "Your webhook endpoint at a.example was disabled"
    );
    assert!(
        sent[0]
            .text
            .contains("has accepted no message for 120 hours")
    );
    assert!(!sent[0].text.contains("/x"), "the path may be a password");
    sender.abort();
}

#[tokio::test]
async fn a_crash_between_the_mail_and_its_record_sends_it_again_with_its_id() {
    let mut world = World::new().await;
    world.mail.answer(MailAnswer::Hangs);
    let _receiver = world.gone().await;
    let killed = world.start();
    eventually("a mail is sent", async || world.mail.sent().len() == 1).await;
    killed.abort();
    let _ = killed.await;
    assert!(matches!(
        world.notification().await,
        Some(NotificationState::Waiting { error: None, .. })
    ));
    world.mail.answer(MailAnswer::Takes);
    let sender = world.start();
    world.owner_is_notified().await;
    let sent = world.mail.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    // What the killed one said may still be there, and what this one says comes after its record.
    let mut said = world.said().await;
    while !said.last().unwrap().contains("was notified by e-mail") {
        said = world.said().await;
    }
    sender.abort();
}

#[tokio::test]
async fn a_crash_between_the_record_and_the_incident_reports_it_at_the_next_start_and_mails_nothing()
 {
    let mut world = World::new().await;
    let _receiver = world.gone().await;
    let sender = world.start();
    world.owner_is_notified().await;
    eventually("the incident is told", async || !world.signals.is_empty()).await;
    sender.abort();
    let _ = sender.await;
    // Nobody has written it down.
    world.signals();
    let sender = world.start();
    assert!(world.said().await[0].contains("was notified by e-mail"));
    assert_eq!(world.mail.sent().len(), 1);
    sender.abort();
}

#[tokio::test]
async fn while_the_mail_server_is_down_it_is_tried_again_and_messages_go_on() {
    let mut world = World::new().await;
    world.mail.answer(MailAnswer::Refuses);
    let _receiver = world.gone().await;
    let works = HttpReceiver::start().await;
    world.endpoint("whe_2", &works.url("/"), false).await;
    let sender = world.start();
    eventually("it is tried again", async || world.mail.refused() >= 3).await;
    let said = world.said().await;
    assert!(
        said[0].contains("was not sent (mail.example:25: 451 Try later)")
            && said[0].contains("tried again at"),
        "{said:?}"
    );
    let Some(NotificationState::Waiting { error, .. }) = world.notification().await else {
        panic!("nobody was told");
    };
    assert_eq!(error.as_deref(), Some("mail.example:25: 451 Try later"));
    world.due("whe_2", 1, 1).await;
    world.settled("whe_2").await;
    world.mail.answer(MailAnswer::Takes);
    world.owner_is_notified().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.mail.sent().len(), 1, "once");
    sender.abort();
}

#[tokio::test]
async fn a_mail_server_that_hangs_delays_no_message() {
    let world = World::new().await;
    world.mail.answer(MailAnswer::Hangs);
    let _receiver = world.gone().await;
    let works = HttpReceiver::start().await;
    world.endpoint("whe_2", &works.url("/"), false).await;
    let sender = world.start();
    eventually("the mail hangs", async || world.mail.sent().len() == 1).await;
    world.due("whe_2", 1, 1).await;
    world.settled("whe_2").await;
    sender.abort();
}

#[tokio::test]
async fn whoever_cannot_be_told_is_said_once_and_not_tried_again() {
    for (owner, expected) in [
        ("", "It has no owner, so nobody was notified."),
        (
            "owner@platform.example",
            "No channel for e-mail is configured: write to its owner, owner@platform.example.",
        ),
    ] {
        let mut world = World::new().await;
        world.mail.answer(MailAnswer::NoChannel);
        world.endpoint("whe_1", "https://a.example/", false).await;
        let mut named = world.one().await;
        named.settings.owner_email = owner.to_owned();
        let change = EndpointChange {
            endpoint: named,
            forget_failures: false,
            owner: OwnerChange::Keep,
            audit: audit("named"),
        };
        assert!(world.store.change_endpoint(&change).await.unwrap());
        world.disabled_just_now().await;
        let sender = world.start();
        assert_eq!(world.said().await, [expected]);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(world.signals.is_empty());
        let notice = world.one().await.owner_notice.unwrap();
        assert_eq!(notice.attempts, 1);
        let why = expected.to_owned();
        assert_eq!(notice.notification, NotificationState::NotNotified { why });
        sender.abort();
    }
}

/// Finds nothing.
struct NoDiagnosis;

#[async_trait::async_trait]
impl Diagnoser for NoDiagnosis {
    async fn diagnose(&self, _trouble: &Problem) -> Diagnosis {
        Diagnosis::default()
    }
}

/// Attends to what the world reports, with a channel for e-mail at the server.
fn attend(world: &mut World, server: &SmtpServer) -> JoinHandle<()> {
    let toml = format!(
        "[alerts.channels.mail]\nkind = \"email\"\nhost = \"localhost\"\nport = {}\n\
         tls = \"none\"\nfrom = \"Returns <returns@pay.example>\"\nto = [\"ops@pay.example\"]\n",
        server.port
    );
    let settings = Settings::from_toml(&toml).unwrap();
    let alerts = AlertSettings::read(&settings.root().section("alerts"));
    settings.finish().unwrap_or_else(|error| panic!("{error}"));
    let (incidents, signals) = IncidentReporter::new();
    let store = world.store.clone();
    let clock = Arc::new(ManualClock::new(world.clock.now()));
    let manager = IncidentManager::new(
        alerts,
        store,
        Arc::new(NoDiagnosis),
        incidents.clone(),
        clock,
    );
    let manager = Arc::new(manager);
    world.incidents = incidents;
    world.owners = manager.clone();
    tokio::spawn(manager.run(signals, CancellationToken::new()))
}

/// The mails that came for the owner.
fn letters(server: &SmtpServer) -> Vec<echeck_test_servers::smtp::Mail> {
    let mails = server.mails().into_iter();
    mails
        .filter(|mail| mail.recipients == ["owner@platform.example"])
        .collect()
}

/// What the incident about the endpoint says. The channel for alerts, at the same server, may have
/// one of its own.
async fn headline(world: &World) -> String {
    let mut incidents = world.store.incidents(None, None, 9).await.unwrap();
    incidents.retain(|incident| incident.cause == "WEBHOOK_DISABLED");
    assert!(incidents.len() < 2, "{incidents:?}");
    let incident = incidents.pop();
    incident.map_or_else(String::new, |incident| incident.content.headline)
}

#[tokio::test]
async fn the_mail_arrives_over_a_real_mail_server_once_it_takes_mail() {
    let mut world = World::new().await;
    let server = SmtpServer::start(Security::Plain, None).await;
    let attending = attend(&mut world, &server);
    server.answer("451 Try later");
    let receiver = world.gone().await;
    let host = receiver.address().to_string();
    let sender = world.start();
    eventually("the incident says that it was not sent", async || {
        let headline = headline(&world).await;
        headline.contains("was not sent") && headline.contains("451")
    })
    .await;
    assert!(letters(&server).is_empty());
    server.answer("");
    world.owner_is_notified().await;
    eventually("the incident says that they were told", async || {
        headline(&world).await.contains("was notified by e-mail")
    })
    .await;
    let letters = letters(&server);
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    let subject = format!("Your webhook endpoint at {host} was disabled");
    assert_eq!(letter.header("subject"), Some(subject.as_str()));
    assert_eq!(letter.header("from"), Some("Returns <returns@pay.example>"));
    assert_eq!(letter.header("auto-submitted"), Some("auto-generated"));
    let since = world.one().await.owner_notice.unwrap().since;
    let id = format!("<whe_1.{}@pay.example>", since.timestamp_micros());
    assert_eq!(letter.header("message-id"), Some(id.as_str()));
    let start = format!(
        "Your webhook endpoint whe_1 at {host} answered 410 Gone: it wants no more messages. It \
         was disabled at "
    );
    assert!(letter.body.starts_with(&start), "{}", letter.body);
    assert!(letter.body.contains("Waiting messages are stored."));
    assert!(!letter.body.contains("/hook"), "the path may be a password");
    sender.abort();
    attending.abort();
}
