//! What PostgreSQL has counted.

use std::collections::HashMap;

use echeck_tests::eventually;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

/// The name of a database of the shared server.
pub(crate) fn name_of(url: &str) -> String {
    url.rsplit('/').next().unwrap().to_owned()
}

/// What was executed in some databases, with how often.
pub(crate) async fn executed(databases: &[String]) -> HashMap<String, i64> {
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let mut owner = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    // Another test may make it at this moment.
    let made = owner.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    let _ = made.await;
    let counted: Vec<(String, i64)> = sqlx::query_as(
        "SELECT d.datname || ': ' || s.query, SUM(s.calls)::bigint FROM pg_stat_statements s \
         JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = ANY($1) GROUP BY 1",
    )
    .bind(databases)
    .fetch_all(&mut owner)
    .await
    .unwrap();
    counted.into_iter().collect()
}

/// What was executed since `before`, most often first.
pub(crate) async fn executed_since(
    databases: &[String],
    before: &HashMap<String, i64>,
) -> Vec<(String, i64)> {
    let now = executed(databases).await.into_iter();
    let since = now.map(|(sql, calls)| {
        let more = calls - before.get(&sql).copied().unwrap_or(0);
        (sql, more)
    });
    let mut since: Vec<(String, i64)> = since.filter(|(_, calls)| *calls > 0).collect();
    since.sort_by_key(|(_, calls)| -calls);
    since
}

/// For each large table of a database: its name, the rows that scans of the whole table read, and
/// the rows that it has. It waits until everybody else has left: a session counts at its end.
pub(crate) async fn scanned(url: &str, large: i64) -> Vec<(String, i64, i64)> {
    let owner = PgPool::connect(url).await.unwrap();
    eventually("everybody has left", || async {
        let others: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .fetch_one(&owner)
        .await
        .unwrap();
        others == 0
    })
    .await;
    sqlx::query_as(
        "SELECT relname::text, seq_tup_read, n_live_tup FROM pg_stat_user_tables \
         WHERE n_live_tup >= $1 ORDER BY 1",
    )
    .bind(large)
    .fetch_all(&owner)
    .await
    .unwrap()
}
