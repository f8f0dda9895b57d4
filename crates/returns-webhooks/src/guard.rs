//! Where messages may be posted to. An address that an outsider chose must not make this
//! service talk to what only it can reach. So both are checked: the address as it is written,
//! at every send, and what its name resolves to, at the very moment of dialing. What was
//! checked is what is dialed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Names that never mean a host on the public internet.
const PRIVATE_NAMES: [&str; 8] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "instance-data",
];

/// The lowest port that is not a well-known service.
const FIRST_FREE_PORT: u16 = 1024;

/// Why nothing is posted to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("is not a valid address of a web server, such as https://host/path")]
    NoUrl,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must have no user and no password in it")]
    UserInfo,
    #[error("must have no fragment (#…)")]
    Fragment,
    #[error("has port {0}: it must be 443 or at least 1024")]
    Port(u16),
    #[error("leads to {0}, which is not on the public internet")]
    NotPublic(String),
    #[error("has a name that does not resolve: {0}")]
    Unresolved(String),
}

/// What may be posted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// Also addresses that are not public: for tests, and where platforms are on premises.
    pub allow_private: bool,
    /// Also without TLS.
    pub allow_http: bool,
}

impl Guard {
    /// Checks an address as it is written; the `url` crate has brought decimal, octal and
    /// hexadecimal hosts to their usual form by then.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check_url(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text).map_err(|_| Refused::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(Refused::NotHttps),
            _ => return Err(Refused::NoUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        self.check_host(host.ok_or(Refused::NoUrl)?)?;
        match url.port_or_known_default() {
            Some(443) => Ok(url),
            Some(80) if self.allow_http => Ok(url),
            Some(port) if port >= FIRST_FREE_PORT || self.allow_private && port > 0 => Ok(url),
            port => Err(Refused::Port(port.unwrap_or_default())),
        }
    }

    fn check_host(&self, host: &str) -> Result<(), Refused> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return self.check_address(address);
        }
        self.check_name(host)
    }

    fn check_name(&self, name: &str) -> Result<(), Refused> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let private = PRIVATE_NAMES.iter().any(|known| {
            name.strip_suffix(known)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        // A name of one word is found only by the searching of this machine's own network.
        if !self.allow_private && (private || !name.contains('.')) {
            return Err(Refused::NotPublic(name));
        }
        Ok(())
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        if self.allow_private || is_public(address) {
            return Ok(());
        }
        Err(Refused::NotPublic(address.to_string()))
    }

    /// Of what a name resolved to, what may be dialed.
    fn dialed(&self, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refused> {
        let mut refused = Refused::Unresolved("it has no address".to_owned());
        let mut allowed = Vec::new();
        for address in found {
            match self.check_address(address) {
                Ok(()) => allowed.push(address),
                Err(why) => refused = why,
            }
        }
        if allowed.is_empty() {
            return Err(refused);
        }
        Ok(allowed)
    }
}

/// Resolves names.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name, or why there are none.
    fn lookup(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>>;
}

/// The resolver of this machine.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            let found = found.map_err(|error| error.to_string())?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Resolves names for the client that dials, and hands it nothing that may not be dialed.
pub(super) struct GuardedResolver {
    pub(super) guard: Guard,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, name) = (self.guard, name.as_str().to_owned());
        let found = self.lookup.lookup(name.clone());
        Box::pin(async move {
            guard.check_name(&name)?;
            let found = found.await.map_err(Refused::Unresolved)?;
            let allowed = guard.dialed(found)?;
            // The client puts the address's own port in place of 0.
            let allowed = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(allowed) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Guard = Guard {
        allow_private: true,
        allow_http: true,
    };

    #[test]
    fn no_way_of_writing_an_address_gets_past_the_guard() {
        let guard = Guard::default();
        for refused in [
            // Loopback, in every way that a browser would understand.
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0x0.0x0.0x1/",
            "https://017700000001/",
            "https://0177.0.0.1/",
            "https://0177.0.0.01/",
            "https://127.0.0.1.:443/",
            "https://[::1]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://0/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            // Full-width digits and dots, which are the same after normalization.
            "https://１２７.０.０.１/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            // Metadata servers.
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fd00:ec2::254]/",
            "https://metadata.google.internal/",
            "https://metadata/",
            "https://instance-data/",
            "https://100.100.100.200/",
            "https://168.63.129.16/",
            // Networks that are private, shared, special or everybody's.
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://3232235777/",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://203.0.113.7/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
            "https://[2002:a00:1::]/",
            "https://[2002:7f00:1::1]/",
            "https://[2001:0:7f00:1::]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://printer.local/",
            "https://db.corp.internal/",
            "https://kubernetes/",
            // Ports and forms.
            "https://a.example:22/",
            "https://a.example:25/",
            "https://a.example:0/",
            "https://user@a.example/",
            "https://user:pass@a.example/",
            "https://a.example@127.0.0.1/",
            "https://a.example/#127.0.0.1",
            "http://a.example/",
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://a.example/",
            "https://",
            "https:///path",
            "//a.example/",
            "a.example",
            "",
            "https://[fe80::1%25eth0]/",
            "https://127.0.0.1\\@a.example/",
        ] {
            assert!(guard.check_url(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn ordinary_addresses_pass() {
        for fine in [
            "https://hooks.platform.example/echeck",
            "https://hooks.platform.example:8443/echeck?tenant=1",
            "https://hooks.platform.example.:443/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://xn--bcher-kva.example/",
            "https://internal.example/",
        ] {
            assert!(Guard::default().check_url(fine).is_ok(), "{fine}");
        }
        assert!(OPEN.check_url("http://127.0.0.1:81/").is_ok());
        assert!(OPEN.check_url("http://localhost/").is_ok());
        assert!(OPEN.check_url("https://user@a.example/").is_err(), "never");
    }

    #[test]
    fn of_several_answers_only_public_ones_are_dialed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let guard = Guard::default();
        let found = vec![ip("10.0.0.1"), ip("8.8.8.8"), ip("::1")];
        assert_eq!(guard.dialed(found).unwrap(), [ip("8.8.8.8")]);
        assert_eq!(
            guard.dialed(vec![ip("10.0.0.1")]),
            Err(Refused::NotPublic("10.0.0.1".to_owned()))
        );
        assert!(guard.dialed(Vec::new()).is_err());
        assert_eq!(OPEN.dialed(vec![ip("10.0.0.1")]).unwrap().len(), 1);
    }
}
