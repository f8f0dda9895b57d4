//! Which format a file is read by.

use ach::format::delimited::Profile;
use ach::format::nacha::Tolerance;
use ach::format::{Format, worldpay};
use anyhow::{Context as _, Result, bail};

/// What to do when a file without a profile is not a NACHA file.
pub(super) const HINT: &str = "; another file needs --profile: iso20022, x12, bai2, \
     worldpay-echeck-return, worldpay-funding-reject, or the path of a TOML file with a profile";

pub(super) fn format(profile: Option<&str>, tolerate: &[String]) -> Result<Format> {
    let Some(name) = profile else {
        return Ok(Format::Nacha(tolerance(tolerate)?));
    };
    match name.replace('_', "-").as_str() {
        "nacha" => return Ok(Format::Nacha(tolerance(tolerate)?)),
        "worldpay-echeck-return" => return Ok(delimited(worldpay::echeck_return())),
        "worldpay-funding-reject" => return Ok(delimited(worldpay::funding_reject())),
        "iso20022" => return Ok(Format::Iso20022(Box::default())),
        "x12" => return Ok(Format::X12(Box::default())),
        "bai2" => return Ok(Format::Bai2(Box::default())),
        _ => {}
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        format!(
            "{name:?} is not nacha, iso20022, x12, bai2, worldpay-echeck-return, worldpay-funding-reject \
             or a file with a profile"
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

/// The default, and the named differences tolerated. They have the names of the settings, so they
/// are read as the `tolerate` table of a source is. Looking at half a file does no harm, so it is
/// read to its end, and the findings say what is missing.
fn tolerance(tolerate: &[String]) -> Result<Tolerance> {
    let table: String = tolerate
        .iter()
        .map(|name| format!("{name} = true\n"))
        .collect();
    let tolerance: Tolerance = toml::from_str(&table)
        .context("--tolerate has a name that is not a setting of `tolerate`")?;
    Ok(tolerance.without_controls())
}
