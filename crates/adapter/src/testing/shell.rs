//! The database as its owner sees it: a new connection for each script.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, SqliteConnection};
use sqlx::{Row as _, raw_sql};

use crate::dialect::Dialect;

/// A database of one test.
#[derive(Clone)]
pub(super) enum Shell {
    Sqlite(PathBuf),
    Postgres(String),
    Mysql(String),
}

/// Opens a connection of the right kind, and does something with it.
macro_rules! with_connection {
    ($shell:expr, $connection:ident => $body:expr) => {
        match $shell {
            Shell::Sqlite(path) => {
                let mut $connection = open(path).await;
                let done = $body;
                $connection.close().await.unwrap();
                done
            }
            Shell::Postgres(url) => {
                let mut $connection = PgConnection::connect(url).await.unwrap();
                let done = $body;
                $connection.close().await.unwrap();
                done
            }
            Shell::Mysql(url) => {
                let mut $connection = MySqlConnection::connect(url).await.unwrap();
                let done = $body;
                $connection.close().await.unwrap();
                done
            }
        }
    };
}

impl Shell {
    /// A new, empty database on the test servers.
    pub(super) async fn fresh(dialect: Dialect, folder: &Path) -> Self {
        match dialect {
            Dialect::Sqlite => {
                let path = folder.join("target.db");
                std::fs::File::create(&path).unwrap();
                Self::Sqlite(path)
            }
            Dialect::Postgres => Self::Postgres(echeck_test_servers::postgres().await),
            Dialect::Mysql => Self::Mysql(echeck_test_servers::mariadb().await),
        }
    }

    /// The URL for the adapter.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) | Self::Mysql(url) => url.clone(),
        }
    }

    pub(super) async fn run(&self, sql: &str) {
        with_connection!(self, connection => {
            raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        });
    }

    /// The rows of a query, values joined by `|`, NULL as `-`. A script without parameters
    /// gets its values as text from every database.
    pub(super) async fn rows(&self, sql: &str) -> Vec<String> {
        with_connection!(self, connection => {
            let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            rows.iter()
                .map(|row| {
                    let cells: Vec<String> = (0..row.len())
                        .map(|at| {
                            let text: Option<String> = row.try_get_unchecked(at).unwrap();
                            text.unwrap_or_else(|| "-".to_owned())
                        })
                        .collect();
                    cells.join("|")
                })
                .collect()
        })
    }
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}
