//! E-mail, over a real mail server.

use echeck_test_servers::smtp::{Mail, Security, SmtpServer, USER};

use super::*;

const PASSWORD: &str = "mail-pass-1";

fn email(server: &SmtpServer, tls: &str) -> String {
    let mut toml = format!(
        "[alerts.channels.mail]\nkind = \"email\"\nhost = \"localhost\"\nport = {}\n\
         tls = {tls:?}\nfrom = \"Returns <returns@pay.example>\"\n\
         to = [\"Ops <ops@pay.example>\", \"night@pay.example\"]\n",
        server.port
    );
    if tls != "none" {
        toml += &format!(
            "ca_file = {:?}\nuser = {USER:?}\npassword = {PASSWORD:?}\n",
            server.certificate_file()
        );
    }
    toml
}

async fn mails(server: &SmtpServer, count: usize) -> Vec<Mail> {
    eventually("the mails arrive", async || server.mails().len() == count).await;
    server.mails()
}

#[tokio::test]
async fn an_incident_is_a_thread_of_mails_over_starttls_with_a_login() {
    let (_folder, store) = empty_store().await;
    let server = SmtpServer::start(Security::Starttls, Some(PASSWORD)).await;
    let rig = Rig::start(&store, &email(&server, "starttls"));
    rig.report(port_closed());
    mails(&server, 1).await;
    rig.pass(60);
    rig.clear(Area::Reach);
    let mails = mails(&server, 2).await;
    let id = rig.incident().await.incident_id;
    let first = &mails[0];
    assert_eq!(first.recipients, ["ops@pay.example", "night@pay.example"]);
    let subject = format!("[CRITICAL] echeck-returns: {PORT_CLOSED}");
    assert_eq!(first.header("subject"), Some(&*subject));
    assert_eq!(first.header("auto-submitted"), Some("auto-generated"));
    assert_eq!(first.header("from"), Some("Returns <returns@pay.example>"));
    assert!(first.body.starts_with(PORT_CLOSED), "{}", first.body);
    assert!(
        first.body.contains("What to do:\n  1. Ask the acquirer"),
        "{}",
        first.body
    );
    assert!(
        first
            .header("date")
            .unwrap()
            .starts_with("Fri, 04 Oct 2024")
    );
    let thread = format!("<{id}@pay.example>");
    for mail in &mails {
        assert_eq!(mail.header("references"), Some(thread.as_str()));
    }
    assert_ne!(first.header("message-id"), mails[1].header("message-id"));
    let over = mails[1].header("subject").unwrap();
    assert!(over.starts_with("[CRITICAL] echeck-returns: Recovered after"));
    rig.stop().await;
}

#[tokio::test]
async fn tls_from_the_start_works_and_a_certificate_of_nobody_does_not() {
    let (_folder, store) = empty_store().await;
    let server = SmtpServer::start(Security::Tls, Some(PASSWORD)).await;
    let rig = Rig::start(&store, &email(&server, "tls"));
    let result = rig.manager.test_channels("ann").await.remove(0);
    assert_eq!(result.error, None);
    mails(&server, 1).await;
    rig.stop().await;

    let file = format!("ca_file = {:?}\n", server.certificate_file());
    let distrusting = email(&server, "tls").replace(&file, "");
    let rig = Rig::start(&store, &distrusting);
    let error = rig.manager.test_channels("ann").await.remove(0).error;
    let error = error.unwrap();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    assert_eq!(server.mails().len(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_answer_of_the_server_are_told_without_the_password() {
    let (_folder, store) = empty_store().await;
    let server = SmtpServer::start(Security::Starttls, Some("another")).await;
    let rig = Rig::start(&store, &email(&server, "starttls"));
    let error = rig.manager.test_channels("ann").await.remove(0).error;
    let error = error.unwrap();
    assert!(
        error.contains("535") || error.contains("Authentication"),
        "{error}"
    );
    assert!(!error.contains(PASSWORD), "{error}");
    rig.stop().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_sent_later_with_the_same_id() {
    let (_folder, store) = empty_store().await;
    let server = SmtpServer::start(Security::Plain, None).await;
    let rig = Rig::start(&store, &email(&server, "none"));
    server.answer("451 Try later");
    rig.report(port_closed());
    eventually("it was refused", async || {
        let alerts = rig.alerts().await;
        alerts.first().is_some_and(|one| one.last_error.is_some())
    })
    .await;
    let refused = rig.alerts().await.remove(0);
    let error = refused.last_error.unwrap();
    assert!(
        error.contains("451") || error.contains("Try later"),
        "{error}"
    );
    server.answer("");
    rig.pass(6);
    let mail = mails(&server, 1).await.remove(0);
    let id = format!("<{}@pay.example>", refused.alert_id);
    assert_eq!(mail.header("message-id"), Some(id.as_str()));
    rig.stop().await;
}

#[tokio::test]
async fn a_name_with_line_ends_makes_no_header() {
    let (_folder, store) = empty_store().await;
    let server = SmtpServer::start(Security::Plain, None).await;
    let rig = Rig::start(&store, &email(&server, "none"));
    rig.report(Cause::SourceFailed {
        what: "a\r\nBcc: thief@evil.example\r\n\r\nbody".into(),
        why: "Ünïcode \u{202e}txt".into(),
    });
    let mail = mails(&server, 1).await.remove(0);
    assert_eq!(mail.recipients.len(), 2);
    assert_eq!(mail.header("bcc"), None);
    let subject = mail.header("subject").unwrap();
    assert_eq!(
        subject,
        "[CRITICAL] echeck-returns: The acquirer's server refused a  Bcc: thief@evil.example    body: Ünïcode \u{fffd}txt."
    );
    rig.stop().await;
}
