//! `echeck audit`: what operators changed.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::Failure;
use super::connect::Service;
use super::show::time;
use crate::output::Table;

/// How much to list.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The maximum number of records.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(Arguments { limit }: Arguments, service: &Service) -> Result<u8, Failure> {
    let ask = service.ask(proto::ListAuditRecordsRequest { limit });
    let answer = service.operations().list_audit_records(ask).await?;
    service.show_all(&answer.into_inner().records, "No changes yet.", table)
}

fn table(records: &[proto::AuditRecord]) -> Table {
    let mut table = Table::new(&["AT", "WHO", "ACTION", "SUBJECT", "BEFORE", "AFTER", "WHY"]);
    for record in records {
        table.row(&[
            &time(record.at.as_ref()),
            &record.actor,
            &record.action,
            &record.subject,
            &record.before,
            &record.after,
            &record.reason,
        ]);
    }
    table
}
