//! What the command says while an import waits, is interrupted, or was sent to the wrong source.

use std::io::Read as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use echeck::stack::Service;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, Worldpay, binary, eventually};
use proto::DatabaseState;
use proto::incident_service_client::IncidentServiceClient;
use proto::operations_service_client::OperationsServiceClient;
use serde_json::Value;

/// A command that runs, with what it has said on standard error so far.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(arguments: &[&str], server: &str) -> Self {
        let mut command = Command::new(binary("echeck"));
        let command = command.args(arguments).args(["--server", server]);
        let pipes = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let hearing = said.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                hearing.lock().unwrap().push_str(&text);
            }
        });
        Self { child, said }
    }

    fn has_said(&self, text: &str) -> bool {
        self.said.lock().unwrap().contains(text)
    }

    async fn says(&self, text: &str) {
        eventually(text, || async { self.has_said(text) }).await;
    }

    fn interrupt(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
    }

    async fn code(mut self) -> Option<i32> {
        tokio::task::spawn_blocking(move || self.child.wait().unwrap().code())
            .await
            .unwrap()
    }
}

async fn echeck(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("echeck"));
    command
        .args(arguments)
        .args(["--server", &world.stack.url()])
        .env("USER", "ann");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A file beside the databases; gives its path.
fn file(world: &World, name: &str, content: impl Into<Vec<u8>>) -> String {
    let path = world.options.data.join(name);
    std::fs::write(&path, content.into()).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn latest_import(world: &World) -> proto::Import {
    let ask = proto::ListImportsRequest::default();
    let listed = world.client.clone().list_imports(ask).await.unwrap();
    listed.into_inner().imports.remove(0)
}

async fn world_without(service: Service) -> (World, String) {
    let mut world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    world.stack.stop_service(service).await.unwrap();
    let path = file(&world, "r.csv", Worldpay::new().returned("TR1", "R01"));
    (world, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_waits_says_its_id_and_what_it_waits_for_in_a_pipe() {
    let (world, path) = world_without(Service::RallypayAdapter).await;
    let import = ["import", &path, "--source", "worldpay_returns"];
    let running = Running::start(&import, &world.stack.url());
    running.says("importing as imp_").await;
    running.says("waiting for rallypay: ").await;
    running.says("refused").await;

    let status = echeck(&world, &["status"]).await;
    assert!(text(&status).contains("1 unfinished import"), "{status:?}");

    let import_id = latest_import(&world).await.import_id;
    assert!(!running.has_said("follow it with"));
    running.interrupt();
    let follow = format!("follow it with: echeck imports {import_id}");
    running.says(&follow).await;
    assert_eq!(running.code().await, Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_says_how_to_follow_the_import() {
    let (mut world, path) = world_without(Service::RallypayAdapter).await;
    let import = ["import", &path, "--source", "worldpay_returns"];
    let running = Running::start(&import, &world.stack.url());
    running.says("waiting for rallypay: ").await;
    world.stack.stop_service(Service::Returns).await.unwrap();
    running.says("follow it with: echeck imports imp_").await;
    assert_eq!(running.code().await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_of_record_that_is_away_is_what_an_import_waits_for() {
    let (world, path) = world_without(Service::GatewayAdapter).await;
    let import = ["import", &path, "--source", "worldpay_returns"];
    let running = Running::start(&import, &world.stack.url());
    running.says("waiting for gateway: ").await;
    let import = latest_import(&world).await;
    let states: Vec<_> = import
        .databases
        .iter()
        .map(proto::DatabaseProgress::state)
        .collect();
    assert_eq!(states, [DatabaseState::Fault, DatabaseState::Pending]);
    eventually("an incident says that nothing is decided", || async {
        let mut client = IncidentServiceClient::connect(world.stack.url())
            .await
            .unwrap();
        let ask = proto::ListIncidentsRequest::default();
        let open = client
            .list_incidents(ask)
            .await
            .unwrap()
            .into_inner()
            .incidents;
        open.iter().any(|one| {
            one.subject == "database:gateway" && one.meaning.contains("system of record")
        })
    })
    .await;
    running.interrupt();
    assert_eq!(running.code().await, Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nacha_file_sent_to_a_csv_source_is_named_with_the_source_to_use() {
    let world = World::start().await;
    let nacha = Nacha::new().returned("091000010000001", "R01").text();
    let path = file(&world, "returns.ach", nacha);
    for more in [&[][..], &["--dry-run"]] {
        let import = ["import", &path, "--source", "worldpay_returns"];
        let output = echeck(&world, &[&import, more].concat()).await;
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let said = text(&output);
        let advice = "It looks like a NACHA file; import it with --source nacha";
        assert!(said.contains(advice), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_in_trouble_says_the_size_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    let mut world = World::start_with(|options| {
        options.returns.push_str(&format!(
            "[sources.drop]\nformat = \"worldpay_echeck_return\"\n[sources.drop.folder]\n\
             directory = {directory:?}\npattern = \"*.csv\"\nsettle_ms = 10\n"
        ));
    })
    .await;
    world.add(Payment::debit("TR1")).await;
    let adapter = Service::RallypayAdapter;
    world.stack.stop_service(adapter).await.unwrap();
    let content = Worldpay::new().returned("TR1", "R01").text();
    std::fs::write(folder.path().join("r.csv"), &content).unwrap();
    let output = echeck(&world, &["run", "drop", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["outcome"], "target_failed", "{run}");
    assert_eq!(run["files"][0]["size_bytes"], content.len(), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_command_is_interrupted_goes_on_and_the_command_says_where_to_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    let world = World::start_with(|options| {
        options.returns.push_str(&format!(
            "[sources.drop]\nformat = \"worldpay_echeck_return\"\n[sources.drop.folder]\n\
             directory = {directory:?}\npattern = \"*.csv\"\nsettle_ms = 3000\n"
        ));
    })
    .await;
    world.add(Payment::debit("TR1")).await;
    let content = Worldpay::new().returned("TR1", "R01").text();
    std::fs::write(folder.path().join("r.csv"), &content).unwrap();
    let last = async || {
        let client = OperationsServiceClient::connect(world.stack.url()).await;
        let ask = proto::ListJobRunsRequest {
            source: "drop".to_owned(),
            ..Default::default()
        };
        let listed = client.unwrap().list_job_runs(ask).await.unwrap();
        listed.into_inner().runs.into_iter().next()
    };
    let running = Running::start(&["run", "drop"], &world.stack.url());
    running.says("running drop").await;
    eventually("the run has begun", || async { last().await.is_some() }).await;
    running.interrupt();
    running.says("echeck runs --source drop").await;
    assert_eq!(running.code().await, Some(130));
    eventually("the run is complete", || async {
        let last = last().await.unwrap();
        last.outcome() == proto::JobOutcome::Completed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_nothing_can_match_is_an_invalid_argument() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let holds = |change: fn(&mut proto::ListHoldsRequest)| {
        let mut ask = proto::ListHoldsRequest::default();
        change(&mut ask);
        ask
    };
    for (ask, field) in [
        (holds(|ask| ask.source = "nonsense".to_owned()), "source: "),
        (
            holds(|ask| ask.import_id = "imp_x".to_owned()),
            "import_id: ",
        ),
        (holds(|ask| ask.code = "R0l".to_owned()), "code: "),
        (holds(|ask| ask.reason = 17), "reason: "),
        (holds(|ask| ask.state = 9), "state: "),
    ] {
        let refused = client.list_holds(ask).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
        assert!(refused.message().starts_with(field), "{refused}");
    }
    let ask = holds(|ask| ask.code = "R01".to_owned());
    assert!(
        client
            .list_holds(ask)
            .await
            .unwrap()
            .into_inner()
            .holds
            .is_empty()
    );
    let ask = proto::ListReturnsRequest {
        return_code: "R0l".to_owned(),
        ..Default::default()
    };
    let refused = client.list_returns(ask).await.unwrap_err();
    assert!(refused.message().starts_with("return_code: "), "{refused}");
    let mut operations = OperationsServiceClient::connect(world.stack.url())
        .await
        .unwrap();
    let ask = proto::ListJobRunsRequest {
        source: "nonsense".to_owned(),
        ..Default::default()
    };
    let refused = operations.list_job_runs(ask).await.unwrap_err();
    assert!(refused.message().starts_with("source: "), "{refused}");
}
