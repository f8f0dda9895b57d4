//! `echeck audit`: who changed what, and who was refused.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::arguments::Period;
use super::connect::{Client, pages};
use crate::failure::Failure;
use crate::output::{Columns, Tone, field};
use crate::words::{plain, time};

/// What to list.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Filters",
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
    #[command(flatten)]
    period: Period,
    /// The maximum number of records.
    #[arg(long, default_value_t = 50, help_heading = "Output")]
    limit: u32,
}

pub(super) async fn run(arguments: AuditArguments, service: &Client) -> Result<u8, Failure> {
    let records = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListAuditRequest {
            identity: arguments.identity.clone(),
            action: arguments.action.replace([' ', '-'], "_"),
            subject: arguments.subject.clone(),
            request_id: arguments.request_id.clone(),
            start_time: arguments.period.since,
            end_time: arguments.period.until,
            page_size,
            page_token,
        };
        let answer = service.operations().list_audit(ask).await?.into_inner();
        Ok((answer.records, answer.next_page_token))
    })
    .await?;
    service.show_list(&records, "No changes yet.", columns)
}

fn columns(record: &proto::AuditRecord) -> Columns {
    let tone = match record.outcome.as_str() {
        "OK" => Tone::Good,
        _ => Tone::Bad,
    };
    vec![
        field("AT", time(record.at.as_ref())),
        field("WHO", &record.identity).text(),
        field("ACTION", plain(&record.action)),
        field("SUBJECT", &record.subject).text(),
        field("BEFORE", &record.before).text().extra(3),
        field("AFTER", &record.after).text().extra(2),
        field("WHY", &record.reason).text().extra(1),
        field("OUTCOME", plain(&record.outcome)).tone(tone),
    ]
}
