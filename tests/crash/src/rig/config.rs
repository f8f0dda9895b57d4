//! The configuration of each copy of each service, small batches and short pauses, so that
//! there are many moments at which a fault can hit.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use echeck_test_servers::sshd::Sshd;
use secrecy::ExposeSecret as _;

use super::LEASE_MS;
use super::outbox::{After, MOVED_TO, Outbox};
use super::service::{CopyId, Service};
use super::trust;
use crate::world::Policy;

/// The ports of a round.
pub(super) struct Addresses {
    pub(super) returns: [u16; 2],
    pub(super) gateway: [u16; 2],
    pub(super) rallypay: [u16; 2],
    pub(super) gateway_front: u16,
    pub(super) rallypay_front: u16,
}

/// What a round's returns services have of the outside.
pub(super) struct Outside<'a> {
    /// The key of the spool, and of what is archived.
    pub(super) spool_key: &'a Path,
    /// The folder that is the bucket.
    pub(super) bucket: &'a Path,
    pub(super) sshd: &'a Sshd,
    pub(super) outboxes: &'a [Outbox],
    /// Where mail is taken.
    pub(super) mail_port: u16,
}

/// Makes the key of the spool that both copies of the returns service share.
pub(super) fn make_spool_key(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("spool.key");
    let key = returns_service::new_spool_identity();
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(key.expose_secret().as_bytes())?;
    Ok(path)
}

/// The configuration of one copy, as TOML. `urls` are the databases: returns, gateway, Rails
/// app.
pub(super) fn of(
    (service, number): CopyId,
    addresses: &Addresses,
    urls: &[String; 3],
    policy: Policy,
    outside: &Outside<'_>,
) -> String {
    match service {
        Service::Returns => {
            let mut text = returns(addresses, number, &urls[0], outside);
            for outbox in outside.outboxes {
                text.push_str(&source(outbox, outside.sshd));
            }
            text
        }
        Service::Gateway => format!(
            "profile = {:?}\n{}",
            policy.profile(),
            adapter(addresses.gateway[number], &urls[1])
        ),
        Service::RallyPay => adapter(addresses.rallypay[number], &urls[2]),
    }
}

fn adapter(port: u16, url: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\ndrain_timeout_ms = 500\n\
         [target]\nurl = {url:?}\nbusy_timeout_ms = 3000\n[health]\ninterval_ms = 1000\n{}",
        trust::of_adapter()
    )
}

fn returns(addresses: &Addresses, number: usize, url: &str, outside: &Outside<'_>) -> String {
    let Addresses {
        gateway_front,
        rallypay_front,
        ..
    } = addresses;
    let Outside {
        spool_key,
        bucket,
        mail_port,
        ..
    } = outside;
    let spool = spool_key.with_file_name("spool");
    format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\ndrain_timeout_ms = 500\n\
         [database]\nurl = {url:?}\n\
         [spool]\nfolder = {spool:?}\nidentity_file = {spool_key:?}\n\
         [import]\nbatch_size = 20\nconcurrent = 3\n\
         [holds]\nretry_first_ms = 100\nretry_longest_ms = 400\n\
         [replica]\nlease_ms = {LEASE_MS}\n\
         [feed]\nbatch_size = 15\ntimeout_ms = 4000\n\
         [databases.gateway]\nadapter = \"https://127.0.0.1:{gateway_front}\"\n\
         role = \"system_of_record\"\n\
         [databases.rallypay]\nadapter = \"https://127.0.0.1:{rallypay_front}\"\n\
         role = \"mirror\"\n\
         [jobs]\nretry_first_ms = 100\nretry_longest_ms = 500\n\
         [report]\nretry_first_ms = 50\nretry_longest_ms = 400\n\
         [webhooks]\nallow_private_addresses = true\nallow_http = true\ntimeout_ms = 500\n\
         schedule_permille = 1\n\
         [alerts.channels.mail]\nkind = \"email\"\nhost = \"localhost\"\nport = {mail_port}\n\
         tls = \"none\"\nfrom = \"returns@pay.example\"\nto = [\"ops@pay.example\"]\n\
         severity = \"critical\"\n\
         [bucket]\nurl = \"file://{}\"\n\
         [sources.bank]\nformat = \"nacha\"\n{}",
        addresses.returns[number],
        bucket.display(),
        trust::of_returns()
    )
}

/// A folder at the acquirer. One is looked at once, since a name there says that its file is
/// finished; the other twice. A slot comes every minute, to both replicas at once.
fn source(outbox: &Outbox, sshd: &Sshd) -> String {
    let name = outbox.source;
    let after = match outbox.after {
        After::Move => format!("complete = \"rename\"\nafter = \"move\"\nmove_to = {MOVED_TO:?}"),
        After::Delete => "complete = \"stable\"\nsettle_ms = 20\nafter = \"delete\"".to_owned(),
    };
    format!(
        "[sources.{name}]\nformat = \"nacha\"\n\
         [sources.{name}.sftp]\nhost = \"127.0.0.1\"\nport = {}\nuser = {:?}\n\
         host_key = [{:?}]\nprivate_key_file = {:?}\ndirectory = {:?}\n{after}\n\
         [sources.{name}.schedule]\ncron = \"* * * * *\"\ntime_zone = \"UTC\"\n\
         days = \"all\"\n",
        sshd.port(),
        sshd.user(),
        sshd.fingerprint(),
        sshd.key_file(),
        outbox.folder
    )
}
