//! Which errors say that the database is at fault, and not a row or a statement of ours.

/// What an error says of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Whatever is asked meets it. With what it means, where its own words are not clear.
    Whole(Option<&'static str>),
    /// Some statements meet it, and others do not. With what it means.
    Statement(&'static str),
}

impl Outage {
    /// What `error` says of the database; `None` where it says nothing of it.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Database(coded) => {
                let code = coded.code()?;
                // PostgreSQL's have five characters, SQLite's are numbers with fewer.
                match code.parse() {
                    Ok(number) if code.len() < 5 => of_sqlite(number),
                    Ok(_) | Err(_) => of_postgres(&code),
                }
            }
            sqlx::Error::PoolTimedOut => Some(Self::Statement(
                "all our connections are busy with something that does not end",
            )),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Configuration(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Some(Self::Whole(None)),
            _ => None,
        }
    }
}

/// An outage in its own words, where the database's are not clear; `None` for any other error.
pub(crate) fn told(error: &sqlx::Error) -> Option<String> {
    match Outage::of(error)? {
        Outage::Whole(Some(meaning)) | Outage::Statement(meaning) => {
            let database = error.as_database_error();
            let said = database.map_or_else(|| error.to_string(), |one| one.message().to_owned());
            Some(format!("{meaning} ({said})"))
        }
        Outage::Whole(None) => None,
    }
}

/// Classes of errors that a statement or its rows are at fault for: what is not supported, what the
/// data and the constraints are, cursors, routines, what another transaction was in the way of,
/// syntax and names, checks of a view, limits, and what a trigger raises.
const OF_A_STATEMENT: [&str; 14] = [
    "0A", "21", "22", "23", "24", "26", "2F", "34", "38", "40", "42", "44", "54", "P0",
];

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_postgres(code: &str) -> Option<Outage> {
    use Outage::{Statement, Whole};
    let outage = match code {
        "25006" => Whole(Some(
            "it takes no writes: it is a standby, or set read-only",
        )),
        "42501" => Statement("its account lacks a right"),
        "53100" => Statement("its disk is full"),
        "53200" => Statement("it is out of memory"),
        "53300" => Whole(Some("it has no connection slot free")),
        "55P03" => Statement("another session has locked its tables"),
        "57014" => Statement("it canceled the statement, by its statement_timeout or by hand"),
        "57P03" => Whole(Some("it is starting up or shutting down")),
        "58030" => Statement("its disk answers with errors"),
        "XX001" | "XX002" => Statement("its data is damaged"),
        other => {
            let is_ours = OF_A_STATEMENT.iter().any(|class| other.starts_with(class));
            return (!is_ours).then_some(Whole(None));
        }
    };
    Some(outage)
}

/// The primary code is the lowest byte: <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: u32) -> Option<Outage> {
    use Outage::{Statement, Whole};
    let outage = match code & 0xff {
        5 => Statement("another process has locked its file"),
        8 => Whole(Some(
            "it takes no writes: its file is read-only, or was moved",
        )),
        10 => Statement("its disk answers with errors"),
        11 | 26 => Statement("its file is damaged"),
        13 => Statement("its disk is full"),
        14 => Whole(Some("its file cannot be opened")),
        _ => return None,
    };
    Some(outage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_of_itself_is_an_outage_and_what_it_says_of_a_row_is_none() {
        for code in ["55000", "57P01", "28P01", "3D000", "08006", "F0000"] {
            assert_eq!(of_postgres(code), Some(Outage::Whole(None)), "{code}");
        }
        for code in ["23505", "22P02", "42P01", "40001", "P0001", "0A000"] {
            assert_eq!(of_postgres(code), None, "{code}");
        }
        // SQLITE_READONLY_DBMOVED, SQLITE_CONSTRAINT_UNIQUE
        assert!(matches!(of_sqlite(1_032), Some(Outage::Whole(Some(_)))));
        assert_eq!(of_sqlite(2_067), None);
    }
}
