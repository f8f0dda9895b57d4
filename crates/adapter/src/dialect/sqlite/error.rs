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
const READ_ONLY: i64 = 8;
/// The file was moved or deleted under us; SQLite files that under read-only.
const READ_ONLY_FILE_MOVED: i64 = 8 | (4 << 8);

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
        READ_ONLY if extended != READ_ONLY_FILE_MOVED => DbError::ReadOnly(message),
        _ => DbError::Unavailable(message),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Executor as _, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_file_that_takes_no_writes_is_told_as_such() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let setup = "CREATE TABLE t (c); PRAGMA query_only = on";
        connection.execute(setup).await.unwrap();
        let refused = connection.execute("INSERT INTO t VALUES (1)").await;
        let error = db_error(&refused.unwrap_err());
        assert!(matches!(error, DbError::ReadOnly(_)), "{error}");
    }
}
