//! Mutual TLS between everything: one CA for the campaign, a certificate for each program, and one
//! for the campaign itself.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, anyhow};
use echeck_service::tls::{ClientTls, ClientTlsFiles, Connection};
use echeck_test_servers::certificates::{TestCa, Valid};
use tonic::transport::Channel;

const RETURNS: &str = "spiffe://crash.example/returns-service";
const CAMPAIGN: &str = "spiffe://crash.example/campaign";

/// The certificates, for as long as the process lives.
static TRUST: LazyLock<Trust> = LazyLock::new(Trust::make);

struct Trust {
    folder: PathBuf,
    _kept: tempfile::TempDir,
}

impl Trust {
    #[expect(
        clippy::expect_used,
        reason = "a campaign without a folder cannot begin"
    )]
    fn make() -> Self {
        let kept = tempfile::tempdir().expect("a folder for the certificates");
        let folder = kept.path().to_owned();
        let ca = TestCa::new();
        std::fs::write(folder.join("ca.pem"), ca.pem()).expect("the CA is written");
        for (name, identity) in [
            ("returns", RETURNS),
            ("adapter", "spiffe://crash.example/adapter"),
            ("campaign", CAMPAIGN),
        ] {
            let names = [identity, "127.0.0.1", "localhost"];
            ca.issue(&names, Valid::Now).write(&folder, name);
        }
        Self {
            folder,
            _kept: kept,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn server(name: &str) -> String {
    let file = |extension: &str| TRUST.file(&format!("{name}.{extension}"));
    format!(
        "[server.tls]\ncertificate_file = {:?}\nkey_file = {:?}\nclient_ca_file = {:?}\n\
         client_certificates = \"required\"\n",
        file("pem"),
        file("key"),
        TRUST.file("ca.pem")
    )
}

/// The sections of an adapter.
pub(super) fn of_adapter() -> String {
    server("adapter")
        + &format!("[access.certificates.{RETURNS:?}]\nroles = [\"adapter_client\"]\n")
}

/// The sections of the returns service.
pub(super) fn of_returns() -> String {
    let file = |name: &str| TRUST.file(name);
    server("returns")
        + &format!(
            "[access.certificates.{CAMPAIGN:?}]\nroles = [\"admin\"]\n\
             [adapter_tls]\nca_file = {:?}\ncertificate_file = {:?}\nkey_file = {:?}\n",
            file("ca.pem"),
            file("returns.pem"),
            file("returns.key")
        )
}

/// A connection to a returns service, as the campaign.
///
/// # Errors
/// When it does not answer.
pub async fn connect(url: &str) -> Result<Channel> {
    let files = ClientTlsFiles {
        ca: TRUST.file("ca.pem"),
        certificate: Some((TRUST.file("campaign.pem"), TRUST.file("campaign.key"))),
    };
    let tls = ClientTls::new(files)?;
    let connection = Connection::new(url, Some(&tls)).map_err(|why| anyhow!(why))?;
    let connection = connection.with(|endpoint| {
        endpoint
            .connect_timeout(Duration::from_millis(500))
            .timeout(Duration::from_secs(5))
    });
    connection.connect().await.map_err(|why| anyhow!(why))
}
