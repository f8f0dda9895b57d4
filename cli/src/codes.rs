//! `echeck codes`: the tables of return and correction codes.

use std::io;

use ach::code::{CorrectionCode, ReturnCode, ReturnStage};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::exit;
use crate::output::{Columns, Details, Table, bold, field, out, print_json};
use crate::words;

/// Which code.
#[derive(Debug, Args)]
pub(crate) struct CodesArguments {
    /// One code, such as R01 or C03. Default: all.
    pub(crate) code: Option<String>,
}

/// Shows the tables, or everything about one code. Returns the exit code.
pub(crate) fn run(arguments: &CodesArguments, as_json: bool) -> Result<u8> {
    match &arguments.code {
        Some(text) => one(text, as_json)?,
        None if as_json => {
            for code in ReturnCode::ALL {
                print_json(&return_json(*code))?;
            }
            for code in CorrectionCode::ALL {
                print_json(&correction_json(*code))?;
            }
        }
        None => all()?,
    }
    Ok(exit::OK)
}

fn one(text: &str, as_json: bool) -> Result<()> {
    if let Ok(code) = text.parse::<ReturnCode>() {
        match as_json {
            true => print_json(&return_json(code))?,
            false => print_return(code)?,
        }
    } else if let Ok(code) = text.parse::<CorrectionCode>() {
        match as_json {
            true => print_json(&correction_json(code))?,
            false => print_correction(code)?,
        }
    } else {
        bail!(
            "{text} is not a known code. Return codes run from R01 to R90 with gaps, correction \
             codes from C01 to C14 and C61 to C69. An entry with an acquirer's own code is held."
        );
    }
    Ok(())
}

fn print_return(code: ReturnCode) -> io::Result<()> {
    let info = code.info();
    let frame = words::time_frame(info.time_frame) + words::counted_from(info.time_frame);
    let statement = if info.written_statement {
        "required"
    } else {
        "not required"
    };
    writeln!(out(), "{}", bold(&format!("{code}  {}", info.title)))?;
    let mut details = Details::new();
    details.add("meaning", info.meaning);
    details.add("stage", words::stage(info.stage));
    details.add("sent by", words::initiator(info.initiated_by));
    details.add("time frame", frame);
    details.add("return rate", words::rate_category(info.rate_category));
    details.add("present again", words::representment(info.representment));
    let action = words::recommended_action(info.recommended_action.as_str());
    details.add("what to do", action);
    let account = words::account_effect(info.account_effect.as_str());
    details.add("account", account);
    details.add("used for", words::account_kind(info.account_kind));
    details.add("entry classes", info.sec_restriction.unwrap_or_default());
    details.add("written statement", statement);
    details.add("in force", words::validity(info.validity));
    details.print()
}

fn print_correction(code: CorrectionCode) -> io::Result<()> {
    let info = code.info();
    let corrects = info.corrects.iter();
    let corrects: Vec<String> = corrects.map(|one| words::corrected_field(*one)).collect();
    let stage = if code.is_refusal() {
        "refused correction"
    } else {
        "correction"
    };
    writeln!(out(), "{}", bold(&format!("{code}  {}", info.title)))?;
    let mut details = Details::new();
    details.add("meaning", info.meaning);
    details.add("stage", stage);
    details.add("corrects", corrects.join(", "));
    details.add("sent by", words::initiator(info.initiated_by));
    details.add("in force", words::validity(info.validity));
    details.print()
}

fn all() -> io::Result<()> {
    for (heading, stage) in [
        ("Returns", ReturnStage::Return),
        ("Dishonored returns", ReturnStage::Dishonored),
        ("Contested and corrected returns", ReturnStage::Contested),
    ] {
        let codes = ReturnCode::ALL.iter().copied();
        let rows = codes.filter(|code| code.info().stage == stage);
        writeln!(out(), "{}", bold(heading))?;
        Table::of_rows(rows.map(return_columns)).print()?;
        writeln!(out())?;
    }
    for (heading, refusals) in [("Corrections", false), ("Refused corrections", true)] {
        let codes = CorrectionCode::ALL.iter();
        let rows = codes
            .filter(|code| code.is_refusal() == refusals)
            .map(|code| {
                vec![
                    field("CODE", code),
                    field("TITLE", code.info().title).text(),
                ]
            });
        writeln!(out(), "{}", bold(heading))?;
        Table::of_rows(rows).print()?;
        writeln!(out())?;
    }
    Ok(())
}

fn return_columns(code: ReturnCode) -> Columns {
    let info = code.info();
    let account = words::plain(info.account_effect.as_str());
    vec![
        field("CODE", code),
        field("TITLE", info.title).text(),
        field("TIME FRAME", words::time_frame(info.time_frame)),
        field("RATE", words::rate_category(info.rate_category)).extra(2),
        field("PRESENT AGAIN", words::representment(info.representment))
            .text()
            .extra(1),
        field("ACCOUNT", account).extra(2),
    ]
}

fn return_json(code: ReturnCode) -> Value {
    let info = code.info();
    json!({
        "code": code.as_str(),
        "title": info.title,
        "meaning": info.meaning,
        "stage": info.stage.as_str(),
        "initiated_by": info.initiated_by.as_str(),
        "time_frame": info.time_frame,
        "rate_category": info.rate_category.as_str(),
        "counts_in_overall_rate": info.counts_in_overall_rate,
        "representment": info.representment,
        "recommended_action": info.recommended_action.as_str(),
        "account_effect": info.account_effect.as_str(),
        "account_kind": info.account_kind.as_str(),
        "sec_restriction": info.sec_restriction,
        "written_statement": info.written_statement,
        "validity": info.validity,
    })
}

fn correction_json(code: CorrectionCode) -> Value {
    let info = code.info();
    let corrects: Vec<&str> = info.corrects.iter().map(|field| field.as_str()).collect();
    json!({
        "code": code.as_str(),
        "title": info.title,
        "meaning": info.meaning,
        "stage": if code.is_refusal() { "refused_correction" } else { "correction" },
        "corrects": corrects,
        "initiated_by": info.initiated_by.as_str(),
        "validity": info.validity,
    })
}
