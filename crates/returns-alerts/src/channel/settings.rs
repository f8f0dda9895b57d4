//! The channels of the configuration: `[alerts.channels.NAME]`.

use std::path::Path;
use std::time::Duration;

use echeck_service::config::Section;
use echeck_service::outbound::{Mailer, SmtpSecurity, SmtpSettings, is_this_machine};
use lettre::message::Mailbox;
use returns_model::incident::Severity;
use secrecy::SecretString;

use super::email::EmailChannel;
use super::hook::{Hook, HookError};
use super::pagerduty::PagerDuty;
use super::{Channel, ChannelKind, pagerduty};
use crate::rules::ChannelRule;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KindName {
    Slack,
    PagerDuty,
    Webhook,
    Email,
}

const KINDS: [(&str, KindName); 4] = [
    ("slack", KindName::Slack),
    ("pagerduty", KindName::PagerDuty),
    ("webhook", KindName::Webhook),
    ("email", KindName::Email),
];

const SEVERITIES: [(&str, Severity); 2] = [
    ("warning", Severity::Warning),
    ("critical", Severity::Critical),
];

const SECURITY: [(&str, SmtpSecurity); 3] = [
    ("starttls", SmtpSecurity::Starttls),
    ("tls", SmtpSecurity::Implicit),
    ("none", SmtpSecurity::None),
];

/// Reads every channel with its rule. Faults are recorded with their keys; a channel with faults
/// is left out.
pub(crate) fn read(alerts: &Section<'_>, timeout: Duration) -> (Vec<Channel>, Vec<ChannelRule>) {
    let (mut channels, mut rules) = (Vec::new(), Vec::new());
    for (name, section) in alerts.sections("channels") {
        if !is_name(&name) {
            section.fault(
                "kind",
                "is of a channel whose name is not valid: use 1 to 64 letters, digits, - or _",
            );
        }
        let kind_name = section.one_of("kind", &KINDS, None);
        rules.push(rule(&name, kind_name, &section));
        if let Some(kind) = kind(kind_name, &section, timeout) {
            channels.push(Channel {
                name,
                kind,
                timeout,
            });
        }
    }
    if !rules.is_empty() && !rules.iter().any(|rule| rule.regular) {
        alerts.fault(
            "channels",
            "none is regular: at least one must get every alert at once",
        );
    }
    (channels, rules)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn rule(name: &str, kind: KindName, section: &Section<'_>) -> ChannelRule {
    let fallback = section.bool_or("fallback", false);
    let regular = section.bool_or("regular", !fallback);
    if fallback && regular {
        section.fault(
            "fallback",
            "is for a channel that is not regular: it gets what the others did not take",
        );
    }
    ChannelRule {
        name: name.to_owned(),
        severity: section.one_of("severity", &SEVERITIES, Some(Severity::Warning)),
        regular,
        fallback,
        // PagerDuty calls people by its own rules, and gets escalations too.
        escalation: section.bool_or("escalation", matches!(kind, KindName::PagerDuty)),
    }
}

fn kind(name: KindName, section: &Section<'_>, timeout: Duration) -> Option<ChannelKind> {
    match name {
        KindName::Slack => {
            hook(section, &section.required_secret("url")?, None, timeout).map(ChannelKind::Slack)
        }
        KindName::Webhook => {
            let authorization = section.secret("authorization");
            let url = section.required_secret("url");
            hook(section, &url?, authorization.as_ref(), timeout).map(ChannelKind::Webhook)
        }
        KindName::PagerDuty => {
            let url = section.string_or("url", pagerduty::ADDRESS);
            let routing_key = section.required_secret("routing_key");
            let hook = hook(section, &SecretString::from(url), None, timeout);
            Some(ChannelKind::PagerDuty(PagerDuty::new(hook?, routing_key?)))
        }
        KindName::Email => email(section, timeout),
    }
}

/// The certificates of `ca_file`, which are trusted besides the system's.
fn ca(section: &Section<'_>) -> Option<Vec<u8>> {
    let file = section.optional_string("ca_file")?;
    match std::fs::read(Path::new(&file)) {
        Ok(pem) => Some(pem),
        Err(error) => {
            section.fault("ca_file", format!("{file:?} cannot be read: {error}"));
            None
        }
    }
}

pub(crate) fn hook(
    section: &Section<'_>,
    url: &SecretString,
    authorization: Option<&SecretString>,
    timeout: Duration,
) -> Option<Hook> {
    match Hook::new(url, authorization, ca(section).as_deref(), timeout) {
        Ok(hook) => Some(hook),
        Err(error) => {
            let key = match &error {
                HookError::NoUrl | HookError::InClear | HookError::Client(_) => "url",
                HookError::NoHeader => "authorization",
                HookError::Ca(_) => "ca_file",
            };
            section.fault(key, error.to_string());
            None
        }
    }
}

fn email(section: &Section<'_>, timeout: Duration) -> Option<ChannelKind> {
    let host = section.string("host");
    let security = section.one_of("tls", &SECURITY, Some(SmtpSecurity::Starttls));
    let usual_port = match security {
        SmtpSecurity::Starttls => 587,
        SmtpSecurity::Implicit => 465,
        SmtpSecurity::None => 25,
    };
    let port = section.u64_or("port", usual_port, 1..=65_535);
    let user = section.optional_string("user");
    let password = section.secret("password");
    if user.is_some() != password.is_some() {
        section.fault("user", "and password go together");
    }
    if security == SmtpSecurity::None && password.is_some() && !is_this_machine(&host) {
        section.fault(
            "tls",
            "must not be none: the password would be sent in clear",
        );
    }
    let from = section.parse::<Mailbox>("from");
    let to = recipients(section);
    let settings = SmtpSettings {
        host,
        port: u16::try_from(port).unwrap_or(u16::MAX),
        security,
        ca_pem: ca(section),
        user,
        password,
        from: from?,
        timeout,
    };
    match Mailer::new(settings) {
        Ok(mailer) => Some(ChannelKind::Email(Box::new(EmailChannel { mailer, to }))),
        Err(why) => {
            section.fault(
                "ca_file",
                format!("must name a file with a certificate in PEM: {why}"),
            );
            None
        }
    }
}

fn recipients(section: &Section<'_>) -> Vec<Mailbox> {
    let texts = section.strings_or("to", &[]);
    if texts.is_empty() {
        section.fault("to", "is required: the addresses that the mail goes to");
    }
    let mut recipients = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(mailbox) => recipients.push(mailbox),
            Err(error) => section.fault(
                "to",
                format!("{text:?} is not a valid e-mail address: {error}"),
            ),
        }
    }
    recipients
}
