//! `echeck import`: sends a file, watches its import, shows the totals.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use echeck_proto::returns::v1 as proto;
use echeck_service::shutdown;
use proto::import_file_request::Part;
use proto::{DatabaseState, ImportState};
use tokio::io::AsyncReadExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::arguments::RequestId;
use super::connect::Client;
use super::imports;
use crate::exit;
use crate::failure::{Failure, missing};
use crate::output::{Progress, note, out};
use crate::words::Words as _;

/// The size of a message, in bytes.
const CHUNK: usize = 64 << 10;

/// What to import, and how.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck import returns.ach --source nacha --wait applied\n  \
    echeck import report.csv --source worldpay_returns --dry-run\n\n\
    Exit codes: 0 done, 2 done with holds or unreadable lines, or a database refused entries, \
    3 file rejected, 1 failed, \
    5 deadline passed"
)]
pub(crate) struct ImportArguments {
    /// The file; or the id of an import, which is then shown.
    file: PathBuf,
    /// The configured source that the file belongs to. Required to import it.
    #[arg(long)]
    source: Option<String>,
    /// How long to wait.
    #[arg(long, value_enum, default_value_t = WaitArgument::Applied)]
    wait: WaitArgument,
    /// Preview; save nothing.
    #[arg(long)]
    dry_run: bool,
    /// Import a NACHA file although its controls are missing, so that it may be half of one.
    #[arg(long, requires = "reason")]
    accept_missing_controls: bool,
    /// Why; recorded in the audit log.
    #[arg(long, requires = "accept_missing_controls", help_heading = "Change")]
    reason: Option<String>,
    #[command(flatten)]
    request: RequestId,
}

/// How long an import waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WaitArgument {
    /// Until the file is stored and recorded.
    Received,
    /// Until every entry is decided.
    Decided,
    /// Until every database has what was decided.
    Applied,
}

pub(super) async fn run(arguments: ImportArguments, service: &Client) -> Result<u8, Failure> {
    let Some(source) = arguments.source.clone() else {
        return match import_id(&arguments.file) {
            Some(id) => imports::show(id, service).await,
            None => Err(Failure::Usage(
                "name the source of the file with --source".to_owned(),
            )),
        };
    };
    let parts = parts(&arguments, source, service.json).await?;
    let mut answer = service.returns().import_file(parts).await?.into_inner();
    let mut import = answer.file_import.take().ok_or_else(|| missing("import"))?;
    if !arguments.dry_run && arguments.wait != WaitArgument::Received {
        import = follow(arguments.wait, service, import).await?;
    }
    let code = code(&import);
    answer.file_import = Some(import);
    service.show(&answer, print)?;
    Ok(code)
}

fn print(answer: &proto::ImportFileResponse) -> io::Result<()> {
    if answer.duplicate_file {
        writeln!(out(), "This file was imported before; nothing has changed.")?;
    }
    answer.file_import.as_ref().map_or(Ok(()), imports::print)
}

fn code(import: &proto::Import) -> u8 {
    let totals = import.totals.unwrap_or_default();
    let some = |tally: Option<proto::Tally>| tally.is_some_and(|tally| tally.count > 0);
    if import.state() == ImportState::Rejected {
        exit::REJECTED
    } else if some(totals.held)
        || some(totals.rejected)
        || import.databases.iter().any(|one| one.exceptions > 0)
    {
        exit::NEEDS_ATTENTION
    } else {
        exit::OK
    }
}

/// The id of an import where that was named instead of a file.
fn import_id(file: &Path) -> Option<String> {
    let name = file.to_str()?;
    (name.starts_with("imp_") && !file.exists()).then(|| name.to_owned())
}

/// Reads the file as fast as the service takes it. An error while reading ends the stream, and
/// with it the import, before anything is recorded.
async fn parts(
    arguments: &ImportArguments,
    source: String,
    json: bool,
) -> Result<ReceiverStream<proto::ImportFileRequest>, Failure> {
    let path = arguments.file.clone();
    let file = tokio::fs::File::open(&path)
        .await
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let size = file.metadata().await.map_or(0, |metadata| metadata.len());
    let mut sending = Sending {
        progress: Progress::of_bytes(json),
        sent: 0,
        size,
    };
    let header = Part::Header(proto::ImportFileHeader {
        source,
        file_name: name(&path),
        wait: proto::WaitLevel::Unspecified.into(),
        dry_run: arguments.dry_run,
        accept_missing_controls: arguments.accept_missing_controls,
        request_id: arguments.request.request_id.clone(),
        reason: arguments.reason.clone().unwrap_or_default(),
    });
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        let sent = send(header, file, &sender, &mut sending).await;
        sending.progress.finish();
        if let Err(error) = sent {
            let failure = anyhow::Error::new(error).context(path.display().to_string());
            let code = Failure::Local(failure).print(json);
            // Ending the program breaks the call, so the service forgets the part it has.
            std::process::exit(code.into());
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// How much of a file is sent.
struct Sending {
    progress: Progress,
    sent: u64,
    size: u64,
}

impl Sending {
    fn add(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.progress.set("sending", self.sent, self.size);
    }
}

/// Sends the header and the file. A receiver that has gone ends it early.
async fn send(
    header: Part,
    mut file: tokio::fs::File,
    sender: &tokio::sync::mpsc::Sender<proto::ImportFileRequest>,
    sending: &mut Sending,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut part = header;
    loop {
        let message = proto::ImportFileRequest { part: Some(part) };
        if sender.send(message).await.is_err() {
            return Ok(());
        }
        let length = file.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        sending.add(length);
        part = Part::Chunk(buffer.get(..length).unwrap_or_default().to_vec());
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Follows the import until it is as far as requested. It says first which import that is, so that
/// it can be followed when this command is interrupted or the service stops.
async fn follow(
    wait: WaitArgument,
    service: &Client,
    import: proto::Import,
) -> Result<proto::Import, Failure> {
    let import_id = import.import_id.clone();
    note(&format!("importing as {import_id}"));
    let interrupted = shutdown::on_signal();
    let watched = tokio::select! {
        watched = watch(wait, service, import) => watched,
        () = interrupted.cancelled() => Err(Failure::Interrupted),
    };
    if watched.is_err() {
        note(&format!(
            "the import continues by itself; follow it with: echeck imports {import_id}"
        ));
    }
    watched
}

/// Watches the import until it is as far as requested.
async fn watch(
    wait: WaitArgument,
    service: &Client,
    import: proto::Import,
) -> Result<proto::Import, Failure> {
    let mut progress = Progress::of_things(service.json, "entries");
    let ask = proto::WatchImportRequest {
        import_id: import.import_id.clone(),
    };
    let mut changes = service.returns().watch_import(ask).await?.into_inner();
    let mut latest = import;
    let mut said = None;
    while let Some(change) = changes.message().await? {
        let Some(import) = change.file_import else {
            continue;
        };
        progress.set(
            &import.state().words(),
            import.entries_done,
            import.entries_total,
        );
        let waiting = waiting_for(&import);
        if let Some(waiting) = waiting.as_ref().filter(|_| waiting != said) {
            progress.say(waiting);
        }
        said = waiting;
        latest = import;
        let decided = matches!(latest.state(), ImportState::Decided | ImportState::Applied);
        if wait == WaitArgument::Decided && decided {
            break;
        }
    }
    progress.finish();
    Ok(latest)
}

/// What an unfinished import waits for, if anything keeps it from continuing.
fn waiting_for(import: &proto::Import) -> Option<String> {
    let mut databases = import.databases.iter();
    if let Some(one) = databases.find(|one| one.state() == DatabaseState::Fault) {
        return Some(format!("waiting for {}: {}", one.database, one.fault));
    }
    let unfinished = import.applied_at.is_none();
    (unfinished && !import.fault.is_empty()).then(|| format!("waiting: {}", import.fault))
}
