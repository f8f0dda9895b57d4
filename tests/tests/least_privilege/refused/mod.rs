//! What each account may not do: the server itself refuses it.

mod gateway;
mod rallypay;
mod returns;

use echeck::database::Connection;
use sqlx::mysql::MySqlDatabaseError;

use crate::accounts::Database;

/// PostgreSQL's insufficient_privilege.
const DENIED: &str = "42501";
/// MariaDB's words for a right to a database, a table, a column, and to everything.
const DATABASE: &str = "1044";
const TABLE: &str = "1142";
const COLUMN: &str = "1143";
const GLOBAL: &str = "1227";
/// Writing a file: newer servers answer as to a wrong login.
const FILE: &str = "1227 or 1045";

/// A statement, the code (or several) and a part of the message by which the server refuses it.
type Refusal = (&'static str, &'static str, &'static str);

async fn refuses(database: &Database, refusals: &[Refusal]) {
    let mut connection = database.account.connect().await.unwrap();
    let mut unlike = Vec::new();
    for (statement, code, part) in refusals {
        let answer = attempt(&mut connection, statement).await;
        if !matches!(&answer, Some((is, said)) if code.split(" or ").any(|one| is == one) && said.contains(part))
        {
            unlike.push(format!("{statement}: {answer:?}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

/// The code and the message of a refusal; `None` when it was done.
async fn attempt(connection: &mut Connection, statement: &str) -> Option<(String, String)> {
    let error = connection.script(statement).await.err()?;
    let error = error.downcast_ref::<sqlx::Error>().unwrap();
    let error = error.as_database_error().unwrap();
    let code = match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number().to_string(),
        None => error.code().unwrap_or_default().into_owned(),
    };
    Some((code, error.message().to_owned()))
}
