//! What an outage needs to live as long as its test.

use echeck_test_servers::http::HttpReceiver;
use echeck_test_servers::own_postgres::OwnPostgres;
use echeck_test_servers::proxy::{BlackHole, Proxy};
use echeck_tests::Tmpfs;
use tokio::task::JoinHandle;

/// What an outage needs to live as long as its test.
#[derive(Default)]
pub(super) struct Props {
    pub(super) proxy: Option<Proxy>,
    pub(super) hole: Option<BlackHole>,
    pub(super) web: Option<HttpReceiver>,
    pub(super) growing: Option<JoinHandle<()>>,
    /// Before its disk, so that it stops first.
    pub(super) server: Option<OwnPostgres>,
    pub(super) disk: Option<Tmpfs>,
    /// Sessions that hold a lock.
    pub(super) postgres: Option<sqlx::PgConnection>,
    pub(super) mariadb: Option<sqlx::MySqlConnection>,
    /// A role of the test's own.
    pub(super) role: Option<String>,
}

impl Props {
    pub(super) fn end(self) {
        if let Some(growing) = self.growing {
            growing.abort();
        }
    }
}
