//! `echeck status`: how far the journal and each database are.

use std::io;

use echeck_proto::returns::v1 as proto;

use super::NoArguments;
use super::connect::Client;
use crate::failure::Failure;
use crate::output::{Columns, Details, Table, Tone, counted, field, grouped, out};
use crate::words::{Words as _, plain};

pub(super) async fn run(_: NoArguments, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetStatusRequest {};
    let answer = service.operations().get_status(ask).await?;
    service.show(&answer.into_inner(), print)
}

fn print(status: &proto::GetStatusResponse) -> io::Result<()> {
    let mut details = Details::new();
    details.add("journal", &status.journal_id);
    details.add("last position", grouped(status.head_position));
    let holds = counted(status.open_holds, "open hold", "open holds");
    let attention = |count| {
        if count > 0 {
            Tone::Attention
        } else {
            Tone::Plain
        }
    };
    details.add_in(attention(status.open_holds), "holds", holds);
    let (one, many) = ("unfinished import", "unfinished imports");
    let imports = counted(status.open_imports, one, many);
    details.add_in(attention(status.open_imports), "imports", imports);
    details.print()?;
    writeln!(out())?;
    let row = |one: &proto::DatabaseStatus| database(one, status.head_position);
    Table::of(&status.databases, row).print()?;
    writeln!(out())?;
    Table::of(&status.sources, source).print()
}

fn database(one: &proto::DatabaseStatus, head_position: u64) -> Columns {
    let role = match one.system_of_record {
        true => "system of record",
        false => "mirror",
    };
    vec![
        field("DATABASE", &one.database),
        field("ROLE", role).extra(2),
        field("POSITION", grouped(one.position)).right(),
        field(
            "BEHIND",
            grouped(head_position.saturating_sub(one.position)),
        )
        .right(),
        field("STATE", one.state().words()).tone(one.state().tone()),
        field("FAULT", &one.fault).text(),
    ]
}

fn source(one: &proto::SourceStatus) -> Columns {
    vec![
        field("SOURCE", &one.name),
        field("FORMAT", plain(&one.format)),
        field("IMPORTS", grouped(one.imports)).right(),
    ]
}
