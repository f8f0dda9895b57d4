//! The log-in: by key, by password, or by both where a server wants both.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use ssh2::{KeyboardInteractivePrompt, Prompt};

use super::connect::limit;
use super::{
    ALGORITHM_UNSUPPORTED, AUTHENTICATION_FAILED, FILE, INVALID, KEY_FILE_FAILED, METHOD_NONE,
    METHOD_NOT_SUPPORTED, PASSWORD_EXPIRED, PUBLIC_KEY_UNVERIFIED, TIMEOUT, code,
};
use crate::awaited::Answer;
use crate::error::SourceError;
use crate::location::SftpLocation;
use crate::secret::StoredSecret;

/// What let us in at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogInMethod {
    Key,
    Password,
}

impl SftpLocation {
    /// Logs in with what is configured.
    pub(crate) fn log_in(
        &self,
        session: &ssh2::Session,
        time: Duration,
    ) -> Result<LogInMethod, SourceError> {
        limit(session, time);
        if let Some(key) = &self.private_key {
            self.by_key(session, key)?;
            if session.authenticated() {
                return Ok(LogInMethod::Key);
            }
        }
        let (user, host) = (self.user.clone(), self.host.clone());
        let Some(password) = &self.password else {
            return Err(SourceError::KeyRefused { user, host });
        };
        self.by_password(session, &password.now()?)?;
        Ok(LogInMethod::Password)
    }

    /// Shows our key. A refusal is not an error yet: a password may be required as well, or instead.
    fn by_key(&self, session: &ssh2::Session, key: &StoredSecret) -> Result<(), SourceError> {
        let passphrase = self.passphrase.as_ref().map(StoredSecret::now);
        let passphrase = passphrase.transpose()?;
        // A key file ends in a line end, which reading the secret has cut off.
        let text = SecretString::from(format!("{}\n", key.now()?.expose_secret()));
        let started = Instant::now();
        let shown = session.userauth_pubkey_memory(
            &self.user,
            None,
            text.expose_secret(),
            passphrase.as_ref().map(SecretString::expose_secret),
        );
        let Err(error) = shown else { return Ok(()) };
        match code(&error) {
            AUTHENTICATION_FAILED | PUBLIC_KEY_UNVERIFIED | METHOD_NOT_SUPPORTED => Ok(()),
            FILE | KEY_FILE_FAILED | METHOD_NONE | INVALID | ALGORITHM_UNSUPPORTED => Err(key
                .unusable(
                    "it is not a readable private key, or its passphrase is wrong or missing",
                )),
            TIMEOUT => Err(self.log_in_unanswered(started)),
            _ => Err(self.no_log_in(&error)),
        }
    }

    fn by_password(
        &self,
        session: &ssh2::Session,
        password: &SecretString,
    ) -> Result<(), SourceError> {
        let started = Instant::now();
        let refusal = match session.userauth_password(&self.user, password.expose_secret()) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match code(&refusal) {
            PASSWORD_EXPIRED => return Err(self.password_expired()),
            TIMEOUT => return Err(self.log_in_unanswered(started)),
            AUTHENTICATION_FAILED | METHOD_NOT_SUPPORTED | METHOD_NONE => {}
            _ => return Err(self.no_log_in(&refusal)),
        }
        // Many servers that take passwords take them as the answer to a question only.
        let mut answers = Answers {
            password,
            answered: false,
            expired: false,
        };
        let started = Instant::now();
        let answered = session.userauth_keyboard_interactive(&self.user, &mut answers);
        answered.map_err(|error| {
            if answers.expired {
                self.password_expired()
            } else if code(&error) == TIMEOUT {
                self.log_in_unanswered(started)
            } else {
                let (user, host) = (self.user.clone(), self.host.clone());
                SourceError::PasswordRefused { user, host }
            }
        })
    }

    fn log_in_unanswered(&self, since: Instant) -> SourceError {
        self.unanswered(&Answer::LogIn, since.elapsed())
    }

    pub(super) fn password_expired(&self) -> SourceError {
        SourceError::PasswordExpired {
            user: self.user.clone(),
            host: self.host.clone(),
        }
    }

    fn no_log_in(&self, error: &ssh2::Error) -> SourceError {
        SourceError::Refused {
            what: format!("the log-in of user {:?}", self.user),
            why: error.message().to_owned(),
        }
    }
}

/// Answers a server's first questions with the password, and nothing after: what comes then
/// asks for a new one, or for something that we do not have.
struct Answers<'a> {
    password: &'a SecretString,
    answered: bool,
    expired: bool,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'p>(
        &mut self,
        _username: &str,
        instructions: &str,
        prompts: &[Prompt<'p>],
    ) -> Vec<String> {
        let asked: String = prompts
            .iter()
            .map(|prompt| prompt.text.to_lowercase())
            .chain([instructions.to_lowercase()])
            .collect();
        self.expired |= asked.contains("expired") || asked.contains("new password");
        let first = !self.answered;
        // Some servers begin with a round without questions.
        self.answered |= !prompts.is_empty();
        prompts
            .iter()
            .map(|prompt| match first && !self.expired && !prompt.echo {
                true => self.password.expose_secret().to_owned(),
                false => String::new(),
            })
            .collect()
    }
}
