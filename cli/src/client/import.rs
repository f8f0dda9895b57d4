//! `echeck import`: send a file, watch what becomes of it, show the totals.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use indicatif::{ProgressBar, ProgressStyle};
use proto::import_file_request::Part;
use tokio::io::AsyncReadExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::connect::{request, returns};
use super::{Failure, ImportArguments, Wait, exit, json, money};
use crate::output::{Table, print_line};

/// Bytes in a message.
const CHUNK: usize = 64 << 10;

pub(super) async fn run(arguments: &ImportArguments) -> Result<u8, Failure> {
    let mut client = returns(&arguments.common).await?;
    let bar = bar(arguments, "{msg:10} [{bar:30}] {bytes}/{total_bytes}");
    let parts = parts(arguments, bar.clone()).await?;
    let answer = client
        .import_file(request(&arguments.common, parts))
        .await?
        .into_inner();
    bar.finish_and_clear();
    let mut import = answer.import.context("the service sent no import")?;
    if !arguments.dry_run && arguments.wait != Wait::Received {
        import = watch(arguments, &mut client, import).await?;
    }
    if arguments.common.json {
        let mut object = json::import(&import);
        object["duplicate_file"] = answer.duplicate_file.into();
        print_line(&object.to_string())?;
    } else {
        show(&import, answer.duplicate_file)?;
    }
    Ok(code(&import))
}

fn code(import: &proto::Import) -> u8 {
    let totals = import.totals.unwrap_or_default();
    let some = |tally: Option<proto::Tally>| tally.is_some_and(|tally| tally.count > 0);
    if import.state() == proto::ImportState::Rejected {
        exit::REJECTED
    } else if some(totals.held) || some(totals.rejected) {
        exit::LOOK
    } else {
        exit::FINE
    }
}

fn bar(arguments: &ImportArguments, template: &str) -> ProgressBar {
    // indicatif draws on standard error, and only on a terminal.
    let bar = if arguments.common.json {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(0)
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Reads the file as fast as the service takes it; a reading error ends the stream, and with
/// it the import, before anything is recorded.
async fn parts(
    arguments: &ImportArguments,
    bar: ProgressBar,
) -> Result<ReceiverStream<proto::ImportFileRequest>, Failure> {
    let path = arguments.file.clone();
    let mut file = tokio::fs::File::open(&path)
        .await
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let size = file.metadata().await.map_or(0, |metadata| metadata.len());
    bar.set_length(size);
    bar.set_message("sending");
    let header = proto::ImportFileHeader {
        source: arguments.source.clone(),
        file_name: name(&path),
        wait: proto::WaitLevel::Unspecified.into(),
        dry_run: arguments.dry_run,
    };
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        let header = proto::ImportFileRequest {
            part: Some(Part::Header(header)),
        };
        if sender.send(header).await.is_err() {
            return;
        }
        let mut buffer = vec![0; CHUNK];
        loop {
            match file.read(&mut buffer).await {
                Ok(0) => return,
                Ok(length) => {
                    bar.inc(length as u64);
                    let chunk = buffer.get(..length).unwrap_or_default().to_vec();
                    let part = proto::ImportFileRequest {
                        part: Some(Part::Chunk(chunk)),
                    };
                    if sender.send(part).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    crate::output::print_error(&format!("{}: {error}", path.display()));
                    // Ending the program breaks the call, so the service forgets the part it has.
                    std::process::exit(exit::FAILED.into());
                }
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Follows the import until it is as far as asked.
async fn watch(
    arguments: &ImportArguments,
    client: &mut proto::returns_service_client::ReturnsServiceClient<tonic::transport::Channel>,
    import: proto::Import,
) -> Result<proto::Import, Failure> {
    let bar = bar(arguments, "{msg:10} [{bar:30}] {pos}/{len} entries");
    bar.enable_steady_tick(Duration::from_millis(100));
    let ask = proto::WatchImportRequest {
        import_id: import.import_id.clone(),
    };
    let mut changes = client
        .watch_import(request(&arguments.common, ask))
        .await?
        .into_inner();
    let mut latest = import;
    while let Some(change) = changes.message().await? {
        let Some(import) = change.import else {
            continue;
        };
        bar.set_length(import.entries_total);
        bar.set_position(import.entries_done);
        bar.set_message(json::state(&import));
        if !import.fault.is_empty() {
            bar.println(format!("waiting: {}", import.fault));
        }
        latest = import;
        let decided = matches!(
            latest.state(),
            proto::ImportState::Decided | proto::ImportState::Applied
        );
        if arguments.wait == Wait::Decided && decided {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(latest)
}

/// The import for people.
pub(super) fn show(import: &proto::Import, duplicate_file: bool) -> Result<(), Failure> {
    if duplicate_file {
        print_line("These very bytes were imported before; nothing has changed.")?;
    }
    print_line(&format!(
        "{}  {}  source {}  {}",
        import.import_id,
        import.file_name,
        import.source,
        json::state(import)
    ))?;
    if let Some(why) = &import.rejection {
        let place = if why.line > 0 {
            format!("line {}: ", why.line)
        } else {
            String::new()
        };
        let field = if why.field.is_empty() {
            String::new()
        } else {
            format!("{}: ", why.field)
        };
        print_line(&format!("rejected: {place}{field}{}", why.why))?;
        return Ok(());
    }
    let totals = import.totals.unwrap_or_default();
    let mut table = Table::new(&["OUTCOME", ">ENTRIES", ">AMOUNT"]);
    for (label, tally) in [
        ("read", totals.read),
        ("returned", totals.returned),
        ("reversed", totals.reversed),
        ("failed", totals.failed),
        ("corrected", totals.corrected),
        ("duplicate", totals.duplicate),
        ("held", totals.held),
        ("rejected", totals.rejected),
    ] {
        let tally = tally.unwrap_or_default();
        table.row(vec![
            label.to_owned(),
            tally.count.to_string(),
            money::amount(tally.amount_minor),
        ]);
    }
    table.print()?;
    for line in &import.rejected_lines {
        print_line(&format!(
            "  line {}: {}: {}",
            line.line, line.field, line.why
        ))?;
    }
    for finding in &import.findings {
        print_line(&format!(
            "  let pass: {}: {} ({}×)",
            finding.field, finding.what, finding.count
        ))?;
    }
    for one in &import.databases {
        let fault = if one.fault.is_empty() {
            String::new()
        } else {
            format!("  {}", one.fault)
        };
        print_line(&format!(
            "{:<10} {}{fault}",
            one.database,
            json::database_state(one.state())
        ))?;
    }
    Ok(())
}
