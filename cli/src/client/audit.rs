//! `echeck audit`: what operators changed.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::Failure;
use super::connect::Client;
use super::show::time;
use crate::output::Columns;

/// How much to list.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// The maximum number of records.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(
    AuditArguments { limit }: AuditArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::ListAuditRecordsRequest { limit };
    let answer = service.operations().list_audit_records(ask).await?;
    service.show_all(&answer.into_inner().records, "No changes yet.", columns)
}

fn columns(record: &proto::AuditRecord) -> Columns {
    vec![
        ("AT", time(record.at.as_ref())),
        ("WHO", record.actor.to_string()),
        ("ACTION", record.action.to_string()),
        ("SUBJECT", record.subject.to_string()),
        ("BEFORE", record.before.to_string()),
        ("AFTER", record.after.to_string()),
        ("WHY", record.reason.to_string()),
    ]
}
