//! `echeck status`: how far the journal and each database are.

use echeck_proto::returns::v1 as proto;

use super::connect::Service;
use super::{Failure, NoArguments, Words as _};
use crate::output::{Table, counted, print_line};

pub(super) async fn run(_: NoArguments, service: &Service) -> Result<u8, Failure> {
    let ask = service.ask(proto::GetStatusRequest {});
    let answer = service.operations().get_status(ask).await?;
    service.show(&answer.into_inner(), print)
}

fn print(status: &proto::GetStatusResponse) -> Result<(), Failure> {
    print_line(&format!(
        "journal {}, last position {}; {}, {}",
        status.journal_id,
        status.head_position,
        counted(status.open_holds, "open hold", "open holds"),
        counted(status.open_imports, "open import", "open imports"),
    ))?;
    let mut table = Table::new(&["DATABASE", "ROLE", ">POSITION", "STATE", "FAULT"]);
    for one in &status.databases {
        let role = if one.system_of_record {
            "system of record"
        } else {
            "mirror"
        };
        table.row(&[
            &one.database,
            &role,
            &one.position,
            &one.state().words(),
            &one.fault,
        ]);
    }
    table.print()?;
    print_line("")?;
    let mut table = Table::new(&["SOURCE", "FORMAT", ">IMPORTS"]);
    for one in &status.sources {
        table.row(&[&one.name, &one.format, &one.imports]);
    }
    Ok(table.print()?)
}
