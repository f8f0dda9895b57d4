//! Reports, from the bucket to the caller.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::server::deadline_of;
use proto::get_report_response::Part;
use returns_model::import::Phase;
use returns_model::report::WrittenReport;
use returns_reports::ReportSummary;
use returns_reports::bucket::{Bytes, Digesting};
use tokio_stream::StreamExt as _;
use tonic::Request;

use super::errors::{self, ApiError};
use super::stream::{MessageSender, ResponseStream, respond};
use super::{Api, convert, door};

type Sender = MessageSender<proto::GetReportResponse>;

/// The most bytes of one message.
const CHUNK_BYTES: usize = 256 << 10;

impl Api {
    /// Sends the report of an import as it is in the bucket.
    pub(super) async fn get_report(
        &self,
        request: Request<proto::GetReportRequest>,
    ) -> Result<ResponseStream<proto::GetReportResponse>, ApiError> {
        let deadline = deadline_of(&request);
        let request = door::admit(request.into_inner())?;
        let import_id = &request.import_id;
        let import = self.import_record(import_id).await?;
        let Some(bucket) = &self.bucket else {
            let what = "no bucket is configured, so there are no reports; add [bucket] to the \
                        configuration of the returns service";
            return Err(errors::precondition("NO_BUCKET", what));
        };
        if let Phase::Rejected { why, .. } = &import.phase {
            let what = format!("the file was refused whole, so it has no report: {why}");
            return Err(errors::precondition("REJECTED", what));
        }
        let files = self.store.files_of(import_id).await?;
        let Some(report) = files.report else {
            let why = match (&import.phase, files.fault) {
                (_, Some(fault)) => fault.what,
                (Phase::Applied { .. }, None) => "it is being written".to_owned(),
                (_, None) => "the import is not finished".to_owned(),
            };
            let what = format!("there is no report of {import_id:?} yet: {why}");
            return Err(errors::precondition("NOT_REPORTED_YET", what));
        };
        let header = header(&report)?;
        // Whether it can be had at all is the call's error, not the stream's.
        let (_, bytes) = bucket.get(&report.key).await?;
        let late = "the report is long; allow the call more time";
        Ok(respond(deadline, late, |sender| async move {
            send(bytes, &report, header, &sender).await
        }))
    }
}

async fn send(
    mut bytes: Bytes<'static>,
    report: &WrittenReport,
    header: proto::ReportHeader,
    sender: &Sender,
) -> Result<(), ApiError> {
    if !sent(sender, Part::Header(header)).await {
        return Ok(());
    }
    let mut digesting = Digesting::default();
    while let Some(chunk) = bytes.next().await {
        let mut chunk = chunk?;
        digesting.take(&chunk);
        while !chunk.is_empty() {
            let part = chunk.split_to(chunk.len().min(CHUNK_BYTES));
            if !sent(sender, Part::Chunk(part.to_vec())).await {
                return Ok(());
            }
        }
    }
    let there = digesting.finish();
    if there.sha256 != report.sha256 {
        return Err(errors::data_loss(format!(
            "the report {:?} in the bucket is not the one that was written (SHA-256 {}, and it \
             was {}); do not use it, and find out who else writes to the bucket",
            report.key, there.sha256, report.sha256
        )));
    }
    Ok(())
}

/// Sends a part; false when the caller has gone.
async fn sent(sender: &Sender, part: Part) -> bool {
    let part = Some(part);
    sender.send(proto::GetReportResponse { part }).await
}

fn header(report: &WrittenReport) -> Result<proto::ReportHeader, ApiError> {
    let summary: ReportSummary = serde_json::from_str(&report.totals).map_err(|error| {
        errors::data_loss(format!(
            "the totals of the report {:?} cannot be read: {error}",
            report.key
        ))
    })?;
    let outcomes = summary.totals.outcomes().into_iter();
    let outcomes = outcomes.map(|(outcome, tally)| proto::OutcomeTally {
        outcome: outcome.to_owned(),
        tally: convert::tally(tally),
    });
    let databases = summary.totals.databases.into_iter();
    let databases = databases.map(|one| proto::DatabaseTally {
        database: one.database,
        applied: convert::tally(one.applied),
        corrected: convert::tally(one.corrected),
        exception: convert::tally(one.exception),
        duplicate: convert::tally(one.duplicate),
        prenote: convert::tally(one.prenote),
        held: convert::tally(one.held),
        dismissed: convert::tally(one.dismissed),
        rejected: convert::tally(one.rejected),
    });
    Ok(proto::ReportHeader {
        key: report.key.clone(),
        sha256: report.sha256.clone(),
        size_bytes: report.size_bytes,
        rows: report.rows,
        outcomes: outcomes.collect(),
        databases: databases.collect(),
        ties_out: report.ties_out,
        differences: summary.tie_out.differences,
        totals_key: report.totals_key.clone(),
        reported_at: Some(timestamp(report.at)),
        left_out: summary.totals.left_out,
        currencies: convert::currencies(&summary.totals.currencies),
    })
}
