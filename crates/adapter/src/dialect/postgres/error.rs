//! Which PostgreSQL errors pass, and which are the statement's own fault.

use crate::dialect::{DbError, public_message};

/// The classes of SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>)
/// that say something about the data of a statement: data exceptions, constraints, routines
/// that fail, checks of a view, limits of the program, and what a trigger raises.
const REFUSED_CLASSES: [&str; 7] = ["22", "23", "38", "39", "44", "54", "P0"];

/// Serialization failure and deadlock. A lock that was not to be had in time is an outage:
/// it has been waited for already.
const CONFLICTS: [&str; 2] = ["40001", "40P01"];

/// insufficient_privilege
const LACKS_RIGHT: &str = "42501";

/// read_only_sql_transaction: a standby, or default_transaction_read_only.
const READ_ONLY: &str = "25006";

/// Whether the account lacks a right.
pub(super) fn lacks_right(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|database| database.code().as_deref() == Some(LACKS_RIGHT))
}

/// Tells a refusal from a conflict and from an outage. What is unknown is an outage: a batch
/// that waits for a person is better than a return that is passed.
pub(super) fn db_error(error: &sqlx::Error) -> DbError {
    let Some(database) = error.as_database_error() else {
        return DbError::Unavailable(public_message(&error.to_string()));
    };
    let message = public_message(database.message());
    let code = database.code().unwrap_or_default();
    if CONFLICTS.contains(&&*code) {
        DbError::Conflict(message)
    } else if REFUSED_CLASSES.iter().any(|class| code.starts_with(class)) {
        DbError::Refused(message)
    } else if code == READ_ONLY {
        DbError::ReadOnly(message)
    } else {
        DbError::Unavailable(format!("{message} (SQLSTATE {code})"))
    }
}
