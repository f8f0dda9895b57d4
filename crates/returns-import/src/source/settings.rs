//! The sources of the configuration: `[sources.NAME]`.

use std::collections::HashMap;

use ach::format::delimited::{AmountUnit, Profile};
use ach::format::nacha::Tolerance;
use ach::format::{Emptiness, Format, worldpay};
use echeck_service::config::Section;

use super::{Ours, Source};

/// Reads every source. Faults are recorded with their keys; a source without a usable format
/// is left out.
pub fn read(root: &Section<'_>) -> HashMap<String, Source> {
    let sources = root.sections("sources");
    if sources.is_empty() {
        root.fault(
            "sources",
            "at least one source is needed: a table [sources.NAME]",
        );
    }
    sources
        .into_iter()
        .filter_map(|(name, section)| source(&name, &section).map(|source| (name, source)))
        .collect()
}

fn source(name: &str, section: &Section<'_>) -> Option<Source> {
    let (format, default_rules): (Option<Format>, &[&str]) = match section.string("format").as_str()
    {
        // The fault of a missing format is recorded already.
        "" => (None, &[]),
        "nacha" => (
            Some(Format::Nacha(tolerance(section))),
            &["original_trace:ach_trace"],
        ),
        "worldpay_echeck_return" => (
            Some(delimited(with_unit(worldpay::echeck_return(), section))),
            &[
                "payment_id:payment_id",
                "order_id:trace_id",
                "original_trace:ach_trace",
            ],
        ),
        "worldpay_funding_reject" => (
            Some(delimited(with_unit(worldpay::funding_reject(), section))),
            &["transfer_request_id:trace_id", "payment_id:payment_id"],
        ),
        "delimited" => (mapped(section), &["payment_id:payment_id"]),
        other => {
            let known = "nacha, worldpay_echeck_return, worldpay_funding_reject or delimited";
            section.fault("format", format!("{other:?} is not {known}"));
            (None, &[])
        }
    };
    let rules = section
        .strings_or("match", default_rules)
        .iter()
        .filter_map(|text| match text.parse() {
            Ok(rule) => Some(rule),
            Err(error) => {
                section.fault("match", format!("{error}"));
                None
            }
        })
        .collect();
    let allow_empty = section
        .strings_or("allow_empty", &["header_only", "sentence"])
        .iter()
        .filter_map(|text| emptiness(section, text))
        .collect();
    Some(Source {
        name: name.to_owned(),
        format: format?,
        rules,
        ours: ours(section),
        allow_empty,
    })
}

/// Who we are. A routing number may have its ninth digit, which only checks the other eight.
fn ours(section: &Section<'_>) -> Ours {
    let mut odfi_routing = Vec::new();
    for text in section.strings_or("odfi_routing", &[]) {
        let is_routing =
            matches!(text.len(), 8 | 9) && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.get(..8).filter(|_| is_routing) {
            Some(bank) => odfi_routing.push(bank.to_owned()),
            None => section.fault(
                "odfi_routing",
                format!("{text:?} is not a routing number of eight or nine digits"),
            ),
        }
    }
    Ours {
        odfi_routing,
        company_ids: section.strings_or("company_ids", &[]),
    }
}

fn tolerance(section: &Section<'_>) -> Tolerance {
    let tolerate = section.has("tolerate").then(|| section.section("tolerate"));
    let tolerance = tolerate.and_then(|tolerate| tolerate.deserialize());
    tolerance.unwrap_or_default()
}

fn delimited(profile: Profile) -> Format {
    Format::Delimited(Box::new(profile))
}

fn with_unit(profile: Profile, section: &Section<'_>) -> Profile {
    if !section.has("amount_unit") {
        return profile;
    }
    let choices = [("minor", AmountUnit::Minor), ("major", AmountUnit::Major)];
    profile.with_unit(section.one_of("amount_unit", &choices, None))
}

fn mapped(section: &Section<'_>) -> Option<Format> {
    let profile: Profile = section.section("profile").deserialize()?;
    let faults = profile.validate();
    for (key, what) in &faults {
        section.section("profile").fault(key, what.clone());
    }
    faults.is_empty().then(|| delimited(profile))
}

fn emptiness(section: &Section<'_>, text: &str) -> Option<Emptiness> {
    match text {
        "no_bytes" => Some(Emptiness::NoBytes),
        "header_only" => Some(Emptiness::HeaderOnly),
        "sentence" => Some(Emptiness::Sentence),
        "left_out" => Some(Emptiness::LeftOut),
        other => {
            let what = format!("{other:?} is not no_bytes, header_only, sentence or left_out");
            section.fault("allow_empty", what);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use echeck_service::config::Settings;

    use super::*;

    #[test]
    fn our_side_of_a_source_is_read_and_what_is_no_routing_number_is_a_fault() {
        let sources = |keys: &str| {
            let text = format!("[sources.bank]\nformat = \"nacha\"\n{keys}\n");
            let settings = Settings::from_toml(&text).unwrap();
            let sources = read(&settings.root());
            settings.finish().map(|()| sources)
        };
        let known =
            sources("odfi_routing = [\"231380104\", \"09100001\"]\ncompany_ids = [\"1\"]").unwrap();
        let ours = &known["bank"].ours;
        assert_eq!(ours.odfi_routing, ["23138010", "09100001"]);
        assert_eq!(ours.company_ids, ["1"]);
        assert!(sources("").unwrap()["bank"].ours.odfi_routing.is_empty());
        for bad in ["2313801", "2313801045", "23138O104", "", "231380é"] {
            let Err(error) = sources(&format!("odfi_routing = [\"{bad}\"]")) else {
                panic!("{bad:?} is no routing number")
            };
            let said = error.to_string();
            assert!(said.contains("sources.bank.odfi_routing"), "{bad}: {said}");
        }
    }
}
