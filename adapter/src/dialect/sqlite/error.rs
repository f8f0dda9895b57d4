//! Which SQLite errors pass, and which are the statement's own fault.

use crate::dialect::{DbError, public_message};

/// The primary result codes (<https://www.sqlite.org/rescode.html>) that say something
/// about the statement and its data. All others are about the file, the disk, the memory
/// or another connection, and pass or need an operator.
const ERROR: i64 = 1;
const TOO_BIG: i64 = 18;
const CONSTRAINT: i64 = 19;
const MISMATCH: i64 = 20;
const RANGE: i64 = 25;

const BUSY: i64 = 5;

/// Whether another connection has the file just now.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|database| database.code()?.parse::<i64>().ok())
        .is_some_and(|extended| extended & 0xff == BUSY)
}

/// Tells a refusal from an outage. `RAISE` in a trigger is a constraint to SQLite.
pub(super) fn db_error(error: &sqlx::Error) -> DbError {
    let Some(database) = error.as_database_error() else {
        return DbError::Unavailable(public_message(&error.to_string()));
    };
    let message = public_message(database.message());
    let extended: i64 = database
        .code()
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    match extended & 0xff {
        ERROR | TOO_BIG | CONSTRAINT | MISMATCH | RANGE => DbError::Refused(message),
        _ => DbError::Unavailable(message),
    }
}
