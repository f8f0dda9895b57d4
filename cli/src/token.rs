//! `echeck token`: draws a token, for a caller that has no certificate.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use echeck_service::access::new_token;
use echeck_service::privacy;
use secrecy::ExposeSecret as _;

use crate::output::out;

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

/// Prints the token, and what the service's configuration needs to know of it.
pub(crate) fn run(arguments: &TokenArguments) -> Result<()> {
    let drawn = new_token().context("this machine gives no random bytes for a token")?;
    let mut out = out();
    match &arguments.out {
        Some(file) => {
            let shown = file.display();
            privacy::create_secret(file, &drawn.token)
                .with_context(|| format!("{shown} cannot be written"))?;
            writeln!(out, "The token is in {shown}. Nothing else has it.")?;
        }
        None => {
            writeln!(out, "The token, which is shown only now:\n")?;
            writeln!(out, "  {}\n", drawn.token.expose_secret())?;
        }
    }
    writeln!(out, "For the configuration of the service:\n")?;
    writeln!(out, "  [access.tokens.{}]", arguments.name)?;
    writeln!(out, "  sha256 = {:?}", drawn.sha256)?;
    writeln!(out, "  roles = {:?}", arguments.roles)?;
    if !arguments.merchants.is_empty() {
        writeln!(out, "  merchants = {:?}", arguments.merchants)?;
    }
    Ok(())
}
