//! The words that a column has, and what they mean elsewhere.

use super::SurveyedTable;
use crate::dialect::{DbError, Dialect, SqlStatement, TargetSession};
use crate::schema::{ColumnKind, LiveColumn, NativeType};
use crate::values_table::quoted;
use crate::{checks, identifier::Identifier, public_message};

/// The most rows that are looked at, and the most words that are named.
const MOST_ROWS: u32 = 10_000;
const MOST_WORDS: u32 = 40;

/// A word of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWord {
    /// As it is written there.
    pub text: String,
    /// How many of the rows that were looked at have it.
    pub rows: i64,
}

/// A key of the configuration, and the words that mean it elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// The key.
    pub key: &'static str,
    /// Upper case, blanks and underscores do not count.
    pub words: &'static [&'static str],
}

/// Words by what they mean.
#[derive(Debug, Clone, Default)]
pub struct SortedWords {
    /// The words of each key, the most frequent first.
    pub by_key: Vec<(&'static str, Vec<String>)>,
    /// Those that mean nothing that is known.
    pub unknown: Vec<FoundWord>,
}

impl SortedWords {
    /// Sorts words.
    pub fn new(words: &[FoundWord], meanings: &[Meaning]) -> Self {
        let means = |meaning: &Meaning, word: &FoundWord| {
            let mut known = meaning.words.iter();
            known.any(|known| same(known, &word.text))
        };
        let by_key = meanings.iter().map(|meaning| {
            let words = words.iter().filter(|word| means(meaning, word));
            (meaning.key, words.map(|word| word.text.clone()).collect())
        });
        let unknown = words
            .iter()
            .filter(|word| !meanings.iter().any(|meaning| means(meaning, word)));
        Self {
            by_key: by_key.collect(),
            unknown: unknown.cloned().collect(),
        }
    }
}

/// Words with how often they are met, for a person.
pub fn shown(words: &[FoundWord]) -> String {
    let words = words.iter().map(|word| {
        let rows = match word.rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        format!("{:?} ({rows})", public_message(&word.text))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Whether two names or words are the same but for case, blanks and signs.
pub(super) fn same(one: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<Vec<_>>()
    };
    letters(one) == letters(other)
}

/// The words of a column: those of some rows, the most frequent first, and those that its type or a
/// CHECK has.
///
/// # Errors
/// When the database does not answer.
pub async fn found_words(
    session: &mut dyn TargetSession,
    table: &SurveyedTable,
    column: &LiveColumn,
) -> Result<Vec<FoundWord>, DbError> {
    let mut words = Vec::new();
    for row in session.fetch(counted(table, column)?).await? {
        let text = row.cell("word").text();
        let rows = row.cell("number").integer().unwrap_or_default();
        if !text.is_empty() {
            words.push(FoundWord { text, rows });
        }
    }
    let mut declared = declared(session, table, column).await?;
    for check in checks::read(session, &table.name, &table.schema).await? {
        if column.is_text() && check.is_of_name(&column.name) {
            declared.extend(check.texts());
        }
    }
    for text in declared {
        if words.iter().all(|word| word.text != text) {
            words.push(FoundWord { text, rows: 0 });
        }
    }
    Ok(words)
}

fn counted(table: &SurveyedTable, column: &LiveColumn) -> Result<SqlStatement, DbError> {
    let dialect = table.schema.dialect;
    let name: Identifier = column
        .name
        .parse()
        .map_err(|error| DbError::Refused(format!("{error}")))?;
    let (name, table) = (quoted(dialect, &name), quoted(dialect, &table.name));
    let text = match dialect {
        Dialect::Sqlite | Dialect::Postgres => "TEXT",
        Dialect::Mysql => "CHAR",
    };
    Ok(SqlStatement::Text {
        sql: format!(
            "SELECT CAST({name} AS {text}) AS word, COUNT(*) AS number \
             FROM (SELECT {name} FROM {table} LIMIT {MOST_ROWS}) AS looked_at \
             WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY 2 DESC, 1 LIMIT {MOST_WORDS}"
        ),
        parameter: None,
    })
}

/// The words of an enum.
async fn declared(
    session: &mut dyn TargetSession,
    table: &SurveyedTable,
    column: &LiveColumn,
) -> Result<Vec<String>, DbError> {
    match (table.schema.dialect, &column.native) {
        (
            Dialect::Postgres,
            NativeType::Postgres {
                name,
                is_enum: true,
            },
        ) => {
            let statement = SqlStatement::Text {
                sql: "SELECT enumlabel::text AS word FROM pg_enum \
                      WHERE enumtypid = to_regtype($1) ORDER BY enumsortorder"
                    .to_owned(),
                parameter: Some(name.clone()),
            };
            let rows = session.fetch(statement).await?;
            Ok(rows.iter().map(|row| row.cell("word").text()).collect())
        }
        (Dialect::Mysql, _) if column.kind == ColumnKind::Text => {
            let values = column.declared.strip_prefix("enum('");
            let values = values.and_then(|values| values.strip_suffix("')"));
            let values = values.map(|values| values.split("','"));
            let words = values.into_iter().flatten();
            Ok(words.map(|word| word.replace("''", "'")).collect())
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_by_what_they_mean_elsewhere() {
        let word = |text: &str, rows| FoundWord {
            text: text.to_owned(),
            rows,
        };
        let words = [word("In Progress", 9), word("PAID", 8), word("odd", 1)];
        let meanings = [
            Meaning {
                key: "pending",
                words: &["new", "in_progress"],
            },
            Meaning {
                key: "failed",
                words: &["declined"],
            },
            Meaning {
                key: "succeeded",
                words: &["paid"],
            },
        ];
        let sorted = SortedWords::new(&words, &meanings);
        let texts = |text: &str| vec![text.to_owned()];
        assert_eq!(
            sorted.by_key,
            [
                ("pending", texts("In Progress")),
                ("failed", vec![]),
                ("succeeded", texts("PAID")),
            ]
        );
        assert_eq!(sorted.unknown, [word("odd", 1)]);
        assert_eq!(shown(&sorted.unknown), "\"odd\" (1 row)");
    }
}
