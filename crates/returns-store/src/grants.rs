//! The rights that the service's account needs, looked up at the start: one that is missing
//! would otherwise be found out in the middle of an import, or when an operator needs it. The
//! file that grants them says which they are.

use std::sync::LazyLock;

use sqlx::PgConnection;

use crate::StoreError;
use crate::columns::failed;
use crate::settings::PgAddress;

const GRANTS: &str = include_str!("../roles/postgres_grants.sql");

/// A right on a table, or on one of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Right<'a> {
    right: &'a str,
    table: &'a str,
    column: Option<&'a str>,
}

/// The rights of the file.
static NEEDED: LazyLock<Vec<Right<'static>>> = LazyLock::new(|| {
    let grants: &'static str = without_comments(GRANTS).leak();
    rights(grants)
});

/// Refuses an account that lacks a right; every one that is missing is named.
pub(crate) async fn check(
    connection: &mut PgConnection,
    address: &PgAddress,
) -> Result<(), StoreError> {
    let lacking = lacking(connection)
        .await
        .map_err(failed("look up the account's rights"))?;
    if lacking.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unusable(format!(
        "{address} lacks rights: {}. Let the owner of the tables run \
         crates/returns-store/roles/postgres_grants.sql",
        lacking.join(", ")
    )))
}

/// The rights that the account lacks: `UPDATE (a) on table`.
pub(crate) async fn lacking(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let column = |read: fn(&Right<'static>) -> Option<&'static str>| -> Vec<Option<&'static str>> {
        NEEDED.iter().map(read).collect()
    };
    // Without the right to use the schema, no name in it means anything.
    sqlx::query_scalar(
        "SELECT format('%s%s on %s', n.right, ' (' || n.col || ')', n.name) FROM ( \
             SELECT *, to_regclass(quote_ident(name)) AS found \
             FROM UNNEST($1::text[], $2::text[], $3::text[]) AS u (name, \"right\", col)) AS n \
         WHERE n.found IS NULL OR NOT CASE \
             WHEN n.col IS NULL THEN has_table_privilege(n.found, n.right) \
             ELSE has_column_privilege(n.found, n.col, n.right) END",
    )
    .bind(column(|one| Some(one.table)))
    .bind(column(|one| Some(one.right)))
    .bind(column(|one| one.column))
    .fetch_all(connection)
    .await
}

fn without_comments(sql: &str) -> String {
    let code = |line: &'_ str| line.split("--").next().unwrap_or_default().to_owned() + "\n";
    sql.lines().map(code).collect()
}

/// What the statements `GRANT right, right (column, …) ON table, … TO account` grant.
fn rights(sql: &str) -> Vec<Right<'_>> {
    let mut rights = Vec::new();
    for statement in sql.split(';') {
        let Some((granted, tables)) = statement
            .trim()
            .strip_prefix("GRANT ")
            .and_then(|rest| rest.split_once(" ON "))
        else {
            continue;
        };
        let tables = tables.split_whitespace().take_while(|word| *word != "TO");
        for table in tables.map(|table| table.trim_end_matches(',')) {
            rights.extend(granted_on(table, granted));
        }
    }
    rights
}

/// `SELECT, UPDATE (a, b)` on one table.
fn granted_on<'a>(table: &'a str, granted: &'a str) -> Vec<Right<'a>> {
    let mut rights = Vec::new();
    let mut rest = granted.trim();
    while !rest.is_empty() {
        let end = rest.find([',', '(']).unwrap_or(rest.len());
        let right = rest[..end].trim();
        let columns = rest[end..]
            .strip_prefix('(')
            .and_then(|inside| inside.split_once(')'));
        let one = |column| Right {
            right,
            table,
            column,
        };
        rest = match columns {
            Some((columns, after)) => {
                rights.extend(columns.split(',').map(|column| one(Some(column.trim()))));
                after
            }
            None => {
                rights.push(one(None));
                &rest[end..]
            }
        };
        rest = rest.trim_start().trim_start_matches(',').trim_start();
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Vec<String> {
        let show = |one: &Right<'_>| match one.column {
            None => format!("{} {}", one.right, one.table),
            Some(column) => format!("{} {}.{column}", one.right, one.table),
        };
        rights(&without_comments(sql)).iter().map(show).collect()
    }

    #[test]
    fn each_right_of_a_grant_is_read() {
        let sql = "
            BEGIN;
            REVOKE ALL ON ALL TABLES IN SCHEMA public FROM a;
            -- A comment; GRANT DELETE ON x TO a;
            GRANT SELECT, UPDATE (p,
                q), DELETE ON one, -- and
                two
                TO a;
            GRANT INSERT ON three TO a;
            COMMIT;";
        assert_eq!(
            shown(sql),
            [
                "SELECT one",
                "UPDATE one.p",
                "UPDATE one.q",
                "DELETE one",
                "SELECT two",
                "UPDATE two.p",
                "UPDATE two.q",
                "DELETE two",
                "INSERT three",
            ]
        );
    }

    #[test]
    fn every_grant_of_the_file_is_read() {
        let shown = shown(GRANTS);
        for right in [
            "SELECT _sqlx_migrations",
            "INSERT journal",
            "UPDATE journal_head.hash",
            "UPDATE imports.files_done",
            "INSERT import_duplicates",
            "DELETE dishonorable",
            "UPDATE webhook_deliveries.unwanted",
        ] {
            assert!(shown.iter().any(|one| one == right), "{right}");
        }
        let tables = shown.iter().filter(|one| one.starts_with("SELECT "));
        assert_eq!(tables.count(), GRANTED_TABLES, "a GRANT without SELECT");
        let unread = |one: &&String| one.contains(['(', ')', ',', ';']) || one.contains("GRANT");
        assert_eq!(shown.iter().find(unread), None);
    }

    /// Every table but what the owner alone has.
    const GRANTED_TABLES: usize = 34;
}
