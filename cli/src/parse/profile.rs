//! Which format a file is read by.

use ach::format::delimited::Profile;
use ach::format::nacha::Tolerance;
use ach::format::{Format, worldpay};
use anyhow::{Context as _, Result, bail};

/// What to try when a file without a profile is no NACHA file.
pub(super) const HINT: &str = "; a delimited file needs --profile: worldpay-echeck-return, \
     worldpay-funding-reject, or the path of a TOML file with a profile";

pub(super) fn format(profile: Option<&str>, tolerate: &[String]) -> Result<Format> {
    let Some(name) = profile else {
        return Ok(Format::Nacha(tolerance(tolerate)?));
    };
    match name.replace('_', "-").as_str() {
        "nacha" => return Ok(Format::Nacha(tolerance(tolerate)?)),
        "worldpay-echeck-return" => return Ok(delimited(worldpay::echeck_return())),
        "worldpay-funding-reject" => return Ok(delimited(worldpay::funding_reject())),
        _ => {}
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        format!(
            "{name:?} is neither nacha, worldpay-echeck-return, worldpay-funding-reject nor a \
             file with a profile"
        )
    })?;
    let profile: Profile =
        toml::from_str(&text).with_context(|| format!("the profile {name} cannot be read"))?;
    let faults: Vec<String> = profile
        .validate()
        .into_iter()
        .map(|(key, what)| format!("{key}: {what}"))
        .collect();
    if !faults.is_empty() {
        bail!("the profile {name} is wrong:\n  {}", faults.join("\n  "));
    }
    Ok(delimited(profile))
}

fn delimited(profile: Profile) -> Format {
    Format::Delimited(Box::new(profile))
}

/// The default, with the named differences let pass. The names are the settings' own, so
/// they are read as a source's `tolerate` table is.
fn tolerance(tolerate: &[String]) -> Result<Tolerance> {
    let table: String = tolerate
        .iter()
        .map(|name| format!("{name} = true\n"))
        .collect();
    toml::from_str(&table).context("--tolerate names no such difference")
}
