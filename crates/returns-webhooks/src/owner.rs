//! The owner of an endpoint, who is notified when the service disables it.
//!
//! The statement that disables the endpoint records that its owner must be notified; that they were
//! is recorded after the mail was sent. Whatever crashes in between, they are notified at least
//! once, and mails about the same disabling have the same id. A try is counted before it is made,
//! so that a read-only database does not make us send the same mail again and again.
//!
//! When an endpoint is enabled before its owner was notified, the notice is dropped by the statement
//! that enables it: "no message is sent to it" would be wrong by then. A mail that is on its way at
//! that moment still arrives.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use returns_alerts::OwnerMail;
use returns_model::endpoint::{Endpoint, NotificationState, OwnerNotification};

use super::schedule::Schedule;

/// The pauses after each try, in seconds. The last one stays: people correct a wrong address, and
/// see it in the incident and in the list of endpoints.
const PAUSES_S: [u32; 5] = [60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600];

/// The shortest pause, whatever the scale.
const SHORTEST_PAUSE: TimeDelta = TimeDelta::milliseconds(20);

/// The mail to the owner of a disabled endpoint; `None` when it has no owner.
pub(super) fn mail(endpoint: &Endpoint, notice: &OwnerNotification) -> Option<OwnerMail> {
    let to = &endpoint.settings.owner_email;
    if to.is_empty() {
        return None;
    }
    let (id, host) = (&endpoint.endpoint_id, endpoint.host());
    let why = endpoint.disabled_why.as_deref().unwrap_or("is unavailable");
    Some(OwnerMail {
        id: format!("{id}.{}", notice.since.timestamp_micros()),
        to: to.clone(),
        subject: format!("Your webhook endpoint at {host} was disabled"),
        text: format!(
            "Your webhook endpoint {id} at {host} {why}. It was disabled at {at}: no message is \
             sent to it any more.\n\nWaiting messages are kept. Once it answers with a status \
             from 200 to 299 again, ask us to enable it, and to send again what it has missed.\n",
            at = minute_utc(notice.since),
        ),
    })
}

/// How a try at sending that went; after a failure the next one is at `next_at`.
pub(super) fn after_attempt(
    endpoint: &Endpoint,
    sent: Result<bool, String>,
    now: DateTime<Utc>,
    next_at: DateTime<Utc>,
) -> NotificationState {
    let owner = &endpoint.settings.owner_email;
    match sent {
        Ok(true) => NotificationState::Told { at: now },
        Ok(false) => NotificationState::Untold {
            why: format!("No channel for e-mail is configured: write to its owner, {owner}."),
        },
        Err(error) => NotificationState::Waiting {
            next_at,
            error: Some(error),
        },
    }
}

/// That the endpoint has no owner to notify.
pub(super) fn no_owner() -> NotificationState {
    NotificationState::Untold {
        why: "It has no owner, so nobody was notified.".to_owned(),
    }
}

/// How long to wait before the next try, after this many.
pub(super) fn pause(attempts_before: u64, schedule: Schedule) -> TimeDelta {
    let place = usize::try_from(attempts_before).unwrap_or(usize::MAX);
    let last = PAUSES_S.len() - 1;
    let pause_s = PAUSES_S.get(place.min(last)).copied().unwrap_or_default();
    // A thousandth of a second is a thousandth of the scale's thousand.
    let pause = TimeDelta::milliseconds(i64::from(pause_s) * i64::from(schedule.scale));
    pause.max(SHORTEST_PAUSE)
}

/// Whether the owner was notified, in a sentence for staff.
pub(super) fn sentence(endpoint: &Endpoint, notification: &NotificationState) -> String {
    let owner = &endpoint.settings.owner_email;
    match notification {
        NotificationState::Told { .. } => format!("Its owner {owner} was notified by e-mail."),
        NotificationState::Untold { why } => why.clone(),
        NotificationState::Waiting { error: None, .. } => {
            format!("Its owner {owner} will be notified by e-mail.")
        }
        NotificationState::Waiting {
            error: Some(error),
            next_at,
        } => format!(
            "The e-mail to its owner {owner} was not sent ({error}). It is tried again at {at}; \
             or write to them.",
            at = minute_utc(*next_at),
        ),
    }
}

fn minute_utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_six_hours_and_stay_there() {
        let pauses: Vec<i64> = (0..7)
            .map(|attempts| pause(attempts, Schedule::REAL).num_minutes())
            .collect();
        assert_eq!(pauses, [1, 5, 30, 120, 360, 360, 360]);
        assert_eq!(pause(u64::MAX, Schedule::REAL).num_hours(), 6);
        assert_eq!(pause(0, Schedule { scale: 0 }), SHORTEST_PAUSE);
    }
}
