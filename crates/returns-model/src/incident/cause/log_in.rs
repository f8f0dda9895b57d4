//! Causes for which the acquirer's server does not let us in.

use super::connection::CANNOT_FETCH;
use super::{Area, Description};

fn no_log_in(headline: String, to_do: &'static [&'static str]) -> Description {
    Description::new(Area::Reach, headline, CANNOT_FETCH, to_do)
}

pub(super) fn key_refused(user: &str, host: &str) -> Description {
    no_log_in(
        format!("{host} refuses our SSH key for user {user:?}."),
        &[
            "Ask the acquirer whether our public key is still registered for this user.",
            "Compare the fingerprint of our key with the one they have.",
        ],
    )
}

pub(super) fn password_refused(user: &str, host: &str) -> Description {
    no_log_in(
        format!("{host} refuses our password for user {user:?}."),
        &[
            "Ask the acquirer whether the password was changed or the account was locked.",
            "Put the right password into the file that password_file names. The next run reads it \
             without a restart.",
        ],
    )
}

pub(super) fn password_expired(user: &str, host: &str) -> Description {
    no_log_in(
        format!("The password of user {user:?} on {host} has expired."),
        &[
            "Set a new password with the acquirer.",
            "Put it into the file that password_file names.",
        ],
    )
}

pub(super) fn no_file_service(user: &str, host: &str, why: &str) -> Description {
    no_log_in(
        format!("{host} let user {user:?} in, but gives it no SFTP service: {why}."),
        &[
            "Ask the acquirer whether SFTP is enabled for this user.",
            "Ask them whether its password has expired, where we log in by password.",
        ],
    )
}

pub(super) fn credential_unusable(key: &str, why: &str) -> Description {
    no_log_in(
        format!("Our own {key} cannot be used, so we did not log in: {why}."),
        &[
            "Correct the key, password or passphrase that the source's configuration names.",
            "Then run the job again. One that is in a file needs no restart.",
        ],
    )
}
