//! `[database]`: which returns database, and how it is opened. An address may hold a
//! password, so it is taken apart at the door and never shown as it was written.

use std::fmt;
use std::str::FromStr as _;

use echeck_service::config::Section;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

/// What `[database]` says.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub address: StoreAddress,
    /// How many connections this process keeps at most; a third of them is for those who call.
    pub max_connections: u32,
    /// Whether missing migrations are applied; otherwise they are a fault.
    pub migrate: bool,
}

/// Which kind of database, and where.
#[derive(Debug, Clone)]
pub enum StoreAddress {
    /// `sqlite:` and a file.
    Sqlite(String),
    /// `postgres://` or `postgresql://`.
    Postgres(PgAddress),
}

impl StoreAddress {
    /// Whether the database's server is this machine.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(address) => {
                let host = address.options.get_host();
                host.starts_with('/') || echeck_service::machine::is_this(host)
            }
        }
    }
}

/// Where a PostgreSQL database is. What it shows of itself has no password.
#[derive(Clone)]
pub struct PgAddress {
    options: Box<PgConnectOptions>,
}

/// What may follow the `?` of an address.
const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "",
];

impl StoreSettings {
    /// Reads the section `database`.
    pub fn read(section: &Section<'_>) -> Self {
        let address = section
            .required_secret("url")
            .and_then(|url| {
                StoreAddress::parse(&url)
                    .map_err(|fault| section.fault("url", fault))
                    .ok()
            })
            // Nothing is opened after a fault.
            .unwrap_or(StoreAddress::Sqlite(String::new()));
        Self {
            address,
            max_connections: u32::try_from(section.u64_or("max_connections", 12, 4..=200))
                .unwrap_or(12),
            migrate: section.bool_or("migrate", true),
        }
    }
}

impl StoreAddress {
    /// Takes an address apart. What is wrong with it is said without quoting it.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        let url = url.expose_secret();
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite(url.to_owned())),
            Some("postgres" | "postgresql") => PgAddress::parse(url).map(Self::Postgres),
            Some(_) | None => Err(
                "must begin with sqlite: (a file), postgres:// or postgresql:// (a server)"
                    .to_owned(),
            ),
        }
    }
}

impl PgAddress {
    fn parse(url: &str) -> Result<Self, String> {
        const FORM: &str = "it looks like postgres://user:password@host:5432/database, and in a \
                            password every character other than letters, digits, - . _ ~ is \
                            written as % and two hexadecimal digits";
        // A password with a raw # / or ? ends up in the wrong part, from which it could be shown.
        if url.contains('#') {
            return Err(format!("must not contain #; {FORM}"));
        }
        let (front, parameters) = url.split_once('?').unwrap_or((url, ""));
        for parameter in parameters.split('&') {
            let key = parameter.split('=').next().unwrap_or_default();
            if !PARAMETERS.contains(&key) {
                return Err(format!(
                    "has an unknown parameter after the ?, known are: {}; {FORM}",
                    PARAMETERS.join(" ").trim_end()
                ));
            }
        }
        let path = front
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'));
        if path.is_some_and(|(_, path)| path.contains('@')) {
            return Err(format!("has a / before the @; {FORM}"));
        }
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| format!("is not a PostgreSQL address ({error}); {FORM}"))?;
        Ok(Self {
            options: Box::new(options),
        })
    }

    /// What to connect with.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.options).application_name("echeck-returns")
    }
}

impl fmt::Display for PgAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let user = options.get_username();
        let database = options.get_database().unwrap_or(user);
        write!(f, "the PostgreSQL database {database:?} at ")?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}:{}", options.get_host(), options.get_port())?,
        }
        write!(f, " as user {user:?}")
    }
}

impl fmt::Debug for PgAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<StoreAddress, String> {
        StoreAddress::parse(&SecretString::from(url.to_owned()))
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = parse("postgres://ann:CANARY@db.example:5433/returns").unwrap();
        let shown = format!("{address:?}");
        for part in ["ann", "db.example:5433", "returns"] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
        assert!(!shown.contains("CANARY"));
    }

    #[test]
    fn a_wrong_address_is_refused_without_quoting_it() {
        for url in [
            "mysql://ann:CANARY@db/returns",
            "postgres://ann:CANARY@db:nowhere/returns",
            "postgres://ann:CAN/CANARY@db/returns",
            "postgres://ann:1/CANARY@db/returns",
            "postgres://ann:1?CANARY@db/returns",
            "postgres://ann:1#CANARY@db/returns",
            "postgres://ann@db/returns?pasword=CANARY",
            "CANARY",
        ] {
            let fault = parse(url).expect_err(url);
            assert!(!fault.contains("CANARY"), "{url}: {fault}");
        }
    }
}
