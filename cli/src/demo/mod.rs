//! `echeck demo`: a small world, the acquirer's files of the day, and what becomes of them.

mod next;
mod story;
mod verdict;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use echeck_proto::returns::v1 as proto;
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use serde_json::json;
use tonic::transport::Channel;

use crate::database::{Connection, DatabaseArguments};
use crate::exit;
use crate::failure::Failure;
use crate::output::print_json;
use crate::stack::{DataFolder, Ports, Stack, StackOptions, Trust};
use world::{FILES, World};

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

/// How often, and with which pauses, a report is asked for: it is written a moment after the last
/// database has everything.
const REPORT_ATTEMPTS: u32 = 600;
const REPORT_PAUSE: Duration = Duration::from_millis(50);

/// Runs the demo. Returns the exit code.
pub(crate) async fn run(arguments: &DemoArguments, as_json: bool) -> Result<u8, Failure> {
    world::remove_earlier(&arguments.data)?;
    let data = DataFolder::open(&arguments.data, &arguments.databases).await?;
    let world = World::create(arguments.seed, &data, &arguments.data.join("files")).await?;
    let mut options = StackOptions::new(&arguments.data, Ports::ANY);
    options.databases = arguments.databases.clone();
    options.trust = Trust::Own;
    let stack = Stack::start(&options).await?;
    let mut demo = Demo {
        client: ReturnsServiceClient::new(stack.connect().await?),
        gateway: data.gateway().connect().await?,
        rallypay: data.rallypay().connect().await?,
        world,
    };
    let outcome = demo.import_all().await?;
    let verdict = demo.verdict(&outcome).await?;
    let next = next::steps(arguments, &outcome, stack.trust.as_ref())?;
    if as_json {
        print_json(&json!({
            "entries": verdict.entries,
            "amount_minor": verdict.amount_minor,
            "agreed": verdict.is_good(),
            "differences": verdict.differences,
            "imports": outcome.imports.iter().map(|one| &one.import_id).collect::<Vec<_>>(),
            "next": next.all(),
        }))?;
    } else {
        demo.tell(&outcome).await?;
        next.print(&arguments.databases)?;
        verdict.print()?;
    }
    stack.stop().await?;
    Ok(exit::ok_if(verdict.is_good(), exit::NEEDS_ATTENTION))
}

/// A demo that runs.
struct Demo {
    client: ReturnsServiceClient<Channel>,
    gateway: Connection,
    rallypay: Connection,
    world: World,
}

/// What became of the files.
struct Outcome {
    imports: Vec<proto::Import>,
    returns: Vec<proto::AchReturn>,
    holds: Vec<proto::Hold>,
    /// Whether a file that came again was recognized.
    repeat_was_recognized: bool,
}

impl Demo {
    /// Imports each file, and one of them again.
    async fn import_all(&mut self) -> Result<Outcome> {
        let mut imports = Vec::new();
        for (source, name) in FILES {
            let answer = self.import(source, &self.world.folder.join(name)).await?;
            let import = answer.file_import.context("the service sent no import")?;
            imports.push(self.reported(import.import_id).await?);
        }
        let (source, name) = FILES[1];
        let again = self.import(source, &self.world.folder.join(name)).await?;
        Ok(Outcome {
            imports,
            returns: self.returns().await?,
            holds: self.holds().await?,
            repeat_was_recognized: again.duplicate_file,
        })
    }

    async fn import(&mut self, source: &str, path: &Path) -> Result<proto::ImportFileResponse> {
        let name = path.file_name().unwrap_or_default();
        let header = proto::ImportFileHeader {
            source: source.to_owned(),
            file_name: name.to_string_lossy().into_owned(),
            wait: proto::WaitLevel::Applied.into(),
            ..proto::ImportFileHeader::default()
        };
        let bytes = std::fs::read(path)?;
        let parts = [Part::Header(header), Part::Chunk(bytes)]
            .map(|part| proto::ImportFileRequest { part: Some(part) });
        let parts = tokio_stream::iter(parts);
        Ok(self.client.import_file(parts).await?.into_inner())
    }

    /// The import when its report is written.
    async fn reported(&mut self, import_id: String) -> Result<proto::Import> {
        for _ in 0..REPORT_ATTEMPTS {
            let import_id = import_id.clone();
            let ask = proto::GetImportRequest { import_id };
            let import = self.client.get_import(ask).await?.into_inner().file_import;
            let import = import.context("the service sent no import")?;
            if !import.report_key.is_empty() {
                return Ok(import);
            }
            tokio::time::sleep(REPORT_PAUSE).await;
        }
        bail!("the report of {import_id} was not written in time")
    }

    async fn returns(&mut self) -> Result<Vec<proto::AchReturn>> {
        let ask = proto::ListReturnsRequest {
            page_size: 500,
            ..proto::ListReturnsRequest::default()
        };
        let answer = self.client.list_returns(ask).await?.into_inner();
        Ok(answer.ach_returns)
    }

    async fn holds(&mut self) -> Result<Vec<proto::Hold>> {
        let ask = proto::ListHoldsRequest {
            page_size: 500,
            ..proto::ListHoldsRequest::default()
        };
        Ok(self.client.list_holds(ask).await?.into_inner().holds)
    }

    async fn transfer(&mut self, transfer_id: &str) -> Result<proto::Transfer> {
        let ask = proto::GetTransferRequest {
            key: Some(proto::get_transfer_request::Key::TransferId(
                transfer_id.to_owned(),
            )),
            ..proto::GetTransferRequest::default()
        };
        let answer = self.client.get_transfer(ask).await?.into_inner();
        answer.transfer.context("the service sent no transfer")
    }
}

impl Outcome {
    /// A payment whose story is worth telling: returned after its merchant was funded.
    fn shown(&self) -> Option<&proto::AchReturn> {
        let is_reversed = |one: &&proto::AchReturn| {
            one.effect() == proto::Effect::Reverse
                && !one.settlement_date.is_empty()
                && !one.original_settlement_date.is_empty()
        };
        let reversed = || self.returns.iter().filter(is_reversed);
        let of_code = reversed().filter(|one| one.return_code == "R01");
        let largest = of_code.max_by_key(|one| one.amount_minor);
        largest.or_else(|| reversed().next())
    }
}

/// The number of a tally.
fn count(tally: Option<proto::Tally>) -> u64 {
    tally.unwrap_or_default().count
}
