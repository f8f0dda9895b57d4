//! `echeck report`: fetches a report, checks that it is the one that was written, and saves it.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use echeck_proto::returns::v1 as proto;
use indicatif::ProgressBar;
use proto::get_report_response::Part;
use sha2::{Digest as _, Sha256};
use tonic::Streaming;

use super::connect::Service;
use super::{Failure, amount, exit, json};
use crate::output::{Table, counted, print_line, progress_bar};

/// Which report to save, and where.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck report imp_0123456789abcdef01234567\n  \
    echeck report imp_0123456789abcdef01234567 -o - | head\n\n\
    Exit codes: 0 saved, 2 saved but it does not tie out, 4 there is no such import, 1 failed, \
    5 deadline passed"
)]
pub struct Arguments {
    /// The import.
    import_id: String,
    /// Where to save it; `-` for standard output. Default: `IMPORT.csv` in this folder.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub(super) async fn run(
    Arguments { import_id, output }: Arguments,
    service: &Service,
) -> Result<u8, Failure> {
    let to_stdout = output.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if to_stdout && service.json {
        let what = "-o - writes the report to standard output, where --json would write too";
        return Err(anyhow!(what).into());
    }
    let path = output.unwrap_or_else(|| PathBuf::from(format!("{import_id}.csv")));
    let ask = service.ask(proto::GetReportRequest { import_id });
    let mut parts = service.returns().get_report(ask).await?.into_inner();
    let header = match parts.message().await?.and_then(|message| message.part) {
        Some(Part::Header(header)) => header,
        Some(Part::Chunk(_)) | None => return Err(anyhow!("the service sent no header").into()),
    };
    let bar = progress_bar(service.json, "report     [{bar:30}] {bytes}/{total_bytes}");
    bar.set_length(header.size_bytes);
    if to_stdout {
        copy(&mut parts, &header, &bar, &mut std::io::stdout().lock()).await?;
    } else {
        save(&mut parts, &header, &bar, &path).await?;
    }
    bar.finish_and_clear();
    if service.json {
        let mut object = json::of(&header)?;
        object["file"] = path.display().to_string().into();
        print_line(&object.to_string())?;
    } else if !to_stdout {
        print(&header, &path)?;
    }
    Ok(exit::ok_if(header.ties_out, exit::NEEDS_ATTENTION))
}

/// Saves under another name first, so that the file under its own name is always complete.
async fn save(
    parts: &mut Streaming<proto::GetReportResponse>,
    header: &proto::ReportHeader,
    bar: &ProgressBar,
    path: &Path,
) -> Result<(), Failure> {
    let name = path
        .file_name()
        .with_context(|| format!("{} names no file", path.display()))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(part);
    let saved = write(parts, header, bar, &part).await;
    if let Err(failure) = saved {
        // A part of a report is of no use.
        let _ = std::fs::remove_file(&part);
        return Err(failure);
    }
    std::fs::rename(&part, path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

async fn write(
    parts: &mut Streaming<proto::GetReportResponse>,
    header: &proto::ReportHeader,
    bar: &ProgressBar,
    part: &Path,
) -> Result<(), Failure> {
    let mut file = std::fs::File::create(part)
        .with_context(|| format!("{} cannot be written", part.display()))?;
    copy(parts, header, bar, &mut file).await?;
    file.sync_all()
        .with_context(|| format!("{} cannot be written", part.display()))?;
    Ok(())
}

/// Copies the chunks, and fails at the end unless they are the bytes that were written.
async fn copy(
    parts: &mut Streaming<proto::GetReportResponse>,
    header: &proto::ReportHeader,
    bar: &ProgressBar,
    to: &mut impl Write,
) -> Result<(), Failure> {
    let mut hasher = Sha256::new();
    while let Some(message) = parts.message().await? {
        let Some(Part::Chunk(chunk)) = message.part else {
            return Err(anyhow!("the service sent something other than the report").into());
        };
        hasher.update(&chunk);
        match to.write_all(&chunk) {
            // A reader that has gone, such as `head`, needs no more.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                std::process::exit(exit::OK.into())
            }
            written => written.context("the report cannot be written")?,
        }
        bar.inc(chunk.len() as u64);
    }
    to.flush().context("the report cannot be written")?;
    let seen: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if seen == header.sha256 {
        return Ok(());
    }
    Err(anyhow!(
        "the report is not the one that was written: its SHA-256 is {seen} and should be {}",
        header.sha256
    )
    .into())
}

/// Prints the summary of the report for people.
fn print(header: &proto::ReportHeader, path: &Path) -> Result<(), Failure> {
    let mut table = Table::new(&["OUTCOME", ">ENTRIES", ">AMOUNT"]);
    for one in &header.outcomes {
        let tally = one.tally.unwrap_or_default();
        table.row(&[&one.outcome, &tally.count, &amount(tally.amount_minor)]);
    }
    table.print()?;
    if header.left_out > 0 {
        print_line(&format!("left out: {}", header.left_out))?;
    }
    if header.ties_out {
        print_line("Everything in the file is accounted for.")?;
    } else {
        print_line("It does not tie out:")?;
        for difference in &header.differences {
            print_line(&format!("  {difference}"))?;
        }
    }
    let rows = counted(header.rows, "row", "rows");
    Ok(print_line(&format!("{rows} saved to {}", path.display()))?)
}
