//! `echeck audit`: who changed what, and who was refused.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::Failure;
use super::connect::{Client, pages};
use super::show::time;
use crate::output::Columns;

/// What to list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck audit\n  echeck audit --action refused\n  echeck audit --subject source:worldpay"
)]
pub(crate) struct AuditArguments {
    /// Only by this identity.
    #[arg(long, default_value = "", hide_default_value = true)]
    identity: String,
    /// Only this action, such as `pause_source`, or refused.
    #[arg(long, default_value = "", hide_default_value = true)]
    action: String,
    /// Only about this subject, such as source:worldpay.
    #[arg(long, default_value = "", hide_default_value = true)]
    subject: String,
    /// Only of this request.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    request_id: String,
    /// The maximum number of records.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(arguments: AuditArguments, service: &Client) -> Result<u8, Failure> {
    let records = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListAuditRequest {
            identity: arguments.identity.clone(),
            action: arguments.action.clone(),
            subject: arguments.subject.clone(),
            request_id: arguments.request_id.clone(),
            page_size,
            page_token,
            ..Default::default()
        };
        let answer = service.operations().list_audit(ask).await?.into_inner();
        Ok((answer.records, answer.next_page_token))
    })
    .await?;
    service.show_all(&records, "No changes yet.", columns)
}

fn columns(record: &proto::AuditRecord) -> Columns {
    vec![
        ("AT", time(record.at.as_ref())),
        ("WHO", record.identity.clone()),
        ("ACTION", record.action.clone()),
        ("SUBJECT", record.subject.clone()),
        ("BEFORE", record.before.clone()),
        ("AFTER", record.after.clone()),
        ("WHY", record.reason.clone()),
        ("OUTCOME", record.outcome.clone()),
    ]
}
