//! Which MySQL and MariaDB errors pass, and which are the statement's own fault.

use sqlx::mysql::MySqlDatabaseError;

use crate::dialect::{DbError, public_message};

/// A deadlock. A lock that was not to be had in time is an outage: it has been waited for
/// already.
const DEADLOCK: u16 = 1213;

/// Errors about the data of a statement that have SQLSTATE HY000
/// (<https://mariadb.com/kb/en/mariadb-error-code-reference/>): a value of the wrong type,
/// no default, a constraint, a value that was cut, invalid JSON.
const REFUSED: [u16; 7] = [1265, 1364, 1366, 3140, 3819, 4025, 4161];

/// Data exceptions, constraints, and what a trigger signals.
const REFUSED_CLASSES: [&str; 3] = ["22", "23", "45"];

/// A right to a database, a table or a column that the account lacks.
const LACKS_RIGHT: [u16; 3] = [1044, 1142, 1143];

/// The server, the transaction, or the storage engine takes no writes
/// (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).
const READ_ONLY: [u16; 2] = [1792, 1836];

/// An option of the server forbids the statement. It names the option: only with one of these
/// is the server read-only.
const FORBIDDEN_BY_OPTION: u16 = 1290;
const READ_ONLY_OPTIONS: [&str; 2] = ["read-only", "read_only"];

/// Whether the account lacks a right.
pub(super) fn lacks_right(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|database| database.try_downcast_ref::<MySqlDatabaseError>())
        .is_some_and(|database| LACKS_RIGHT.contains(&database.number()))
}

/// Tells a refusal from a conflict and from an outage. What is unknown is an outage: a batch
/// that waits for a person is better than a return that is passed.
pub(super) fn db_error(error: &sqlx::Error) -> DbError {
    let Some(database) = error.as_database_error() else {
        return DbError::Unavailable(public_message(&error.to_string()));
    };
    let message = public_message(database.message());
    let number = database
        .try_downcast_ref::<MySqlDatabaseError>()
        .map_or(0, MySqlDatabaseError::number);
    let state = database.code().unwrap_or_default();
    if number == DEADLOCK {
        DbError::Conflict(message)
    } else if REFUSED.contains(&number)
        || REFUSED_CLASSES.iter().any(|class| state.starts_with(class))
    {
        DbError::Refused(message)
    } else if is_read_only(number, &message) {
        DbError::ReadOnly(message)
    } else {
        DbError::Unavailable(format!("{message} (error {number})"))
    }
}

fn is_read_only(number: u16, message: &str) -> bool {
    READ_ONLY.contains(&number)
        || (number == FORBIDDEN_BY_OPTION
            && READ_ONLY_OPTIONS
                .iter()
                .any(|option| message.contains(option)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_options_that_forbid_writes_make_a_server_read_only() {
        let option = |name: &str| {
            format!("The server is running with the --{name} option so it cannot execute this")
        };
        assert!(is_read_only(FORBIDDEN_BY_OPTION, &option("read-only")));
        assert!(is_read_only(
            FORBIDDEN_BY_OPTION,
            &option("super-read-only")
        ));
        assert!(!is_read_only(
            FORBIDDEN_BY_OPTION,
            &option("secure-file-priv")
        ));
        assert!(is_read_only(1792, "in a READ ONLY transaction"));
    }
}
