//! `echeck dishonorable`: returns that our bank may dishonor, and until when.

use echeck_proto::returns::v1 as proto;

use super::connect::{request, returns};
use super::{Common, Failure, exit, json, money};
use crate::output::{Table, print_line};

pub(super) async fn list(
    all: bool,
    import_id: Option<String>,
    transfer_id: Option<String>,
    common: &Common,
) -> Result<u8, Failure> {
    let mut client = returns(common).await?;
    let mut ask = proto::ListDishonorableRequest {
        open_only: !all,
        import_id: import_id.unwrap_or_default(),
        transfer_id: transfer_id.unwrap_or_default(),
        page_size: 500,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    loop {
        let answer = client
            .list_dishonorable(request(common, ask.clone()))
            .await?
            .into_inner();
        found.extend(answer.dishonorable);
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    if common.json {
        for one in &found {
            print_line(&json::dishonorable(one).to_string())?;
        }
    } else if found.is_empty() {
        print_line("Nothing may be dishonored.")?;
    } else {
        table(&found).print()?;
    }
    let open = found.iter().any(|one| one.banking_days_left >= 0);
    Ok(if open { exit::LOOK } else { exit::FINE })
}

/// Dishonorable returns for people.
fn table(found: &[proto::Dishonorable]) -> Table {
    let mut table = Table::new(&[
        "UNTIL",
        ">LEFT",
        "CODE",
        "RETURN",
        ">AMOUNT",
        "TRANSFER",
        "RETURN OR HOLD",
        "WHY",
    ]);
    for one in found {
        let names: Vec<String> = one.grounds.iter().map(name).collect();
        let why: Vec<&str> = one.grounds.iter().map(|ground| &*ground.why).collect();
        let known = |id: &str| if id.is_empty() { "-" } else { id }.to_owned();
        table.row(vec![
            one.last_day.clone(),
            one.banking_days_left.to_string(),
            names.join(", "),
            one.return_code.clone(),
            one.amount_minor.map(money::amount).unwrap_or_default(),
            known(&one.transfer_id),
            known(if one.ach_return_id.is_empty() {
                &one.hold_id
            } else {
                &one.ach_return_id
            }),
            why.join("; "),
        ]);
    }
    table
}

/// The code, with its fields where it has some: `R69 03*06`.
pub(super) fn name(ground: &proto::DishonorGround) -> String {
    if ground.fields.is_empty() {
        ground.code.clone()
    } else {
        format!("{} {}", ground.code, ground.fields)
    }
}
