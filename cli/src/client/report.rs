//! `echeck report`: fetch a report, see that it is the one that was written, and save it.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use echeck_proto::returns::v1 as proto;
use indicatif::{ProgressBar, ProgressStyle};
use proto::get_report_response::Part;
use sha2::{Digest as _, Sha256};
use tonic::Streaming;

use super::connect::{request, returns};
use super::{Common, Failure, exit, json, money};
use crate::output::{Table, print_line};

pub(super) async fn run(
    import_id: &str,
    output: Option<&Path>,
    common: &Common,
) -> Result<u8, Failure> {
    let to_stdout = output.is_some_and(|path| path.as_os_str() == "-");
    if to_stdout && common.json {
        let what = "-o - writes the report to standard output, where --json would write too";
        return Err(anyhow!(what).into());
    }
    let mut client = returns(common).await?;
    let ask = proto::GetReportRequest {
        import_id: import_id.to_owned(),
    };
    let mut parts = client.get_report(request(common, ask)).await?.into_inner();
    let header = match parts.message().await?.and_then(|message| message.part) {
        Some(Part::Header(header)) => header,
        Some(Part::Chunk(_)) | None => return Err(anyhow!("the service sent no header").into()),
    };
    let bar = bar(common, header.size_bytes);
    if to_stdout {
        copy(&mut parts, &header, &bar, &mut std::io::stdout().lock()).await?;
        bar.finish_and_clear();
        return Ok(code(&header));
    }
    let path = output.map_or_else(|| PathBuf::from(format!("{import_id}.csv")), Path::to_owned);
    save(&mut parts, &header, &bar, &path).await?;
    bar.finish_and_clear();
    if common.json {
        let mut object = json::report(&header);
        object["file"] = path.display().to_string().into();
        print_line(&object.to_string())?;
    } else {
        show(&header, &path)?;
    }
    Ok(code(&header))
}

fn code(header: &proto::ReportHeader) -> u8 {
    if header.ties_out {
        exit::FINE
    } else {
        exit::LOOK
    }
}

fn bar(common: &Common, size_bytes: u64) -> ProgressBar {
    // indicatif draws on standard error, and only on a terminal.
    let bar = if common.json {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(size_bytes)
    };
    match ProgressStyle::with_template("report     [{bar:30}] {bytes}/{total_bytes}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Saves under another name first: whoever finds the file under its own name finds all of it.
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
        // What is there is of no use to anybody.
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
            return Err(anyhow!("the service sent something else than the report").into());
        };
        hasher.update(&chunk);
        match to.write_all(&chunk) {
            // A reader that has gone, as `head` goes, wants no more.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                std::process::exit(exit::FINE.into())
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

/// The report in sum, for people.
fn show(header: &proto::ReportHeader, path: &Path) -> Result<(), Failure> {
    let mut table = Table::new(&["OUTCOME", ">ENTRIES", ">AMOUNT"]);
    for one in &header.outcomes {
        let tally = one.tally.unwrap_or_default();
        table.row(vec![
            one.outcome.clone(),
            tally.count.to_string(),
            money::amount(tally.amount_minor),
        ]);
    }
    table.print()?;
    if header.ties_out {
        print_line("Everything in the file is accounted for.")?;
    } else {
        print_line("It does not tie out:")?;
        for difference in &header.differences {
            print_line(&format!("  {difference}"))?;
        }
    }
    print_line(&format!("{} rows saved to {}", header.rows, path.display()))?;
    Ok(())
}
