//! `echeck demo`: a small world, the acquirer's files of the day, and the outcome of each return.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use tonic::transport::Channel;

use crate::client::{Words as _, amount, hold_columns};
use crate::database::{Connection, DatabaseArguments};
use crate::output::{Table, bold, out};
use crate::sample::{FilePlan, Layout, SampleWorld, echeck_return, fill, funding_reject, nacha};
use crate::stack::{DataFolder, OwnTrust, Ports, Stack, StackOptions, Trust};
use crate::up::grpcurl;

/// How the demo runs.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The folder of its databases and files. An earlier demo there is replaced.
    #[arg(long, default_value = "data/demo")]
    pub(crate) data: PathBuf,
    /// The seed of its world. The same seed gives the same world.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where its databases are. The named ones must be empty.
    #[command(flatten)]
    pub(crate) databases: DatabaseArguments,
}

/// Payments of the demo's world.
const PAYMENTS: u64 = 400;

/// Rows of a table that are shown.
const SHOWN: usize = 12;

/// The files of the day: source and name.
const FILES: [(&str, &str); 3] = [
    ("nacha", "RETURNS.ach"),
    ("worldpay_returns", "ECheckReturnReport.CSV"),
    ("worldpay_funding", "SubMerchantIBFundingReject.CSV"),
];

/// Runs the demo.
pub(crate) async fn run(arguments: &DemoArguments) -> Result<()> {
    remove_earlier(&arguments.data)?;
    let world = SampleWorld {
        seed: arguments.seed,
        payments: PAYMENTS,
        today: SystemClock.now().date_naive(),
    };
    let data = DataFolder::open(&arguments.data, &arguments.databases).await?;
    data.gateway().check_empty("transfers").await?;
    data.rallypay().check_empty("transactions").await?;
    fill(world, data.gateway(), data.rallypay(), |_| {}).await?;
    let folder = arguments.data.join("files");
    write_files(world, &folder)?;
    writeln!(
        out(),
        "{}",
        bold(&format!(
            "A world of {PAYMENTS} payments, in the core gateway's database and in RallyPay's"
        ))
    )?;

    let mut options = StackOptions::new(&arguments.data, Ports::ANY);
    options.databases = arguments.databases.clone();
    options.trust = Trust::Own;
    let stack = Stack::start(&options).await?;
    let mut demo = Demo {
        client: ReturnsServiceClient::new(stack.connect().await?),
        rallypay: data.rallypay().connect().await?,
    };
    let mut shown = None;
    for (source, name) in FILES {
        shown = demo.import(source, &folder.join(name)).await?.or(shown);
    }
    demo.show_holds().await?;
    let (source, name) = FILES[1];
    demo.import_again(source, &folder.join(name)).await?;
    let trust = stack.trust.clone();
    stack.stop().await?;
    print_next_steps(arguments, &folder, shown.as_deref(), trust.as_ref())
}

/// Removes what an earlier demo created, by name, and nothing else.
fn remove_earlier(folder: &Path) -> Result<()> {
    for database in ["gateway.db", "rallypay.db", "returns.db"] {
        for suffix in ["", "-wal", "-shm"] {
            let path = folder.join(format!("{database}{suffix}"));
            if path.exists() {
                fs::remove_file(&path)
                    .with_context(|| format!("{} cannot be replaced", path.display()))?;
            }
        }
    }
    for name in ["spool", "bucket"] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("{} cannot be replaced", path.display()))?;
        }
    }
    Ok(())
}

/// The acquirer's files of the day, in all three formats, each about payments of its own.
fn write_files(world: SampleWorld, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let create = |name: &str| -> Result<BufWriter<File>> {
        let path = folder.join(name);
        let file =
            File::create(&path).with_context(|| format!("{} cannot be created", path.display()))?;
        Ok(BufWriter::new(file))
    };
    let first = FilePlan {
        corrections_per_mille: 150,
        unknown_per_mille: 50,
        strange_per_mille: 60,
        ..FilePlan::plain(40)
    };
    let mut out = create(FILES[0].1)?;
    nacha(world, first.debits(world), Layout::OneBatch, &mut out)?;
    out.flush()?;
    let second = FilePlan {
        skip: first.entries,
        unknown_per_mille: 30,
        ..FilePlan::plain(25)
    };
    let mut out = create(FILES[1].1)?;
    echeck_return(world, second.debits(world), &mut out)?;
    out.flush()?;
    let mut out = create(FILES[2].1)?;
    funding_reject(world, FilePlan::plain(6).payouts(world), &mut out)?;
    out.flush()?;
    Ok(())
}

struct Demo {
    client: ReturnsServiceClient<Channel>,
    rallypay: Connection,
}

impl Demo {
    async fn send(&mut self, source: &str, path: &Path) -> Result<proto::ImportFileResponse> {
        let header = proto::ImportFileHeader {
            source: source.to_owned(),
            file_name: name_of(path),
            wait: proto::WaitLevel::Applied.into(),
            ..proto::ImportFileHeader::default()
        };
        let bytes = fs::read(path)?;
        let parts = [Part::Header(header), Part::Chunk(bytes)]
            .map(|part| proto::ImportFileRequest { part: Some(part) });
        Ok(self
            .client
            .import_file(tokio_stream::iter(parts))
            .await?
            .into_inner())
    }

    /// Imports a file and shows the outcome of each return. Returns a transfer that was reversed.
    async fn import(&mut self, source: &str, path: &Path) -> Result<Option<String>> {
        let answer = self.send(source, path).await?;
        let import = answer.file_import.context("the service sent no import")?;
        let totals = import.totals.unwrap_or_default();
        let count = |tally: Option<proto::Tally>| tally.unwrap_or_default().count;
        writeln!(out())?;
        writeln!(
            out(),
            "{}",
            bold(&format!("{} ({source})", import.file_name))
        )?;
        writeln!(
            out(),
            "  {} read: {} reversed, {} returned, {} failed, {} corrected, {} held",
            count(totals.read),
            count(totals.reversed),
            count(totals.returned),
            count(totals.failed),
            count(totals.corrected),
            count(totals.held)
        )?;
        self.show_report(&import.import_id).await?;
        let ask = proto::ListReturnsRequest {
            import_id: import.import_id,
            page_size: 500,
            ..proto::ListReturnsRequest::default()
        };
        let returns = self
            .client
            .list_returns(ask)
            .await?
            .into_inner()
            .ach_returns;
        self.show(&returns).await?;
        Ok(returns
            .iter()
            .find(|one| !one.reversal_id.is_empty())
            .map(|one| one.transfer_id.clone()))
    }

    async fn show(&mut self, returns: &[proto::AchReturn]) -> Result<()> {
        let mut table = Table::new(&[
            "TRANSFER", "CODE", "REASON", ">AMOUNT", "EFFECT", "GATEWAY", "RALLYPAY",
        ]);
        for one in returns.iter().rev().take(SHOWN) {
            let key = proto::get_transfer_request::Key::TransferId(one.transfer_id.clone());
            let ask = proto::GetTransferRequest {
                key: Some(key),
                ..Default::default()
            };
            let transfer = self
                .client
                .get_transfer(ask)
                .await?
                .into_inner()
                .transfer
                .context("the service sent no transfer")?;
            let reversed = if transfer.reversal_ids.is_empty() {
                ""
            } else {
                " + REVERSAL"
            };
            let title: String = one.return_title.chars().take(36).collect();
            table.row(&[
                &one.transfer_id,
                &one.return_code,
                &title,
                &amount(one.amount_minor),
                &one.effect().words(),
                &format!("{}{reversed}", transfer.state),
                &self.status(&one.transfer_id).await?,
            ]);
        }
        for line in table.lines() {
            writeln!(out(), "  {line}")?;
        }
        if returns.len() > SHOWN {
            writeln!(out(), "  … and {} more", returns.len() - SHOWN)?;
        }
        Ok(())
    }

    /// The status as the Rails app sees it.
    async fn status(&mut self, transfer_id: &str) -> Result<String> {
        // The service sent the id; it is not text of somebody else's.
        let id = transfer_id.replace('\'', "''");
        let sql = format!("SELECT status FROM transactions WHERE transfer_id = '{id}'");
        Ok(self.rallypay.value(&sql).await?.unwrap_or_default())
    }

    async fn show_holds(&mut self) -> Result<()> {
        let holds = self
            .client
            .list_holds(proto::ListHoldsRequest::default())
            .await?
            .into_inner()
            .holds;
        writeln!(out())?;
        writeln!(
            out(),
            "{}",
            bold("On hold, for a person or until the transfer appears")
        )?;
        for line in Table::of(&holds, hold_columns).lines() {
            writeln!(out(), "  {line}")?;
        }
        Ok(())
    }

    /// Waits for the report, which is written a moment after the last database is done.
    async fn show_report(&mut self, import_id: &str) -> Result<()> {
        for _ in 0..300 {
            let ask = proto::GetImportRequest {
                import_id: import_id.to_owned(),
            };
            let import = self.client.get_import(ask).await?.into_inner().file_import;
            let key = import.map(|import| import.report_key).unwrap_or_default();
            if !key.is_empty() {
                return Ok(writeln!(out(), "  report: {key}")?);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the report of {import_id} was not written in time")
    }

    async fn import_again(&mut self, source: &str, path: &Path) -> Result<()> {
        let answer = self.send(source, path).await?;
        writeln!(out())?;
        writeln!(out(), "{}", bold(&format!("{} again", name_of(path))))?;
        let verdict = if answer.duplicate_file {
            "  this file was imported before: nothing has changed"
        } else {
            "  imported again, which is a fault"
        };
        Ok(writeln!(out(), "{verdict}")?)
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn print_next_steps(
    arguments: &DemoArguments,
    files: &Path,
    transfer_id: Option<&str>,
    trust: Option<&OwnTrust>,
) -> Result<()> {
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "echeck".to_owned());
    writeln!(out())?;
    writeln!(out(), "{}", bold("Next steps"))?;
    // The URLs of the databases are not printed, since they may hold passwords.
    let same = if arguments.databases.any() {
        "   (with the same --returns-db, --gateway-db and --rallypay-db)"
    } else {
        ""
    };
    writeln!(
        out(),
        "  {program} up --data {}{same}",
        arguments.data.display()
    )?;
    writeln!(out(), "and, in another terminal:")?;
    if let Some(id) = transfer_id {
        writeln!(out(), "  {program} transfer {id}")?;
        let call = format!(
            "-d '{{\"transfer_id\":\"{id}\"}}' localhost:{} \\\n    \
             echeck.returns.v1.ReturnsService/GetTransfer",
            Ports::FIXED.returns
        );
        writeln!(out(), "  {}", grpcurl(trust, &call))?;
    }
    writeln!(out(), "  {program} holds")?;
    writeln!(out(), "  {program} dishonorable")?;
    let view = "--style rainforest --api-version 2024-10-16";
    writeln!(out(), "  {program} webhooks events {view}")?;
    writeln!(out(), "  {program} imports")?;
    writeln!(out(), "  {program} report IMPORT -o -")?;
    writeln!(out(), "  {program} journal verify")?;
    writeln!(
        out(),
        "  {program} parse {}",
        files.join(FILES[0].1).display()
    )?;
    Ok(())
}
