//! Lists: imports, returns, and the state of the whole.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;

use super::connect::{operations, request, returns as connect};
use super::{Common, Failure, exit, import, json, money};
use crate::output::{Table, print_line};

pub(super) async fn import(import_id: &str, common: &Common) -> Result<u8, Failure> {
    let ask = proto::GetImportRequest {
        import_id: import_id.to_owned(),
    };
    let answer = connect(common)
        .await?
        .get_import(request(common, ask))
        .await?
        .into_inner();
    let found = answer.import.context("the service sent no import")?;
    if common.json {
        print_line(&json::import(&found).to_string())?;
    } else {
        import::show(&found, false)?;
    }
    Ok(exit::FINE)
}

pub(super) async fn imports(source: Option<&str>, common: &Common) -> Result<u8, Failure> {
    let ask = proto::ListImportsRequest {
        source: source.unwrap_or_default().to_owned(),
        page_size: 0,
        page_token: String::new(),
    };
    let answer = connect(common)
        .await?
        .list_imports(request(common, ask))
        .await?
        .into_inner();
    if common.json {
        for found in &answer.imports {
            print_line(&json::import(found).to_string())?;
        }
        return Ok(exit::FINE);
    }
    let mut table = Table::new(&[
        "IMPORT",
        "SOURCE",
        "FILE",
        "STATE",
        ">READ",
        ">HELD",
        ">REJECTED",
    ]);
    for found in &answer.imports {
        let totals = found.totals.unwrap_or_default();
        let count = |tally: Option<proto::Tally>| tally.unwrap_or_default().count.to_string();
        table.row(vec![
            found.import_id.clone(),
            found.source.clone(),
            found.file_name.clone(),
            json::state(found),
            count(totals.read),
            count(totals.held),
            count(totals.rejected),
        ]);
    }
    table.print()?;
    Ok(exit::FINE)
}

/// All pages, until there are `limit`.
pub(super) async fn returns(
    import_id: Option<String>,
    code: Option<String>,
    limit: u32,
    common: &Common,
) -> Result<u8, Failure> {
    let mut client = connect(common).await?;
    let mut ask = proto::ListReturnsRequest {
        import_id: import_id.unwrap_or_default(),
        transfer_id: String::new(),
        return_code: code.unwrap_or_default(),
        page_size: limit.min(500),
        page_token: String::new(),
    };
    let mut found = Vec::new();
    while found.len() < limit as usize {
        let answer = client
            .list_returns(request(common, ask.clone()))
            .await?
            .into_inner();
        found.extend(answer.ach_returns);
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    found.truncate(limit as usize);
    if common.json {
        for one in &found {
            print_line(&json::ach_return(one).to_string())?;
        }
        return Ok(exit::FINE);
    }
    returns_table(&found).print()?;
    Ok(exit::FINE)
}

/// Returns for people.
pub(crate) fn returns_table(found: &[proto::AchReturn]) -> Table {
    let mut table = Table::new(&["RETURN", "CODE", "EFFECT", "TRANSFER", ">AMOUNT", "REASON"]);
    for one in found {
        table.row(vec![
            one.ach_return_id.clone(),
            if one.return_code.is_empty() {
                "-".to_owned()
            } else {
                one.return_code.clone()
            },
            json::effect(one),
            one.transfer_id.clone(),
            money::amount(one.amount_minor),
            if one.return_title.is_empty() {
                one.return_description.clone()
            } else {
                one.return_title.clone()
            },
        ]);
    }
    table
}

pub(super) async fn status(common: &Common) -> Result<u8, Failure> {
    let mut client = operations(common).await?;
    let status = client
        .get_status(request(common, proto::GetStatusRequest {}))
        .await?
        .into_inner();
    if common.json {
        print_line(&json::status(&status).to_string())?;
        return Ok(exit::FINE);
    }
    print_line(&format!(
        "journal {}, last position {}; {} open holds, {} open imports",
        status.journal_id, status.head_position, status.open_holds, status.open_imports
    ))?;
    let mut table = Table::new(&["DATABASE", "ROLE", ">POSITION", "STATE", "FAULT"]);
    for one in &status.followers {
        let role = if one.system_of_record {
            "system of record"
        } else {
            "mirror"
        };
        table.row(vec![
            one.database.clone(),
            role.to_owned(),
            one.position.to_string(),
            json::database_state(one.state()),
            one.fault.clone(),
        ]);
    }
    table.print()?;
    let mut table = Table::new(&["SOURCE", "FORMAT", ">IMPORTS"]);
    for one in &status.sources {
        table.row(vec![
            one.name.clone(),
            one.format.clone(),
            one.imports.to_string(),
        ]);
    }
    print_line("")?;
    table.print()?;
    Ok(exit::FINE)
}
