//! `echeck report`: fetches a report, checks that it is the one that was written, and saves it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use echeck_proto::returns::v1 as proto;
use proto::get_report_response::Part;
use sha2::{Digest as _, Sha256};
use tonic::Streaming;

use super::connect::Client;
use super::imports::outcome_table;
use super::json;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Progress, Screen, Tone, counted, grouped, out, print_json};

/// Which report to save, and where.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck report imp_0123456789abcdef01234567\n  \
    echeck report imp_0123456789abcdef01234567 -o - | head\n\n\
    Exit codes: 0 saved, 2 saved but it does not tie out, 4 there is no such import, 1 failed, \
    5 deadline passed"
)]
pub(crate) struct ReportArguments {
    /// The import.
    import_id: String,
    /// Where to save it; `-` for standard output. Default: `IMPORT.csv` in this folder.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub(super) async fn run(
    ReportArguments { import_id, output }: ReportArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let to_stdout = output.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if to_stdout && service.json {
        let what = "-o - writes the report to standard output, where --json would write too";
        return Err(anyhow!(what).into());
    }
    let path = output.unwrap_or_else(|| PathBuf::from(format!("{import_id}.csv")));
    let ask = proto::GetReportRequest { import_id };
    let mut parts = service.returns().get_report(ask).await?.into_inner();
    let header = match parts.message().await?.and_then(|message| message.part) {
        Some(Part::Header(header)) => header,
        Some(Part::Chunk(_)) | None => return Err(anyhow!("the service sent no header").into()),
    };
    let mut report = Report {
        parts,
        progress: Progress::of_bytes(to_stdout || service.json),
        header,
    };
    if to_stdout {
        report.copy(&mut out()).await?;
    } else {
        report.save(&path).await?;
    }
    report.progress.finish();
    let header = report.header;
    if service.json {
        let mut object = json::of(&header)?;
        object["file"] = path.display().to_string().into();
        print_json(&object)?;
    } else if !to_stdout {
        print(&header, &path)?;
    }
    Ok(exit::ok_if(header.ties_out, exit::NEEDS_ATTENTION))
}

/// A report that is being fetched.
struct Report {
    parts: Streaming<proto::GetReportResponse>,
    header: proto::ReportHeader,
    progress: Progress,
}

impl Report {
    /// Saves under another name first, so that the file under its own name is always complete.
    async fn save(&mut self, path: &Path) -> Result<(), Failure> {
        let name = path.file_name();
        let mut part = name
            .with_context(|| format!("{} does not name a file", path.display()))?
            .to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(part);
        let cannot_write = || format!("{} cannot be written", path.display());
        let mut file = std::fs::File::create(&part).with_context(cannot_write)?;
        let saved = match self.copy(&mut file).await {
            Ok(()) => file
                .sync_all()
                .and_then(|()| std::fs::rename(&part, path))
                .with_context(cannot_write)
                .map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        if saved.is_err() {
            // A part of a report is of no use.
            let _ = std::fs::remove_file(&part);
        }
        saved
    }

    /// Copies the chunks, and fails at the end unless they are the bytes that were written.
    async fn copy(&mut self, to: &mut impl Write) -> Result<(), Failure> {
        let mut hasher = Sha256::new();
        let mut copied = 0;
        while let Some(message) = self.parts.message().await? {
            let Some(Part::Chunk(chunk)) = message.part else {
                return Err(anyhow!("the service sent something other than the report").into());
            };
            hasher.update(&chunk);
            to.write_all(&chunk)
                .context("the report cannot be written")?;
            copied += chunk.len() as u64;
            self.progress
                .set("fetching", copied, self.header.size_bytes);
        }
        to.flush().context("the report cannot be written")?;
        let digest = hasher.finalize();
        let seen: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = &self.header.sha256;
        if seen == *written {
            return Ok(());
        }
        Err(anyhow!(
            "the report is not the one that was written: its SHA-256 is {seen} and should be \
             {written}"
        )
        .into())
    }
}

/// Prints the summary of the report for people.
fn print(header: &proto::ReportHeader, path: &Path) -> io::Result<()> {
    let outcomes = header.outcomes.iter();
    let outcomes = outcomes.map(|one| (&*one.outcome, one.tally.unwrap_or_default()));
    outcome_table(outcomes, &header.currencies).print()?;
    if header.left_out > 0 {
        writeln!(out(), "left out: {}", grouped(header.left_out))?;
    }
    if header.ties_out {
        let verdict = "Everything in the file is accounted for.";
        writeln!(out(), "{}", Tone::Good.paint(verdict, Screen::of_stdout()))?;
    } else {
        let verdict = "It does not tie out:";
        writeln!(out(), "{}", Tone::Bad.paint(verdict, Screen::of_stdout()))?;
        for difference in &header.differences {
            writeln!(out(), "  {difference}")?;
        }
    }
    let rows = counted(header.rows, "row", "rows");
    writeln!(out(), "{rows} saved to {}.", path.display())
}
