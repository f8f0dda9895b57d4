//! `echeck status`: how far the journal and each database are.

use std::io;

use echeck_proto::returns::v1 as proto;

use super::connect::Client;
use super::{Failure, NoArguments, Words as _};
use crate::output::{Table, counted, out};

pub(super) async fn run(_: NoArguments, service: &Client) -> Result<u8, Failure> {
    let answer = service
        .operations()
        .get_status(proto::GetStatusRequest {})
        .await?;
    service.show(&answer.into_inner(), print)
}

fn print(status: &proto::GetStatusResponse) -> io::Result<()> {
    writeln!(
        out(),
        "journal {}, last position {}; {}, {}",
        status.journal_id,
        status.head_position,
        counted(status.open_holds, "open hold", "open holds"),
        counted(
            status.open_imports,
            "unfinished import",
            "unfinished imports"
        )
    )?;
    let databases = Table::of(&status.databases, |one| {
        let role = match one.system_of_record {
            true => "system of record",
            false => "mirror",
        };
        vec![
            ("DATABASE", one.database.to_string()),
            ("ROLE", role.to_string()),
            (">POSITION", one.position.to_string()),
            ("STATE", one.state().words()),
            ("FAULT", one.fault.to_string()),
        ]
    });
    databases.print()?;
    writeln!(out())?;
    let mut table = Table::new(&["SOURCE", "FORMAT", ">IMPORTS"]);
    for one in &status.sources {
        table.row(&[&one.name, &one.format, &one.imports]);
    }
    table.print()
}
