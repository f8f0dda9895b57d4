//! `echeck profile`: the services that are reached from here.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::client::{Profiles, Reach};
use crate::output::{Table, out};

/// The command.
#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Remember how a service is reached. The first one is used from then on.
    Save {
        /// Its name, such as production.
        name: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Use a service from now on.
    Use {
        /// Its name.
        name: String,
    },
    /// List them.
    List {
        /// Print JSON, one object per line.
        #[arg(long)]
        json: bool,
    },
    /// Forget one.
    Forget {
        /// Its name.
        name: String,
    },
}

/// Runs the command.
pub(crate) fn run(arguments: ProfileArguments) -> Result<()> {
    let mut profiles = Profiles::load()?;
    match arguments.action {
        Action::Save { name, reach } => {
            if reach.server.is_none() {
                bail!("name the service with --server");
            }
            profiles.remember(&name, absolute(reach)?);
            let file = profiles.save()?;
            writeln!(out(), "saved {name} in {}", file.display())?;
        }
        Action::Use { name } => {
            profiles.named(Some(&name))?;
            profiles.current = Some(name.clone());
            profiles.save()?;
            writeln!(out(), "{name} is used from now on")?;
        }
        Action::List { json } => list(&profiles, json)?,
        Action::Forget { name } => {
            profiles.named(Some(&name))?;
            profiles.profiles.remove(&name);
            profiles.current.take_if(|current| *current == name);
            profiles.save()?;
            writeln!(out(), "forgot {name}")?;
        }
    }
    Ok(())
}

/// A profile is used in whatever folder.
fn absolute(mut reach: Reach) -> Result<Reach> {
    let files = [
        &mut reach.ca,
        &mut reach.cert,
        &mut reach.key,
        &mut reach.token_file,
    ];
    for file in files.into_iter().flatten() {
        *file = std::path::absolute(&*file)?;
    }
    Ok(reach)
}

fn list(profiles: &Profiles, json: bool) -> Result<()> {
    let mut table = Table::new(&["PROFILE", "SERVER", "SHOWS", "USED"]);
    for (name, reach) in &profiles.profiles {
        let shows = match (&reach.cert, &reach.token_file) {
            (_, Some(_)) => "token",
            (Some(_), None) => "certificate",
            (None, None) => "nothing",
        };
        let server = reach.server.as_deref().unwrap_or_default();
        let is_used = profiles.current.as_ref() == Some(name);
        if json {
            let line = serde_json::json!({
                "profile": name,
                "server": server,
                "shows": shows,
                "used": is_used,
            });
            writeln!(out(), "{line}")?;
            continue;
        }
        table.row(&[name, &server, &shows, if is_used { &"yes" } else { &"" }]);
    }
    if !json {
        table.print()?;
    }
    Ok(())
}
