//! The servers of the tests: fresh databases and buckets ([`s3`]) in the throwaway servers that
//! `scripts/servers start` runs (`make test` starts and stops them by itself), and servers that
//! a test starts for itself: an SFTP server ([`sshd`]), a name server ([`dns`]), a cluster of NATS ([`nats`]), and a bad line in front of one
//! ([`proxy`]).

pub mod certificates;
pub mod dns;
pub mod document;
pub mod http;
pub mod nats;
pub mod own_postgres;
mod port;
pub mod proxy;
pub mod s3;
pub mod smtp;
pub mod sshd;

pub use port::port;

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};
use uuid::Uuid;

/// A new, empty PostgreSQL database; gives its URL.
pub async fn postgres() -> String {
    let server = server("ECHECK_TEST_POSTGRES");
    let name = fresh_name();
    let mut connection = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .expect("the test server answers; `scripts/servers start` starts it");
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    connection
        .execute(AssertSqlSafe(create))
        .await
        .expect("a database can be made");
    format!("{server}/{name}")
}

/// A new, empty MariaDB database; gives its URL.
pub async fn mariadb() -> String {
    let server = server("ECHECK_TEST_MARIADB");
    let name = fresh_name();
    let mut connection = MySqlConnection::connect(&server)
        .await
        .expect("the test server answers; `scripts/servers start` starts it");
    let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
    connection
        .execute(AssertSqlSafe(create))
        .await
        .expect("a database can be made");
    format!("{server}/{name}")
}

/// Lets this process, and those that it starts, have so many file descriptors, as far as the
/// system allows.
pub fn allow_descriptors(number: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = number.min(maximum.unwrap_or(number));
    if current.is_some_and(|current| current < wanted) {
        let current = Some(wanted);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("it is within the maximum");
    }
}

fn fresh_name() -> String {
    format!("t{}", Uuid::new_v4().simple())
}

/// The server's URL, from the environment or from the file that scripts/servers writes.
pub fn server(variable: &str) -> String {
    if let Ok(url) = std::env::var(variable) {
        return url;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/servers.env");
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    written
        .lines()
        .find_map(|line| line.strip_prefix(variable)?.strip_prefix('='))
        .unwrap_or_else(|| {
            panic!(
                "{variable} is not set, and {} does not say it: run `scripts/servers start`",
                file.display()
            )
        })
        .to_owned()
}
