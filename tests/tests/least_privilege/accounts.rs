//! Databases on the test servers with the accounts that an operator makes: by the files in
//! `roles`, fed to the servers' own clients. Accounts belong to a whole server, so each test
//! puts names of its own into the text.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use echeck::database::Address;
use echeck_adapter::dialect::Dialect;
use echeck_tests::binary;

/// Every account's password. It must show up nowhere.
pub const PASSWORD: &str = "CANARY7f3a";

/// A database, as an administrator and as the account of a service sees it.
pub struct Database {
    pub admin: Address,
    pub account: Address,
    /// The account's name in SQL.
    pub user: String,
}

impl Database {
    pub async fn run(&self, sql: &str) {
        let mut connection = self.admin.connect().await.unwrap();
        connection.script(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A value as text; NULL is empty.
    pub async fn value(&self, sql: &str) -> String {
        let mut connection = self.admin.connect().await.unwrap();
        let value = connection.value(sql).await.unwrap();
        connection.close().await.unwrap();
        value.unwrap_or_default()
    }
}

/// One of the two databases that belong to others.
#[derive(Clone, Copy)]
pub enum App {
    Gateway,
    RallyPay,
}

impl App {
    /// The account's name in the files.
    const fn account(self) -> &'static str {
        match self {
            Self::Gateway => "echeck_gateway",
            Self::RallyPay => "echeck_rallypay",
        }
    }

    const fn schema(self, dialect: Dialect) -> &'static str {
        match self {
            Self::Gateway => gateway_adapter::demo_schema(dialect),
            Self::RallyPay => rallypay_adapter::demo_schema(dialect),
        }
    }

    const fn roles(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Gateway, Dialect::Postgres) => {
                include_str!("../../../gateway-adapter/roles/postgres.sql")
            }
            (Self::Gateway, Dialect::Mysql) => {
                include_str!("../../../gateway-adapter/roles/mysql.sql")
            }
            (Self::RallyPay, Dialect::Postgres) => {
                include_str!("../../../rallypay-adapter/roles/postgres.sql")
            }
            (Self::RallyPay, Dialect::Mysql) => {
                include_str!("../../../rallypay-adapter/roles/mysql.sql")
            }
            (_, Dialect::Sqlite) => panic!("SQLite has no accounts"),
        }
    }
}

/// A database of the app with a table that is none of the adapter's business, and the
/// adapter's account.
pub async fn target(app: App, dialect: Dialect) -> Database {
    let url = match dialect {
        Dialect::Postgres => echeck_test_servers::postgres().await,
        Dialect::Mysql => echeck_test_servers::mariadb().await,
        Dialect::Sqlite => panic!("SQLite has no accounts"),
    };
    let user = unique(app.account(), &url);
    let database = Database {
        account: as_account(&url, &user),
        admin: Address::parse("url", &url).unwrap(),
        user: match dialect {
            Dialect::Mysql => format!("'{user}'@'%'"),
            Dialect::Postgres | Dialect::Sqlite => user.clone(),
        },
    };
    let tables = format!(
        "{}; CREATE TABLE secrets (id INTEGER PRIMARY KEY, account_number VARCHAR(40)); \
         INSERT INTO secrets VALUES (1, '000123456789'); {}",
        app.schema(dialect).trim_end().trim_end_matches(';'),
        dialect.owned_tables_sql()
    );
    database.run(&tables).await;
    let roles = app.roles(dialect).replace(app.account(), &user);
    // Twice, since the files say that this may be done.
    for _ in 0..2 {
        match dialect {
            Dialect::Mysql => mariadb(&url, &roles),
            Dialect::Postgres | Dialect::Sqlite => psql(&url, &["--single-transaction"], &roles),
        }
    }
    let (nobody, password) = match dialect {
        Dialect::Mysql => (
            database.account.connect().await.is_err(),
            format!(
                "ALTER USER {} IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK",
                database.user
            ),
        ),
        // The test server trusts everybody, so that a login says nothing.
        Dialect::Postgres | Dialect::Sqlite => (
            database
                .value(&format!(
                    "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = '{user}'"
                ))
                .await
                == "t",
            format!("ALTER ROLE {user} PASSWORD '{PASSWORD}'"),
        ),
    };
    assert!(nobody, "nobody logs in before a password is given");
    database.run(&password).await;
    database
}

/// The returns database with both its accounts, and no table yet.
pub struct Returns {
    pub database: Database,
    pub owner: Address,
}

impl Returns {
    pub async fn new() -> Self {
        let url = echeck_test_servers::postgres().await;
        let user = unique("echeck_returns", &url);
        let roles = include_str!("../../../crates/returns-store/roles/postgres.sql");
        for _ in 0..2 {
            psql(
                &url,
                &["--single-transaction"],
                &roles.replace("echeck_returns", &user),
            );
        }
        let owner = as_account(&url, &format!("{user}_owner"));
        let database = Database {
            account: as_account(&url, &user),
            admin: Address::parse("url", &url).unwrap(),
            user,
        };
        Self { database, owner }
    }

    /// Makes the tables as their owner, with the service's own configuration, and grants the
    /// service its rights.
    pub fn migrate(&self, config: &Path) {
        let done = Command::new(binary("returns-service"))
            .arg("--config")
            .arg(config)
            .arg("--migrate")
            .env("ECHECK__DATABASE__URL", self.owner.url())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
        self.grant();
    }

    /// Runs the file of rights as the tables' owner.
    pub fn grant(&self) {
        let grants = include_str!("../../../crates/returns-store/roles/postgres_grants.sql");
        let grants = grants.replace("echeck_returns", &self.database.user);
        psql(self.owner.url(), &[], &grants);
    }
}

/// An account's name for one test, from the name of its database.
fn unique(account: &str, url: &str) -> String {
    let database = url.rsplit('/').next().unwrap();
    format!("{account}_{}", &database[..9])
}

fn as_account(url: &str, user: &str) -> Address {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, server) = rest.split_once('@').unwrap();
    Address::parse("url", &format!("{scheme}://{user}:{PASSWORD}@{server}")).unwrap()
}

fn psql(url: &str, arguments: &[&str], sql: &str) {
    let mut command = Command::new("psql");
    command
        .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", "-"])
        .args(arguments)
        .arg(url);
    feed(command, sql);
}

fn mariadb(url: &str, sql: &str) {
    let (_, rest) = url.split_once("://").unwrap();
    let (login, place) = rest.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let (server, database) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "-h", host, "-P", port, "-u", user]);
    command.arg(format!("-p{password}")).arg(database);
    feed(command, sql);
}

fn feed(mut command: Command, sql: &str) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(sql.as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(!said.contains("WARNING"), "{said}");
}
