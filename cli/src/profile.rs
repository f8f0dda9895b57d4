//! `echeck profile`: the services that are reached from here.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::{Profiles, Reach};
use crate::exit;
use crate::output::{Columns, Table, Tone, field, out, print_json};

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
    List,
    /// Forget one.
    Forget {
        /// Its name.
        name: String,
    },
}

/// Runs the command. Returns the exit code.
pub(crate) fn run(arguments: ProfileArguments, as_json: bool) -> Result<u8> {
    let mut profiles = Profiles::load()?;
    let (name, done) = match arguments.action {
        Action::List => {
            list(&profiles, as_json)?;
            return Ok(exit::OK);
        }
        Action::Save { name, reach } => {
            if reach.server.is_none() {
                bail!("name the service with --server");
            }
            profiles.remember(&name, absolute(reach)?);
            (name, "is saved")
        }
        Action::Use { name } => {
            profiles.named(Some(&name))?;
            profiles.current = Some(name.clone());
            (name, "is used from now on")
        }
        Action::Forget { name } => {
            profiles.named(Some(&name))?;
            profiles.profiles.remove(&name);
            profiles.current.take_if(|current| *current == name);
            (name, "is forgotten")
        }
    };
    let file = profiles.save()?;
    if as_json {
        let current = profiles.current.as_ref();
        print_json(&json!({ "profile": name, "file": file, "current": current }))?;
    } else {
        writeln!(out(), "{name} {done} ({}).", file.display())?;
    }
    Ok(exit::OK)
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

/// A profile as it is shown.
#[derive(Default)]
struct Shown<'a> {
    name: &'a str,
    server: &'a str,
    shows: &'static str,
    is_used: bool,
}

fn list(profiles: &Profiles, as_json: bool) -> Result<()> {
    let shown = profiles.profiles.iter().map(|(name, reach)| Shown {
        name,
        server: reach.server.as_deref().unwrap_or_default(),
        shows: match (&reach.cert, &reach.token_file) {
            (_, Some(_)) => "token",
            (Some(_), None) => "certificate",
            (None, None) => "nothing",
        },
        is_used: profiles.current.as_ref() == Some(name),
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    if as_json {
        for one in &shown {
            print_json(&json!({
                "profile": one.name,
                "server": one.server,
                "shows": one.shows,
                "used": one.is_used,
            }))?;
        }
    } else if shown.is_empty() {
        writeln!(out(), "No profiles yet: `echeck profile save` saves one.")?;
    } else {
        Table::of(&shown, columns).print()?;
    }
    Ok(())
}

fn columns(one: &Shown<'_>) -> Columns {
    let used = if one.is_used { "yes" } else { "" };
    vec![
        field("PROFILE", one.name),
        field("SERVER", one.server).text(),
        field("SHOWS", one.shows),
        field("USED", used).tone(Tone::Good),
    ]
}
