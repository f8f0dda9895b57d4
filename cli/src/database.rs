//! The databases of an embedded stack: SQLite files in its folder, or servers that the caller
//! names.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::target_url::TargetUrl;
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, Row as _,
    SqliteConnection, query, raw_sql,
};

/// Where the three databases are, unless they are files in the data folder.
#[derive(Debug, Clone, Default, Args)]
pub struct DatabaseArguments {
    /// The returns database (postgres://…, sqlite:…); default: a file in the data folder.
    #[arg(
        long,
        value_name = "URL",
        env = "ECHECK_RETURNS_DB",
        hide_env_values = true
    )]
    pub returns_db: Option<String>,
    /// The core gateway's database (postgres://…, mysql://…, sqlite:…). If it has no tables, it
    /// gets those of the demonstration.
    #[arg(
        long,
        value_name = "URL",
        env = "ECHECK_GATEWAY_DB",
        hide_env_values = true
    )]
    pub gateway_db: Option<String>,
    /// The database of the RallyPay app; the same rules.
    #[arg(
        long,
        value_name = "URL",
        env = "ECHECK_RALLYPAY_DB",
        hide_env_values = true
    )]
    pub rallypay_db: Option<String>,
}

impl DatabaseArguments {
    /// Whether any of them is named.
    pub(crate) fn any(&self) -> bool {
        self.returns_db.is_some() || self.gateway_db.is_some() || self.rallypay_db.is_some()
    }
}

/// The address of a database. It is shown without its password.
#[derive(Clone)]
pub struct Address {
    url: String,
    parsed: TargetUrl,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.parsed)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.parsed {
            TargetUrl::Sqlite(path) => write!(f, "{}", path.display()),
            TargetUrl::Postgres(_) | TargetUrl::Mysql(_) => write!(f, "{}", self.parsed),
        }
    }
}

impl Address {
    /// Reads a URL; `flag` is where it was given.
    ///
    /// # Errors
    /// When it is not a URL of a database; the error does not quote it.
    pub fn parse(flag: &str, url: &str) -> Result<Self> {
        let parsed = TargetUrl::parse(&SecretString::from(url))
            .map_err(|fault| anyhow!("{flag} {fault}"))?;
        Ok(Self {
            url: url.to_owned(),
            parsed,
        })
    }

    /// The URL, with its password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The kind of database.
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.parsed {
            TargetUrl::Sqlite(_) => Dialect::Sqlite,
            TargetUrl::Postgres(_) => Dialect::Postgres,
            TargetUrl::Mysql(_) => Dialect::Mysql,
        }
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> Option<&Path> {
        match &self.parsed {
            TargetUrl::Sqlite(path) => Some(path),
            TargetUrl::Postgres(_) | TargetUrl::Mysql(_) => None,
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(&self) -> Result<Connection> {
        let connected = match &self.parsed {
            TargetUrl::Sqlite(path) => SqliteConnectOptions::new()
                .filename(path)
                .connect()
                .await
                .map(Connection::Sqlite),
            TargetUrl::Postgres(options) => options.connect().await.map(Connection::Postgres),
            TargetUrl::Mysql(options) => options.connect().await.map(Connection::Mysql),
        };
        connected.with_context(|| format!("the database {self} cannot be opened"))
    }

    /// Creates tables in a database that has none. A database with tables belongs to somebody
    /// and stays as it is.
    pub(crate) async fn create_tables(&self, schema: &str) -> Result<()> {
        let mut connection = self.connect().await?;
        let count = match self.dialect() {
            Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema",
            Dialect::Postgres => {
                "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') \
                 AND pg_table_is_visible(oid) AND relnamespace::regnamespace::text \
                     NOT IN ('pg_catalog', 'information_schema')"
            }
            Dialect::Mysql => {
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
        };
        if connection.value(count).await?.as_deref() == Some("0") {
            connection
                .script(schema)
                .await
                .with_context(|| format!("no tables could be created in the database {self}"))?;
        }
        connection.close().await
    }

    /// Checks that a table is empty, so that a demonstration does not mix with other data.
    pub(crate) async fn check_empty(&self, table: &str) -> Result<()> {
        let mut connection = self.connect().await?;
        let sql = format!("SELECT count(*) FROM {table}");
        if connection.value(&sql).await?.as_deref() != Some("0") {
            bail!(
                "the database {self} already has rows in {table}; name an empty database for the demonstration"
            );
        }
        connection.close().await
    }
}

/// A connection to a database of any kind, for scripts and single values.
pub enum Connection {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
    /// MySQL and MariaDB.
    Mysql(MySqlConnection),
}

impl Connection {
    /// Runs statements without parameters.
    ///
    /// # Errors
    /// What the database said.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        let sql = raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connection) => sql.execute(connection).await.map(drop)?,
            Self::Postgres(connection) => sql.execute(connection).await.map(drop)?,
            Self::Mysql(connection) => sql.execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// The first value of a query without parameters, as text.
    ///
    /// # Errors
    /// What the database said.
    pub async fn value(&mut self, sql: &str) -> Result<Option<String>> {
        let sql = raw_sql(AssertSqlSafe(sql));
        // A script gets its values as text from every database.
        Ok(match self {
            Self::Sqlite(connection) => sql.fetch_one(connection).await?.try_get_unchecked(0)?,
            Self::Postgres(connection) => sql.fetch_one(connection).await?.try_get_unchecked(0)?,
            Self::Mysql(connection) => sql.fetch_one(connection).await?.try_get_unchecked(0)?,
        })
    }

    /// Runs a statement whose parameter is a text.
    pub(crate) async fn run(&mut self, sql: &str, parameter: String) -> Result<()> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(one) => query(sql).bind(parameter).execute(one).await.map(drop)?,
            Self::Postgres(one) => query(sql).bind(parameter).execute(one).await.map(drop)?,
            Self::Mysql(one) => query(sql).bind(parameter).execute(one).await.map(drop)?,
        }
        Ok(())
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// What the database said.
    pub async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
            Self::Mysql(connection) => connection.close().await?,
        }
        Ok(())
    }
}
