//! The section `[access]`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use strum::VariantNames as _;

use super::tokens::{KnownToken, TokenTable, TokenTables, parse_hash};
use super::{Access, Grant, Merchants, Role};
use crate::config::{Section, Settings};
use crate::reloaded::{FileFault, Reloaded};

impl Access {
    /// Reads the section: `[access.certificates."NAME"]` and `[access.tokens.NAME]` with `roles` and
    /// `merchants`, `tokens_file`, `[access.jwt]`, and `anonymous_roles`, which beyond `health` are
    /// only for a server that nobody else can reach.
    pub fn read(section: &Section<'_>, listen: SocketAddr) -> Self {
        let certificates = section.sections("certificates").into_iter();
        let certificates = certificates.map(|(name, one)| (name, Arc::new(grant(&one))));
        let tokens = TokenTables {
            fixed: tokens(section),
            file: section
                .optional_string("tokens_file")
                .and_then(|file| tokens_file(section, file.into())),
        };
        Self {
            certificates: Arc::new(certificates.collect()),
            tokens: Arc::new(tokens),
            #[cfg(feature = "outbound")]
            jwt: super::JwtSettings::read(section).map(|jwt| Arc::new(super::jwt::Jwts::new(jwt))),
            anonymous: Arc::new(anonymous(section, listen)),
        }
    }

    /// Everybody may do what these roles may: for tests and demonstrations.
    pub fn for_everybody(roles: impl IntoIterator<Item = Role>) -> Self {
        Self {
            anonymous: Arc::new(Grant::of(roles)),
            ..Self::default()
        }
    }

    /// With the certificates that have these names.
    #[must_use]
    pub fn with_certificates(mut self, names: impl IntoIterator<Item = (String, Grant)>) -> Self {
        let mut known: BTreeMap<String, Arc<Grant>> = (*self.certificates).clone();
        known.extend(
            names
                .into_iter()
                .map(|(name, grant)| (name, Arc::new(grant))),
        );
        self.certificates = Arc::new(known);
        self
    }
}

fn anonymous(section: &Section<'_>, listen: SocketAddr) -> Grant {
    let anonymous = Grant::of(roles(section, "anonymous_roles"));
    let beyond_health = anonymous.roles.iter().any(|role| *role != Role::Health);
    if beyond_health && !listen.ip().is_loopback() {
        let what = format!(
            "may hold more than health only where server.listen is a loopback address, which {listen} \
             is not: give callers certificates or tokens"
        );
        section.fault("anonymous_roles", what);
        return Grant::default();
    }
    anonymous
}

/// `roles` and `merchants`.
fn grant(section: &Section<'_>) -> Grant {
    let roles = roles(section, "roles");
    if roles.is_empty() {
        section.fault(
            "roles",
            format!("is required: some of {}", Role::VARIANTS.join(", ")),
        );
    }
    let merchants = section.strings_or("merchants", &[]);
    if !merchants.is_empty() && roles.iter().any(|role| *role != Role::Reader) {
        let what = "limit the role reader, and go with no other";
        section.fault("merchants", what);
    }
    if section.has("merchants") && merchants.iter().all(String::is_empty) {
        section.fault("merchants", "is empty; leave it out for all merchants");
    }
    Grant {
        roles: roles.into_iter().collect(),
        merchants: match section.has("merchants") {
            true => Merchants::Only(merchants.into_iter().collect()),
            false => Merchants::All,
        },
    }
}

fn roles(section: &Section<'_>, key: &str) -> Vec<Role> {
    let names = section.strings_or(key, &[]);
    let role = |name: &String| match Role::from_str(name) {
        Ok(role) => Some(role),
        Err(_) => {
            let known = Role::VARIANTS.join(", ");
            section.fault(key, format!("has {name:?}, which is none of {known}"));
            None
        }
    };
    names.iter().filter_map(role).collect()
}

/// `[tokens.NAME]` with `sha256`, `roles`, `merchants` and `expires`.
fn tokens(parent: &Section<'_>) -> TokenTable {
    let mut table = TokenTable::new();
    for (name, section) in parent.sections("tokens") {
        let hash = section.string("sha256");
        let Some(hash) = parse_hash(&hash) else {
            let what = "must be the 64 hexadecimal digits that `echeck token` prints";
            section.fault("sha256", what);
            continue;
        };
        let known = KnownToken {
            identity: format!("token:{name}").into(),
            grant: Arc::new(grant(&section)),
            expires: section.optional_parse("expires"),
        };
        if let Some(other) = table.insert(hash, known) {
            section.fault(
                "sha256",
                format!("is the same as that of {}", other.identity),
            );
        }
    }
    table
}

fn tokens_file(section: &Section<'_>, file: PathBuf) -> Option<Reloaded<TokenTable>> {
    let read = {
        let file = file.clone();
        move || read_tokens(&file)
    };
    Reloaded::new(vec![file], read)
        .map_err(|fault| section.fault("tokens_file", fault.to_string()))
        .ok()
}

fn read_tokens(file: &Path) -> Result<TokenTable, FileFault> {
    let settings = Settings::load(Some(file), []).map_err(|fault| FileFault::of(file, fault))?;
    let table = tokens(&settings.root());
    settings
        .finish()
        .map_err(|fault| FileFault::of(file, fault))?;
    Ok(table)
}
