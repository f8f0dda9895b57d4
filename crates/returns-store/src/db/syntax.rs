//! What SQLite and PostgreSQL spell differently.

/// Which kind of SQL. Each method gives a piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Sqlite,
    Postgres,
}

impl Syntax {
    /// The database's own clock, for leases and claims: a time in PostgreSQL, milliseconds
    /// since 1970 in SQLite. Columns that are compared with it are never read.
    pub(crate) fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Self::Postgres => "clock_timestamp()",
        }
    }

    /// The database's clock plus a number of milliseconds: `now_plus("$3")`.
    pub(crate) fn now_plus(self, milliseconds: &str) -> String {
        match self {
            Self::Sqlite => format!("{} + {milliseconds}", self.now()),
            Self::Postgres => {
                format!("{} + {milliseconds} * INTERVAL '1 millisecond'", self.now())
            }
        }
    }

    /// `x IN` a bound list: `format!("source {}", syntax.one_of("$2"))`.
    pub(crate) fn one_of(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("IN (SELECT value FROM json_each({list}))"),
            Self::Postgres => format!("= ANY({list})"),
        }
    }

    /// `x NOT IN` a bound list.
    pub(crate) fn none_of(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("NOT IN (SELECT value FROM json_each({list}))"),
            Self::Postgres => format!("<> ALL({list})"),
        }
    }

    /// A bound list as rows of one column `value`: `FROM {values} AS v`.
    pub(crate) fn values(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({list}))"),
            Self::Postgres => format!("(SELECT value FROM UNNEST({list}) AS u (value))"),
        }
    }

    /// Locks the rows of a SELECT until the transaction ends. A writing transaction on SQLite
    /// has the whole file locked.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE",
        }
    }

    /// The same, but leaves out rows that another transaction has locked.
    pub(crate) fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// Whether all writes wait for one lock, which an UPDATE takes even when it finds nothing:
    /// looking first costs little there.
    pub(crate) fn has_one_writer(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => false,
        }
    }
}
