//! Importing files, and the progress of imports.

use std::ops::ControlFlow;

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use proto::import_file_request::Part;
use returns_import::{DryRun, KeptFile, ReceiveError, Receiving, Source, sources_like};
use returns_model::import::{ImportRecord, Phase, PhaseName, Received, RejectedLine};
use returns_store::ImportFilter;
use tokio_stream::StreamExt as _;
use tonic::Streaming;
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::filter::{Amounts, Filters, Times};
use super::operator::Operator;
use super::page::Filtered;
use super::requests::{AfterCrash, Repeatable};
use super::{Api, answer, convert, door, page};

/// Unreadable lines that an import lists.
const SHOWN_LINES: u32 = 100;

/// The longest name a file may have, in bytes.
const MAX_NAME: usize = 255;

/// The largest chunk a call may send, in bytes.
const MAX_CHUNK: usize = 1 << 20;

/// What makes two imports the same request.
#[derive(Clone, PartialEq, prost::Message)]
struct ImportRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<proto::ImportFileHeader>,
    #[prost(string, tag = "2")]
    sha256: String,
}

impl Repeatable for ImportRequest {
    fn request_id(&self) -> &str {
        self.header.as_ref().map_or("", |header| &header.request_id)
    }
}

impl Api {
    pub(super) async fn import_file(
        &self,
        caller: &Caller,
        mut parts: Streaming<proto::ImportFileRequest>,
    ) -> Result<proto::ImportFileResponse, ApiError> {
        let Some(Part::Header(header)) = next_part(&mut parts).await?.flatten() else {
            let what = "the first message must be the header";
            return Err(errors::invalid("header", what));
        };
        let header = door::admit(header)?;
        let source = self.source_of(&header)?;
        check_name(&header.file_name)?;
        let wait = wait_level(header.wait)?;
        let operator = match header.accept_missing_controls {
            true => Operator::with_reason(caller, &header.request_id, &header.reason)?,
            false => {
                Operator::of(caller, &header.request_id, &header.reason).within_limit("reason")?
            }
        };
        let mut kept = self.receive(&mut parts, source, &header.file_name).await?;
        if header.accept_missing_controls {
            kept = kept.without_controls(operator.identity());
        }
        if header.dry_run {
            return self.dry_run(source, kept).await;
        }
        let request = ImportRequest {
            header: Some(header.clone()),
            sha256: kept.sha256().to_owned(),
        };
        let work = self.import_kept(operator, &header, kept, wait);
        // The same bytes again are the same import, whatever became of the first answer.
        let kind = ("import_file", AfterCrash::Repeat);
        self.requests.run(caller, kind, &request, work).await
    }

    /// Makes an import of a file that was received.
    async fn import_kept(
        &self,
        operator: Operator<'_>,
        header: &proto::ImportFileHeader,
        kept: KeptFile,
        wait: proto::WaitLevel,
    ) -> Result<proto::ImportFileResponse, ApiError> {
        let received = kept.record(&self.store).await?;
        self.notifier.file_received();
        let (import, duplicate_file) = match received {
            Received::New(import) => (import, false),
            Received::Known(import) => (import, true),
        };
        let after = if duplicate_file {
            "known already"
        } else {
            "received"
        };
        let action = match header.accept_missing_controls && !duplicate_file {
            true => "accept_missing_controls",
            false => "import_file",
        };
        let subject = format!("import:{}", import.import_id);
        let audit = operator.audit(self.clock.now(), (action, subject, ("", after)));
        self.store.record_audit(&audit).await?;
        tracing::info!(
            import_id = import.import_id,
            source = header.source,
            file_name = header.file_name,
            sha256 = import.new.sha256,
            duplicate_file,
            "file received"
        );
        let import = self.wait(&import.import_id, wait).await?;
        Ok(proto::ImportFileResponse {
            file_import: Some(import),
            duplicate_file,
        })
    }

    /// Writes the chunks to the spool.
    async fn receive(
        &self,
        parts: &mut Streaming<proto::ImportFileRequest>,
        source: &Source,
        file_name: &str,
    ) -> Result<KeptFile, ApiError> {
        let nonce = Uuid::new_v4();
        let mut receiving = Receiving::begin(&self.spool, nonce, self.max_file_bytes)
            .map_err(ReceiveError::from)?;
        while let Some(part) = next_part(parts).await? {
            let Some(Part::Chunk(bytes)) = part else {
                return Err(errors::invalid("part", "after the header come only chunks"));
            };
            if bytes.len() > MAX_CHUNK {
                return Err(errors::invalid("chunk", "is larger than 1 MiB"));
            }
            // Encrypting and writing blocks; a chunk at a time is short.
            receiving = blocking(move || receiving.write(&bytes).map(|()| receiving)).await?;
        }
        let (source, file_name, at) = (source.clone(), file_name.to_owned(), self.clock.now());
        blocking(move || receiving.keep(&source, &file_name, at, nonce)).await
    }

    fn source_of(&self, header: &proto::ImportFileHeader) -> Result<&Source, ApiError> {
        self.decider.sources.get(&header.source).ok_or_else(|| {
            let mut names: Vec<&str> = self.decider.sources.keys().map(String::as_str).collect();
            names.sort_unstable();
            let (name, known) = (&header.source, names.join(", "));
            let what = format!("{name:?} is not configured; configured sources: {known}");
            errors::invalid("header.source", what)
        })
    }

    async fn dry_run(
        &self,
        source: &Source,
        kept: KeptFile,
    ) -> Result<proto::ImportFileResponse, ApiError> {
        let dry_run = DryRun {
            decider: &self.decider,
            spool: &self.spool,
            batch_size: self.batch_size,
            now: self.clock.now(),
        };
        let (record, lines) = dry_run.run(source, kept).await?;
        let mut import = self.import_as_it_is(&record);
        import.rejected_lines = lines.into_iter().map(convert::rejected_line).collect();
        if matches!(record.phase, Phase::Decided { .. }) {
            import.state = proto::ImportState::DryRun.into();
        }
        Ok(proto::ImportFileResponse {
            file_import: Some(import),
            duplicate_file: false,
        })
    }

    pub(super) async fn import_record(&self, import_id: &str) -> Result<ImportRecord, ApiError> {
        self.store
            .import(import_id)
            .await?
            .ok_or_else(|| errors::not_found("import", import_id))
    }

    pub(super) async fn get_import(
        &self,
        request: proto::GetImportRequest,
    ) -> Result<proto::GetImportResponse, ApiError> {
        Ok(proto::GetImportResponse {
            file_import: Some(self.whole_import(&request.import_id).await?),
        })
    }

    /// An import with its lines and the progress of every database.
    pub(super) async fn whole_import(&self, import_id: &str) -> Result<proto::Import, ApiError> {
        let record = self.import_record(import_id).await?;
        let lines = self
            .store
            .rejected_lines(import_id, None, SHOWN_LINES)
            .await?;
        let mut import = self.import_with_progress(&record).await?;
        import.rejected_lines_token = page::next(&lines, SHOWN_LINES, |last| last.ordinal);
        import.rejected_lines = lines.into_iter().map(convert::rejected_line).collect();
        Ok(import)
    }

    pub(super) async fn list_rejected_lines(
        &self,
        request: proto::ListRejectedLinesRequest,
    ) -> Result<proto::ListRejectedLinesResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::place(&request.page_token)?;
        let import_id = &request.import_id;
        let lines = self.store.rejected_lines(import_id, after, size).await?;
        if lines.is_empty() {
            // Whether there is such an import at all.
            self.import_record(import_id).await?;
        }
        let place = |last: &RejectedLine| last.ordinal;
        let end = page::next(&lines, size, place);
        let (rejected_lines, next_page_token) =
            answer::page(lines, end, place, |line| Some(convert::rejected_line(line)));
        Ok(proto::ListRejectedLinesResponse {
            rejected_lines,
            next_page_token,
        })
    }

    pub(super) async fn retry_import(
        &self,
        caller: &Caller,
        request: proto::RetryImportRequest,
    ) -> Result<proto::RetryImportResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let import_id = &request.import_id;
        self.import_record(import_id).await?;
        if !self.store.retry_import(import_id).await? {
            let what = "the import is not parked; it continues by itself, or it has ended";
            return Err(errors::precondition("NOT_PARKED", what));
        }
        let subject = format!("import:{import_id}");
        let change = ("retry_import", subject, ("parked", "tried again"));
        let audit = operator.audit(self.clock.now(), change);
        self.store.record_audit(&audit).await?;
        self.notifier.import_changed();
        Ok(proto::RetryImportResponse {
            file_import: Some(self.whole_import(import_id).await?),
        })
    }

    /// An import as its record has it. A file that was rejected may belong to another source.
    fn import_as_it_is(&self, record: &ImportRecord) -> proto::Import {
        let mut import = convert::import(record);
        if let Some(rejection) = &mut import.rejection {
            let sources = self.decider.sources.values();
            rejection.looks_like_sources = sources_like(&rejection.looks_like, sources);
        }
        import
    }

    async fn import_with_progress(&self, record: &ImportRecord) -> Result<proto::Import, ApiError> {
        let import_id = &record.import_id;
        let mut import = self.import_as_it_is(record);
        let files = self.store.files_of(import_id).await?;
        import.fault = self
            .faults
            .of(import_id)
            .or_else(|| files.fault.as_ref().map(|fault| fault.what.clone()))
            .unwrap_or_default();
        convert::files(&mut import, files);
        self.import_databases(&mut import).await?;
        Ok(import)
    }

    pub(super) async fn list_imports(
        &self,
        request: proto::ListImportsRequest,
    ) -> Result<proto::ListImportsResponse, ApiError> {
        let received = (request.received_from, request.received_before);
        let received = Times::read(["received_from", "received_before"], received)?;
        let amounts = Amounts::read((request.min_amount_minor, request.max_amount_minor))?;
        let mut filter = ImportFilter {
            source: page::given(&request.source).map(str::to_owned),
            phase: phase_of(request.state)?,
            received_from: received.from,
            received_before: received.before,
            before: None,
        };
        let size = page::size(request.page_size);
        let first = page::place(&request.page_token)?;
        let place = |last: &ImportRecord| (last.new.received_at, last.import_id.clone());
        let mut page = Filtered::new(size, amounts != Amounts::default(), first);
        while page.is_open() {
            filter.before = page.place();
            let records = self.store.imports(&filter, page.rows_to_read()).await?;
            page.take(records, place, |record| {
                ControlFlow::Continue(amounts.include(record.totals.read.amount_minor))
            });
        }
        let (records, end) = page.finish();
        if records.is_empty() && end.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                source: &request.source,
                ..Filters::default()
            };
            self.check_filters(filters).await?;
        }
        let mut imports = Vec::with_capacity(records.len());
        for record in &records {
            imports.push((place(record), self.import_with_progress(record).await?));
        }
        let (imports, next_page_token) = answer::page(
            imports,
            end,
            |(place, _)| place.clone(),
            |(_, shown)| Some(shown),
        );
        Ok(proto::ListImportsResponse {
            imports,
            next_page_token,
        })
    }
}

/// The next message of a file: its part, if it has one; `None` at the end.
async fn next_part(
    parts: &mut Streaming<proto::ImportFileRequest>,
) -> Result<Option<Option<Part>>, ApiError> {
    let message = parts.next().await.transpose().map_err(errors::of_stream)?;
    Ok(message.map(|message| message.part))
}

/// Does what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReceiveError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| errors::stopping())??)
}

/// The phase that a list is asked for.
fn phase_of(state: i32) -> Result<Option<PhaseName>, ApiError> {
    use proto::ImportState;
    Ok(match ImportState::try_from(state) {
        Ok(ImportState::Unspecified) => None,
        Ok(ImportState::Checking) => Some(PhaseName::Checking),
        Ok(ImportState::Rejected) => Some(PhaseName::Rejected),
        Ok(ImportState::Deciding) => Some(PhaseName::Deciding),
        Ok(ImportState::Decided) => Some(PhaseName::Decided),
        Ok(ImportState::Applied) => Some(PhaseName::Applied),
        Ok(ImportState::DryRun) => {
            return Err(errors::invalid("state", "a preview is not recorded"));
        }
        Err(_) => {
            return Err(errors::invalid(
                "state",
                format!("{state} is not a valid value"),
            ));
        }
    })
}

fn wait_level(number: i32) -> Result<proto::WaitLevel, ApiError> {
    proto::WaitLevel::try_from(number)
        .map_err(|_| errors::invalid("header.wait", format!("{number} is not a valid value")))
}

/// A name is data for people: long ones and control characters are refused, since they only
/// break the places where it is shown.
fn check_name(name: &str) -> Result<(), ApiError> {
    let what = if name.is_empty() || name.len() > MAX_NAME {
        "must have 1 to 255 bytes"
    } else if name.chars().any(char::is_control) {
        "must not have control characters"
    } else {
        return Ok(());
    };
    Err(errors::invalid("header.file_name", what))
}
