//! The configuration of each copy of each service, small batches and short pauses, so that
//! there are many moments at which a fault can hit.

use std::path::{Path, PathBuf};

use anyhow::Result;
use secrecy::ExposeSecret as _;

use super::LEASE_MS;
use super::service::{CopyId, Service};
use crate::world::Policy;

/// The ports of a round.
pub(super) struct Addresses {
    pub(super) returns: [u16; 2],
    pub(super) gateway: [u16; 2],
    pub(super) rallypay: [u16; 2],
    pub(super) gateway_front: u16,
    pub(super) rallypay_front: u16,
}

/// Makes the key of the spool that both copies of the returns service share.
pub(super) fn make_spool_key(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("spool.key");
    let key = returns_service::new_spool_identity();
    std::fs::write(&path, key.expose_secret())?;
    Ok(path)
}

/// The configuration of one copy, as TOML. `urls` are the databases: returns, gateway, Rails
/// app.
pub(super) fn of(
    (service, number): CopyId,
    addresses: &Addresses,
    urls: &[String; 3],
    policy: Policy,
    spool_key: &Path,
) -> String {
    match service {
        Service::Returns => returns(addresses, number, &urls[0], spool_key),
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
         [target]\nurl = {url:?}\nbusy_timeout_ms = 3000\n[health]\ninterval_ms = 1000\n"
    )
}

fn returns(addresses: &Addresses, number: usize, url: &str, spool_key: &Path) -> String {
    let Addresses {
        gateway_front,
        rallypay_front,
        ..
    } = addresses;
    let spool = spool_key.with_file_name("spool");
    format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\ndrain_timeout_ms = 500\n\
         [database]\nurl = {url:?}\n\
         [spool]\nfolder = {spool:?}\nidentity_file = {spool_key:?}\n\
         [import]\nbatch_size = 20\nconcurrent = 3\n\
         [holds]\nretry_first_ms = 100\nretry_longest_ms = 400\n\
         [replica]\nlease_ms = {LEASE_MS}\n\
         [feed]\nbatch_size = 15\ntimeout_ms = 4000\n\
         [databases.gateway]\nadapter = \"http://127.0.0.1:{gateway_front}\"\n\
         role = \"system_of_record\"\n\
         [databases.rallypay]\nadapter = \"http://127.0.0.1:{rallypay_front}\"\n\
         role = \"mirror\"\n\
         [sources.bank]\nformat = \"nacha\"\n",
        addresses.returns[number]
    )
}
