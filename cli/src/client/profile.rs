//! How a service is reached, remembered under a name in a file, so that nobody types it twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use echeck_service::privacy;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Where a service is, and what it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Reach {
    /// The address of the returns service, such as returns.internal:50051. With a CA it is
    /// reached with TLS.
    #[arg(long, global = true, env = "ECHECK_SERVER", value_name = "HOST:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    /// The file of the CA that the service's certificate is from, in PEM.
    #[arg(long, global = true, env = "ECHECK_CA", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// The file of your certificate, in PEM.
    #[arg(long, global = true, env = "ECHECK_CERT", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert: Option<PathBuf>,
    /// The file of its private key, in PEM.
    #[arg(long, global = true, env = "ECHECK_KEY", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// The file of your token, where you have one in place of a certificate.
    #[arg(long, global = true, env = "ECHECK_TOKEN_FILE", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
}

impl Reach {
    /// What is named here, or else there. Certificate and key go together.
    pub(super) fn or(self, other: Self) -> Self {
        let own_certificate = self.cert.is_some() || self.key.is_some();
        let (cert, key) = match own_certificate {
            true => (self.cert, self.key),
            false => (other.cert, other.key),
        };
        Self {
            server: self.server.or(other.server),
            ca: self.ca.or(other.ca),
            cert,
            key,
            token_file: self.token_file.or(other.token_file),
        }
    }
}

/// The profile file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The one that is used when no other is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// By name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Reach>,
}

impl Profiles {
    /// The file: `$ECHECK_CONFIG_HOME/config.toml`, or `echeck/config.toml` in
    /// `$XDG_CONFIG_HOME` or `~/.config`. `None` where there is no home.
    pub(crate) fn file() -> Option<PathBuf> {
        let folder = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
        let folder = folder("ECHECK_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(folder("XDG_CONFIG_HOME")?).join("echeck")))
            .or_else(|| Some(PathBuf::from(folder("HOME")?).join(".config/echeck")));
        Some(folder?.join("config.toml"))
    }

    /// Reads the file; one that is not there has no profiles.
    pub(crate) fn load() -> Result<Self> {
        let Some(file) = Self::file() else {
            return Ok(Self::default());
        };
        let shown = file.display();
        match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("{shown} cannot be read")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{shown} cannot be read")),
        }
    }

    /// Writes the file in one step.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let file = Self::file().context("there is no home folder; set ECHECK_CONFIG_HOME")?;
        let shown = file.display().to_string();
        self.write(&file)
            .with_context(|| format!("{shown} cannot be written"))?;
        Ok(file)
    }

    fn write(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            privacy::private_folder(folder)?;
        }
        let unfinished = file.with_extension(format!("{}.unfinished", std::process::id()));
        privacy::create_secret(&unfinished, &SecretString::from(toml::to_string(self)?))?;
        fs::rename(unfinished, file)?;
        Ok(())
    }

    /// The profile of this name, or the current one, or none.
    pub(crate) fn named(&self, name: Option<&str>) -> Result<Reach> {
        let Some(name) = name.or(self.current.as_deref()) else {
            return Ok(Reach::default());
        };
        match self.profiles.get(name) {
            Some(reach) => Ok(reach.clone()),
            None => bail!(
                "there is no profile {name:?}; `echeck profile list` shows those that there are"
            ),
        }
    }

    /// Remembers a profile, and uses it from now on unless another one is in use.
    pub(crate) fn remember(&mut self, name: &str, reach: Reach) {
        self.profiles.insert(name.to_owned(), reach);
        self.current.get_or_insert_with(|| name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_wins_and_a_certificate_comes_with_its_own_key() {
        let path = |name: &str| Some(PathBuf::from(name));
        let saved = Reach {
            server: Some("https://saved".to_owned()),
            ca: path("saved-ca"),
            cert: path("saved-cert"),
            key: path("saved-key"),
            token_file: None,
        };
        let named = Reach {
            cert: path("cert"),
            key: path("key"),
            ..Reach::default()
        };
        let both = named.clone().or(saved.clone());
        assert_eq!(both.server, saved.server);
        assert_eq!((both.cert, both.key), (named.cert, named.key));
        assert_eq!(Reach::default().or(saved.clone()), saved);
    }

    #[test]
    fn the_first_profile_is_current_and_the_file_reads_back() {
        let mut profiles = Profiles::default();
        assert_eq!(profiles.named(None).unwrap(), Reach::default());
        for name in ["local", "production"] {
            let server = Some(format!("https://{name}:50051"));
            let reach = Reach {
                server,
                ..Reach::default()
            };
            profiles.remember(name, reach);
        }
        let text = toml::to_string(&profiles).unwrap();
        let read: Profiles = toml::from_str(&text).unwrap();
        assert_eq!(read, profiles);
        let current = read.named(None).unwrap().server;
        assert_eq!(current.as_deref(), Some("https://local:50051"));
        assert!(read.named(Some("other")).is_err());
    }
}
