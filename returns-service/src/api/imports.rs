//! Importing files, and how imports are.

use std::pin::Pin;
use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_service::server::deadline_of;
use futures_util::Stream;
use proto::import_file_request::Part;
use returns_import::{DryRun, ReceiveError, Receiving, Source, record};
use returns_model::import::{ImportRecord, Phase, Received};
use returns_store::{Seen, Topic};
use tokio_stream::StreamExt as _;
use tonic::{Request, Status, Streaming};
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::{Api, convert, page};

pub(crate) type WatchStream =
    Pin<Box<dyn Stream<Item = Result<proto::WatchImportResponse, Status>> + Send>>;

/// Unreadable lines that an import lists.
const SHOWN_LINES: u32 = 100;

/// The pause between two messages of a watched import.
const BETWEEN_CHANGES: Duration = Duration::from_millis(100);

/// The longest name a file may have, in bytes.
const MAX_NAME: usize = 255;

/// The largest chunk a call may send, in bytes.
const MAX_CHUNK: usize = 1 << 20;

impl Api {
    pub(super) async fn take_file(
        &self,
        mut parts: Streaming<proto::ImportFileRequest>,
    ) -> Result<proto::ImportFileResponse, ApiError> {
        let header = match parts
            .next()
            .await
            .transpose()
            .map_err(errors::of_stream)?
            .and_then(|message| message.part)
        {
            Some(Part::Header(header)) => header,
            Some(Part::Chunk(_)) | None => {
                return Err(errors::invalid(
                    "header",
                    "the first message must be the header",
                ));
            }
        };
        let source = self.source(&header)?;
        check_name(&header.file_name)?;

        let nonce = Uuid::new_v4();
        let mut receiving = Receiving::begin(&self.spool, nonce, self.max_file_bytes)
            .map_err(ReceiveError::from)?;
        while let Some(message) = parts.next().await.transpose().map_err(errors::of_stream)? {
            match message.part {
                Some(Part::Chunk(bytes)) if bytes.len() > MAX_CHUNK => {
                    return Err(errors::invalid("chunk", "is larger than 1 MiB"));
                }
                Some(Part::Chunk(bytes)) => {
                    // Encrypting and writing blocks; a chunk at a time is short.
                    receiving = tokio::task::spawn_blocking(move || {
                        receiving.write(&bytes).map(|()| receiving)
                    })
                    .await
                    .map_err(|_| errors::stopping())??;
                }
                Some(Part::Header(_)) | None => {
                    return Err(errors::invalid("part", "after the header come only chunks"));
                }
            }
        }
        let at = self.clock.now();
        let (owned, name) = (source.clone(), header.file_name.clone());
        let (spool, new) =
            tokio::task::spawn_blocking(move || receiving.keep(&owned, &name, at, nonce))
                .await
                .map_err(|_| errors::stopping())??;
        if header.dry_run {
            return self.show_only(source, new).await;
        }
        let received = record(&*self.store, &spool, new).await?;
        self.notifier.file_received();
        let (import, duplicate_file) = match received {
            Received::New(import) => (import, false),
            Received::Known(import) => (import, true),
        };
        tracing::info!(
            import_id = import.import_id,
            source = source.name,
            file_name = header.file_name,
            sha256 = import.new.sha256,
            duplicate_file,
            "file received"
        );
        let import = self.wait(&import.import_id, header.wait()).await?;
        Ok(proto::ImportFileResponse {
            file_import: Some(import),
            duplicate_file,
        })
    }

    fn source(&self, header: &proto::ImportFileHeader) -> Result<&Source, ApiError> {
        self.decider.sources.get(&header.source).ok_or_else(|| {
            let mut names: Vec<&str> = self.decider.sources.keys().map(String::as_str).collect();
            names.sort_unstable();
            errors::invalid(
                "header.source",
                format!(
                    "{:?} is not configured; there are: {}",
                    header.source,
                    names.join(", ")
                ),
            )
        })
    }

    async fn show_only(
        &self,
        source: &Source,
        new: returns_model::import::NewImport,
    ) -> Result<proto::ImportFileResponse, ApiError> {
        let dry_run = DryRun {
            decider: &self.decider,
            spool: &self.spool,
            batch_size: self.batch_size,
            now: self.clock.now(),
        };
        let (record, lines) = dry_run.run(source, new).await?;
        let mut import = convert::import(&record);
        import.rejected_lines = lines
            .iter()
            .map(|line| convert::rejected(&line.rejected))
            .collect();
        if matches!(record.phase, Phase::Decided { .. }) {
            import.state = proto::ImportState::DryRun.into();
        }
        Ok(proto::ImportFileResponse {
            file_import: Some(import),
            duplicate_file: false,
        })
    }

    /// Waits until the import is as far as asked. The deadline of the call, which the server
    /// keeps, ends the wait; the import goes on.
    async fn wait(
        &self,
        import_id: &str,
        level: proto::WaitLevel,
    ) -> Result<proto::Import, ApiError> {
        loop {
            let seen = self.notifier.seen();
            let import = self.import_record(import_id).await?;
            let enough = match (level, &import.phase) {
                (proto::WaitLevel::Unspecified, _)
                | (_, Phase::Rejected { .. } | Phase::Applied { .. })
                | (proto::WaitLevel::Decided, Phase::Decided { .. }) => true,
                (
                    proto::WaitLevel::Decided | proto::WaitLevel::Applied,
                    Phase::Checking | Phase::Deciding { .. },
                )
                | (proto::WaitLevel::Applied, Phase::Decided { .. }) => false,
            };
            if enough {
                return self.whole_import(import_id).await;
            }
            if self.shutdown.is_cancelled() {
                return Err(errors::stopping());
            }
            self.wait_for_change(seen).await;
        }
    }

    /// Waits for anything that an import's answer shows.
    async fn wait_for_change(&self, seen: Seen) {
        let topics = [Topic::Import, Topic::Database, Topic::Hold, Topic::Report];
        let longest = Duration::from_secs(1);
        self.notifier
            .wait(seen, &topics, longest, &self.shutdown)
            .await;
    }

    pub(super) async fn import_record(&self, import_id: &str) -> Result<ImportRecord, ApiError> {
        self.store
            .import(import_id)
            .await?
            .ok_or_else(|| errors::not_found("import", import_id))
    }

    /// An import with its lines and the progress of every database.
    pub(super) async fn whole_import(&self, import_id: &str) -> Result<proto::Import, ApiError> {
        let record = self.import_record(import_id).await?;
        let lines = self.store.rejected_lines(import_id, SHOWN_LINES).await?;
        let mut import = self.import_with_progress(&record).await?;
        import.rejected_lines = lines
            .iter()
            .map(|line| convert::rejected(&line.rejected))
            .collect();
        Ok(import)
    }

    async fn import_with_progress(&self, record: &ImportRecord) -> Result<proto::Import, ApiError> {
        let mut import = convert::import(record);
        let files = self.store.files_of(&record.import_id).await?;
        import.fault = self
            .faults
            .of(&record.import_id)
            .or_else(|| files.fault.as_ref().map(|fault| fault.what.clone()))
            .unwrap_or_default();
        convert::files(&mut import, files);
        for database in self.databases.iter() {
            let progress = self
                .store
                .import_progress(&record.import_id, database)
                .await?;
            import.first_position = progress.first_position;
            import.last_position = progress.last_position;
            import
                .databases
                .push(Self::database_progress(database, progress));
        }
        Ok(import)
    }

    pub(super) async fn page_of_imports(
        &self,
        request: proto::ListImportsRequest,
    ) -> Result<proto::ListImportsResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::time_and_id(&request.page_token)?;
        let source = (!request.source.is_empty()).then_some(request.source.as_str());
        let records = self.store.imports(source, before, size).await?;
        let next_page_token = match records.last() {
            Some(last) if records.len() == size as usize => {
                page::token_of(last.new.received_at, &last.import_id)
            }
            Some(_) | None => String::new(),
        };
        let mut imports = Vec::with_capacity(records.len());
        for record in &records {
            imports.push(self.import_with_progress(record).await?);
        }
        Ok(proto::ListImportsResponse {
            imports,
            next_page_token,
        })
    }

    /// Sends the import whenever it has changed, until it can change no more.
    pub(super) async fn watch(
        &self,
        request: Request<proto::WatchImportRequest>,
    ) -> Result<WatchStream, ApiError> {
        let deadline = deadline_of(&request).map(|deadline| deadline.0);
        let import_id = request.into_inner().import_id;
        // An unknown id is the call's error, not the stream's.
        self.import_record(&import_id).await?;
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        let api = self.clone();
        tokio::spawn(async move {
            let watching = api.send_changes(&import_id, &sender);
            let ended = match deadline {
                Some(at) => tokio::time::timeout_at(at, watching)
                    .await
                    .unwrap_or_else(|_| {
                        let what = "the import is not finished yet; watch it again";
                        Err(errors::deadline_exceeded(what))
                    }),
                None => watching.await,
            };
            if let Err(error) = ended {
                // A caller that has gone needs no answer.
                let _ = sender.send(Err(error.into())).await;
            }
        });
        Ok(Box::pin(tokio_stream::wrappers::ReceiverStream::new(
            receiver,
        )))
    }

    async fn send_changes(
        &self,
        import_id: &str,
        sender: &tokio::sync::mpsc::Sender<Result<proto::WatchImportResponse, Status>>,
    ) -> Result<(), ApiError> {
        let mut last = None;
        loop {
            let seen = self.notifier.seen();
            let import = self.whole_import(import_id).await?;
            let over = matches!(
                import.state(),
                proto::ImportState::Rejected | proto::ImportState::Applied
            );
            if last.as_ref() != Some(&import) {
                last = Some(import.clone());
                let message = proto::WatchImportResponse {
                    file_import: Some(import),
                };
                if sender.send(Ok(message)).await.is_err() {
                    return Ok(());
                }
            }
            if over {
                return Ok(());
            }
            if self.shutdown.is_cancelled() {
                return Err(errors::stopping());
            }
            tokio::select! {
                () = sender.closed() => return Ok(()),
                () = self.wait_for_change(seen) => {}
            }
            // An import changes with every batch; people read no faster.
            tokio::time::sleep(BETWEEN_CHANGES).await;
        }
    }
}

/// A name is data for people: long ones and control characters are refused, since they only
/// break the places where it is shown.
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(errors::invalid(
            "header.file_name",
            "must have 1 to 255 bytes",
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(errors::invalid(
            "header.file_name",
            "must not have control characters",
        ));
    }
    Ok(())
}
