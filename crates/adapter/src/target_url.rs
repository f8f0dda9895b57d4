//! Which database is the target, and where.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

const SUPPORTED: &str = "sqlite:///path/to/file.db, postgres://user:password@host/database and \
                         mysql://user:password@host/database are supported";

/// The kind of the target, and where it is. It is shown without its password.
#[derive(Clone)]
pub enum TargetUrl {
    /// `sqlite:///absolute/path.db`, or `sqlite:relative/path.db`.
    Sqlite(PathBuf),
    /// `postgres://…`, or as libpq, Rails and GeoDjango say it: `postgresql://…`, `postgis://…`.
    Postgres(Box<PgConnectOptions>),
    /// `mysql://…`, or as others say it: `mariadb://…`, and Rails' `mysql2://…` and `trilogy://…`.
    Mysql(Box<MySqlConnectOptions>),
}

impl TargetUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// What is wrong with it, without a quote from it, since it may hold a password.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        let url = url.expose_secret();
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(format!("is not a URL; {SUPPORTED}"));
        };
        match scheme {
            "sqlite" | "sqlite3" => sqlite(rest),
            "postgres" | "postgresql" | "postgis" => {
                demand_encoding(rest)?;
                let options = PgConnectOptions::from_str(&format!("postgres:{rest}"))
                    .map_err(|_| "is not a PostgreSQL URL".to_owned())?;
                demand_database(options.get_database())?;
                Ok(Self::Postgres(Box::new(options)))
            }
            "mysql" | "mariadb" | "mysql2" | "trilogy" => {
                demand_encoding(rest)?;
                let options = MySqlConnectOptions::from_str(&format!("mysql:{rest}"))
                    .map_err(|_| "is not a MySQL URL".to_owned())?;
                demand_database(options.get_database())?;
                Ok(Self::Mysql(Box::new(options)))
            }
            other if other.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') => Err(format!(
                "names an unknown kind of database, {other:?}; {SUPPORTED}"
            )),
            _ => Err(format!("is not a URL; {SUPPORTED}")),
        }
    }
}

fn sqlite(rest: &str) -> Result<TargetUrl, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path == ":memory:" {
        return Err("must name a file; a database in memory is not shared by connections".into());
    }
    if path.contains('?') {
        return Err("must not have parameters after a '?'".to_owned());
    }
    Ok(TargetUrl::Sqlite(PathBuf::from(path)))
}

/// A password with one of these characters would end there, and the rest of it would be shown as the
/// name of a host or a database.
fn demand_encoding(rest: &str) -> Result<(), String> {
    let rest = rest.trim_start_matches('/');
    let (account, is_cut) = match (rest.find(['/', '?', '#']), rest.rfind('@')) {
        (Some(end), Some(at)) => (&rest[..at], end < at),
        (None, Some(at)) => (&rest[..at], false),
        (_, None) => ("", false),
    };
    let escapes = account.split('%').skip(1);
    let is_hex = |text: &str| {
        let digits = text.bytes().take(2);
        digits.filter(u8::is_ascii_hexdigit).count() == 2
    };
    if is_cut || escapes.clone().any(|text| !is_hex(text)) {
        return Err(
            "has a character in the user's name or the password that a URL needs encoded: write % \
             as %25, / as %2F, ? as %3F, # as %23 and @ as %40"
                .to_owned(),
        );
    }
    Ok(())
}

fn demand_database(name: Option<&str>) -> Result<(), String> {
    match name {
        Some(name) if !name.is_empty() => Ok(()),
        _ => Err("must name a database after the host".to_owned()),
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite {}", path.display()),
            Self::Postgres(options) => write!(
                f,
                "postgres {}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
            Self::Mysql(options) => write!(
                f,
                "mysql {}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
        }
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<String, String> {
        TargetUrl::parse(&SecretString::from(url)).map(|url| format!("{url:?}"))
    }

    #[test]
    fn an_sqlite_url_names_a_file() {
        assert_eq!(
            parse("sqlite:///a/b.db").unwrap(),
            "TargetUrl(sqlite /a/b.db)"
        );
        assert_eq!(parse("sqlite:b.db").unwrap(), "TargetUrl(sqlite b.db)");
        for memory in ["sqlite::memory:", "sqlite://", "sqlite:"] {
            assert!(
                parse(memory).unwrap_err().contains("must name a file"),
                "{memory}"
            );
        }
    }

    #[test]
    fn a_server_is_shown_without_the_password() {
        for (url, shown) in [
            (
                "postgres://app:hunter2@db:5433/core",
                "postgres app@db:5433/core",
            ),
            (
                "postgresql://app:hunter2@db/core?sslmode=require",
                "postgres app@db:5432/core",
            ),
            ("mysql://app:hunter2@db/rally", "mysql app@db:3306/rally"),
            (
                "mariadb://app:hunter2@db:3307/rally",
                "mysql app@db:3307/rally",
            ),
            ("mysql2://app:hunter2@db/rally", "mysql app@db:3306/rally"),
            ("trilogy://app:hunter2@db/rally", "mysql app@db:3306/rally"),
            (
                "postgis://app:hunter2@[::1]:5433/core",
                "postgres app@[::1]:5433/core",
            ),
            (
                "postgres://app:h%2Fu%40%25@db/core",
                "postgres app@db:5432/core",
            ),
        ] {
            assert_eq!(parse(url).unwrap(), format!("TargetUrl({shown})"));
        }
    }

    #[test]
    fn an_invalid_url_is_a_fault_that_does_not_quote_the_password() {
        for (url, why) in [
            ("postgres://app:hunter2@db", "must name a database"),
            ("mysql://app:hunter2@db/", "must name a database"),
            (
                "postgres://app:hunter2@db:port/core",
                "is not a PostgreSQL URL",
            ),
            ("oracle://user:hunter2@host/db", "\"oracle\""),
            ("postgres://app:12/hunter2@db/core", "/ as %2F"),
            ("mysql://app:1?hunter2@db/core", "? as %3F"),
            ("mysql://app:#hunter2@db/core", "# as %23"),
            ("postgres://app:100%hunter2@db/core", "% as %25"),
            ("hunter2", "is not a URL"),
        ] {
            let fault = parse(url).unwrap_err();
            assert!(fault.contains(why), "{fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
