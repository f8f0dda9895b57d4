//! `echeck token`: draws a token, for a caller that has no certificate.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use echeck_service::access::new_token;
use echeck_service::privacy;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::exit;
use crate::output::{out, print_json};

/// The command.
#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// Whose token it is, such as rails_app.
    name: String,
    /// What its bearer may do: reader, importer, operator, approver, admin, health.
    #[arg(long, value_delimiter = ',', default_value = "reader")]
    roles: Vec<String>,
    /// The only merchants whose payments its bearer may see, for a reader.
    #[arg(long, value_delimiter = ',')]
    merchants: Vec<String>,
    /// Write the token to this new file, which only you can read, instead of the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints the token, and what the service's configuration needs to know of it. Returns the exit
/// code.
pub(crate) fn run(arguments: &TokenArguments, as_json: bool) -> Result<u8> {
    let drawn = new_token().context("this machine gives no random bytes for a token")?;
    if let Some(file) = &arguments.out {
        privacy::create_secret(file, &drawn.token)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let token = drawn.token.expose_secret();
    if as_json {
        print_json(&json!({
            "name": arguments.name,
            "token": arguments.out.is_none().then_some(token),
            "file": arguments.out,
            "sha256": drawn.sha256,
            "roles": arguments.roles,
            "merchants": arguments.merchants,
        }))?;
        return Ok(exit::OK);
    }
    let mut out = out();
    match &arguments.out {
        Some(file) => {
            let shown = file.display();
            writeln!(out, "The token is in {shown}. Nothing else has it.\n")?;
        }
        None => writeln!(out, "The token, which is shown only now:\n\n  {token}\n")?,
    }
    writeln!(out, "For the configuration of the service:\n")?;
    let mut section = format!("  [access.tokens.{}]\n", arguments.name);
    section += &format!("  sha256 = {}\n", json!(drawn.sha256));
    section += &format!("  roles = {}\n", json!(arguments.roles));
    if !arguments.merchants.is_empty() {
        section += &format!("  merchants = {}\n", json!(arguments.merchants));
    }
    out.verbatim(&section)?;
    Ok(exit::OK)
}
