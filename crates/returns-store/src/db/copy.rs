//! Rows as the lines of a COPY, which PostgreSQL takes faster than any INSERT.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use returns_model::ids::hex;

use super::bulk::Insert;
use super::{OpenTransaction, Transaction, Value, insert_all, noted};
use crate::StoreError;
use crate::columns::unreadable;

/// Inserts rows that may be many and large. Texts are written as they are: PostgreSQL refuses
/// one with a NUL, as it must what a hash is over.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn copy_all(
    tx: &mut Transaction,
    insert: &Insert,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let Transaction {
        open,
        failures,
        done,
    } = tx;
    let connection = match open {
        OpenTransaction::Sqlite(_) => return insert_all(tx, insert, rows).await,
        OpenTransaction::Postgres(connection) => connection,
    };
    if rows.is_empty() {
        return Ok(());
    }
    let what = insert.what;
    let lines = lines(&rows)?;
    let (table, columns) = (insert.table, insert.columns);
    let copied = async {
        let mut copy = connection
            .copy_in_raw(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT csv)"))
            .await?;
        // When this fails the transaction is left, and the connection with it.
        copy.send(lines.into_bytes()).await?;
        copy.finish().await
    };
    noted(failures, Some(done), what, copied.await).map(drop)
}

fn lines(rows: &[Vec<Value>]) -> Result<String, StoreError> {
    let mut lines = String::new();
    for row in rows {
        for (number, value) in row.iter().enumerate() {
            if number > 0 {
                lines.push(',');
            }
            cell(&mut lines, value)?;
        }
        lines.push('\n');
    }
    Ok(lines)
}

/// A value as a cell; an empty one without quotes is NULL. Writing to a string does not fail.
fn cell(lines: &mut String, value: &Value) -> Result<(), StoreError> {
    match value {
        Value::Text(None) | Value::Number(None) | Value::Time(None) => {}
        Value::Text(Some(text)) => quoted(lines, text),
        Value::Number(Some(number)) => {
            let _ = write!(lines, "{number}");
        }
        Value::Flag(flag) => {
            let _ = write!(lines, "{flag}");
        }
        Value::Time(Some(at)) => lines.push_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        Value::Bytes(bytes) => {
            let _ = write!(lines, "\\x{}", hex(bytes));
        }
        Value::Texts(_) | Value::Numbers(_) => {
            return Err(unreadable("a copied column", "it has a list"));
        }
    }
    Ok(())
}

/// A text in quotes, so that an empty one is not NULL, and no character ends it.
fn quoted(lines: &mut String, text: &str) {
    lines.push('"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            lines.push_str("\"\"");
        }
        lines.push_str(part);
    }
    lines.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nothing_else_is_changed() {
        for (text, line) in [
            ("", "\"\""),
            ("a,b\n\\.\n", "\"a,b\n\\.\n\""),
            (r#"{"a":"b"}"#, r#""{""a"":""b""}""#),
            ("\"", "\"\"\"\""),
        ] {
            let mut lines = String::new();
            quoted(&mut lines, text);
            assert_eq!(lines, line);
        }
    }

    #[test]
    fn nothing_is_an_empty_cell_and_an_empty_text_is_not() {
        let row = vec![
            Value::from(7_i64),
            Value::Bytes(vec![0xab]),
            Value::Text(None),
            Value::from(""),
        ];
        assert_eq!(lines(&[row]).unwrap(), "7,\\xab,,\"\"\n");
    }
}
