//! `echeck codes`: the tables of return and correction codes.

use ach::code::{CorrectionCode, ReturnCode, ReturnStage};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::output::{Table, bold, out, print_error};

/// Which code.
#[derive(Debug, Args)]
pub(crate) struct CodesArguments {
    /// One code, such as R01 or C03. Default: all.
    pub(crate) code: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows the tables, or everything about one code. Returns the exit code.
pub(crate) fn run(arguments: &CodesArguments) -> Result<u8> {
    match &arguments.code {
        Some(text) => one(text, arguments.json),
        None if arguments.json => {
            for code in ReturnCode::ALL {
                writeln!(out(), "{}", return_json(*code))?;
            }
            for code in CorrectionCode::ALL {
                writeln!(out(), "{}", correction_json(*code))?;
            }
            Ok(0)
        }
        None => all(),
    }
}

fn one(text: &str, as_json: bool) -> Result<u8> {
    let object = if let Ok(code) = text.parse::<ReturnCode>() {
        return_json(code)
    } else if let Ok(code) = text.parse::<CorrectionCode>() {
        correction_json(code)
    } else {
        print_error(&format!(
            "{text} is not a known code. Return codes run from R01 to R90 with gaps, correction \
             codes from C01 to C14 and C61 to C69. An entry with an acquirer's own code is held."
        ));
        return Ok(1);
    };
    if as_json {
        writeln!(out(), "{object}")?;
        return Ok(0);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        writeln!(out(), "{:<22} {value}", name.replace('_', " "))?;
    }
    Ok(0)
}

fn all() -> Result<u8> {
    for (heading, stage) in [
        ("Returns", ReturnStage::Return),
        ("Dishonored returns", ReturnStage::Dishonored),
        ("Contested and corrected returns", ReturnStage::Contested),
    ] {
        let mut table = Table::new(&["CODE", "TITLE", "TIME FRAME", "RATE", "AGAIN", "ACCOUNT"]);
        let codes = ReturnCode::ALL.iter();
        for code in codes.filter(|code| code.info().stage == stage) {
            let info = code.info();
            table.row(&[
                code,
                &shortened(info.title),
                &info.time_frame.as_str(),
                &info.rate_category.as_str(),
                &info.representment.as_str(),
                &info.account_effect.as_str(),
            ]);
        }
        writeln!(out(), "{}", bold(heading))?;
        table.print()?;
        writeln!(out())?;
    }
    for (heading, refusals) in [("Corrections", false), ("Refused corrections", true)] {
        let mut table = Table::new(&["CODE", "TITLE"]);
        let codes = CorrectionCode::ALL.iter();
        for code in codes.filter(|code| code.is_refusal() == refusals) {
            table.row(&[code, &code.info().title]);
        }
        writeln!(out(), "{}", bold(heading))?;
        table.print()?;
        writeln!(out())?;
    }
    Ok(0)
}

/// Some official titles are sentences; a table has room for a line.
fn shortened(title: &str) -> String {
    const WIDTH: usize = 60;
    if title.chars().count() <= WIDTH {
        return title.to_owned();
    }
    let cut: String = title.chars().take(WIDTH - 1).collect();
    format!("{cut}…")
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
