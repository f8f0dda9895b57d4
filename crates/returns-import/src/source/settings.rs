//! The sources of the configuration: `[sources.NAME]`.

use std::collections::HashMap;

use ach::format::delimited::{AmountUnit, Profile, Syntax};
use ach::format::nacha::Tolerance;
use ach::format::{Emptiness, Format, bai2, iso20022, worldpay, x12};
use echeck_service::config::Section;

use super::{Ours, Role, Source};
use serde::de::DeserializeOwned;

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
        "delimited" => (
            mapped(section, Syntax::Delimited),
            &["payment_id:payment_id"],
        ),
        "json" => (mapped(section, Syntax::Json), &["payment_id:payment_id"]),
        "excel" => (mapped(section, Syntax::Excel), &["payment_id:payment_id"]),
        "iso20022" => (
            structured(section, iso20022::Profile::validate).map(Format::Iso20022),
            &[
                "order_id:trace_id",
                "original_trace:ach_trace",
                "individual_id:individual_id",
            ],
        ),
        "x12" => (
            structured(section, x12::Profile::validate).map(Format::X12),
            &[
                "payment_id:payment_id",
                "order_id:trace_id",
                "original_trace:ach_trace",
            ],
        ),
        "bai2" => (
            structured(section, bai2::Profile::validate).map(Format::Bai2),
            &["order_id:trace_id"],
        ),
        other => {
            let known = "nacha, worldpay_echeck_return, worldpay_funding_reject, delimited, json, excel, \
                         iso20022, x12 or bai2";
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
    let usual = match &format {
        // It has no return codes of its own.
        Some(Format::Bai2(_)) => Role::TieOut,
        Some(_) | None => Role::Decide,
    };
    let roles = [("decide", Role::Decide), ("tie_out", Role::TieOut)];
    let role = section.one_of("role", &roles, Some(usual));
    let is_conforming = section.bool_or("conforming", false);
    Some(Source {
        name: name.to_owned(),
        format: format?,
        rules,
        ours: ours(section),
        allow_empty,
        role,
        is_conforming,
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

fn mapped(section: &Section<'_>, syntax: Syntax) -> Option<Format> {
    let profile: Profile = section.section("profile").deserialize()?;
    let usual = Profile::default().syntax;
    if profile.syntax != syntax && profile.syntax != usual {
        let what = "leave it out: the format of the source says it";
        section.section("profile").fault("syntax", what.to_owned());
    }
    let profile = Profile { syntax, ..profile };
    let faults = profile.validate();
    for (key, what) in &faults {
        section.section("profile").fault(key, what.clone());
    }
    faults.is_empty().then(|| delimited(profile))
}

/// The profile of a format that has a structure of its own, or the usual one.
fn structured<P: Default + DeserializeOwned>(
    section: &Section<'_>,
    validate: fn(&P) -> Vec<(String, String)>,
) -> Option<Box<P>> {
    if !section.has("profile") {
        return Some(Box::default());
    }
    let profile: P = section.section("profile").deserialize()?;
    let faults = validate(&profile);
    for (key, what) in &faults {
        section.section("profile").fault(key, what.clone());
    }
    faults.is_empty().then(|| Box::new(profile))
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

    fn read_from(text: &str) -> Result<HashMap<String, Source>, String> {
        let settings = Settings::from_toml(text).unwrap();
        let sources = read(&settings.root());
        let finished = settings.finish().map(|()| sources);
        finished.map_err(|error| error.to_string())
    }

    #[test]
    fn every_format_is_configured_by_its_name_and_a_report_of_balances_only_ties_out() {
        let profile = "[sources.bank.profile]\nname = \"x\"\namount_unit = \"minor\"\n\
                       [sources.bank.profile.columns]\npayment_id = \"id\"\ncode = \"code\"\namount = \"amount\"\n";
        for (format, profile, role) in [
            ("nacha", "", Role::Decide),
            ("json", profile, Role::Decide),
            ("excel", profile, Role::Decide),
            ("delimited", profile, Role::Decide),
            ("x12", "", Role::Decide),
            ("bai2", "", Role::TieOut),
            (
                "iso20022",
                "[sources.bank.profile.code_map]\nMS03 = \"R16\"\n",
                Role::Decide,
            ),
        ] {
            let sources =
                read_from(&format!("[sources.bank]\nformat = {format:?}\n{profile}")).unwrap();
            assert_eq!(sources["bank"].role, role, "{format}");
        }
        let wrong = "[sources.bank]\nformat = \"iso20022\"\n[sources.bank.profile.code_map]\nms03 = \"R1\"\n";
        let Err(said) = read_from(wrong) else {
            panic!("a wrong map of codes")
        };
        assert!(
            said.contains("sources.bank.profile.code_map.ms03"),
            "{said}"
        );
    }

    #[test]
    fn the_document_lists_every_format_with_its_match_rules() {
        let document = include_str!("../../../../docs/formats.md");
        let table = document.split("<!-- end of formats -->").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `")).skip(1);
        let rows: Vec<Vec<&str>> = rows.map(|line| line.split(" | ").collect()).collect();
        let listed: Vec<&str> = rows
            .iter()
            .map(|row| row[0].trim_matches(['|', ' ', '`']))
            .collect();
        // The fault of an unknown format names them all.
        let Err(said) = read_from("[sources.bank]\nformat = \"x\"\n") else {
            panic!("x is no format")
        };
        for (row, format) in rows.iter().zip(&listed) {
            assert!(said.contains(format), "{format}: {said}");
            let profile = match row[2] {
                "by a profile" => {
                    "[sources.bank.profile]\nname = \"x\"\namount_unit = \"minor\"\n\
                     [sources.bank.profile.columns]\npayment_id = \"id\"\ncode = \"code\"\namount = \"amount\"\n"
                }
                _ => "",
            };
            let text = format!("[sources.bank]\nformat = {format:?}\n{profile}");
            let sources = read_from(&text).unwrap();
            let rules = sources["bank"].rules.iter();
            let rules: Vec<String> = rules.map(|rule| format!("`{rule}`")).collect();
            assert_eq!(row[3].trim_end_matches(" |"), rules.join(", "), "{format}");
        }
        let known = said.split(" is not ").nth(1).unwrap();
        assert_eq!(
            listed.len(),
            known.replace(" or ", ", ").split(", ").count()
        );
    }

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
