//! What the programs say of themselves: the trace of an import over three processes, received by OTLP,
//! and the numbers at `/metrics`, beside what stands in the databases.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{Fleet, Nacha, Worldpay, eventually, port};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use proto::webhook_service_client::WebhookServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::{Request, Response, Status};

/// The account that the file has, which nobody may see.
const ACCOUNT: &str = "9900000123";

/// A span as it was received.
#[derive(Debug, Clone)]
struct Seen {
    program: String,
    name: String,
    trace: String,
    attributes: String,
}

/// Receives spans by gRPC.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Seen>>>);

impl Collector {
    async fn start(&self) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let serving = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .serve_with_incoming(incoming);
        tokio::spawn(serving);
        port
    }

    fn keep(&self, request: ExportTraceServiceRequest) {
        let mut seen = self.0.lock().unwrap();
        for resource in request.resource_spans {
            let shown = format!("{:?}", resource.resource);
            let programs = ["returns-service", "gateway-adapter", "rallypay-adapter"];
            let program = programs.iter().find(|name| shown.contains(*name)).unwrap();
            for span in resource.scope_spans.into_iter().flat_map(|one| one.spans) {
                seen.push(Seen {
                    program: (*program).to_owned(),
                    name: span.name.clone(),
                    trace: span.trace_id.iter().map(|b| format!("{b:02x}")).collect(),
                    attributes: format!("{:?} {:?}", span.attributes, span.events),
                });
            }
        }
    }

    /// What was received, by gRPC and by HTTP.
    fn seen(&self, by_http: &HttpReceiver) -> Vec<Seen> {
        for request in by_http.take_received() {
            if request.path == "/v1/traces" {
                self.keep(ExportTraceServiceRequest::decode(&request.bytes[..]).unwrap());
            }
        }
        self.0.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A bucket, and sources whose files stand in folders.
fn folder_sources(folder: &Path) -> String {
    std::fs::create_dir_all(folder.join("bucket")).unwrap();
    // So that the journal has just the rows that the files asked for.
    let mut text = "[reversals]\nready = \"by_hand\"\n".to_owned();
    text += &format!(
        "[bucket]\nurl = \"file://{}\"\n",
        folder.join("bucket").display()
    );
    for (source, format) in [
        ("worldpay_returns", "worldpay_echeck_return"),
        ("nacha", "nacha"),
    ] {
        let incoming = folder.join(source);
        std::fs::create_dir_all(&incoming).unwrap();
        text += &format!(
            "[sources.{source}]\nformat = {format:?}\n[sources.{source}.folder]\n\
             directory = {incoming:?}\npattern = \"*\"\nsettle_ms = 10\n"
        );
    }
    text
}

async fn run_job(fleet: &Fleet, source: &str) -> proto::JobRun {
    let ask = proto::RunJobRequest {
        source: source.to_owned(),
        request_id: String::new(),
        wait: true,
    };
    let mut operations = OperationsServiceClient::new(fleet.connect().await);
    operations
        .run_job(ask)
        .await
        .unwrap()
        .into_inner()
        .run
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_import_is_one_trace_over_three_processes() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, by_http) = (Collector::default(), HttpReceiver::start().await);
    let by_grpc = collector.start().await;
    let platform = HttpReceiver::start().await;
    let fleet = Fleet::start(folder.path(), |program| {
        let otlp = match program {
            "rallypay-adapter" => {
                format!(
                    "[otlp]\nendpoint = {:?}\nprotocol = \"http\"\n",
                    by_http.url("")
                )
            }
            _ => format!("[otlp]\nendpoint = \"http://127.0.0.1:{by_grpc}\"\n"),
        };
        match program {
            "returns-service" => {
                let webhooks = "[webhooks]\nallow_private_addresses = true\nallow_http = true\n";
                otlp + webhooks + &folder_sources(folder.path())
            }
            _ => otlp,
        }
    })
    .await;
    fleet.add_debit("TR1").await;
    let mut webhooks = WebhookServiceClient::new(fleet.connect().await);
    let endpoint = proto::CreateEndpointRequest {
        url: platform.url("/hook"),
        style: proto::WebhookStyle::Finix.into(),
        reason: "a test".to_owned(),
        ..proto::CreateEndpointRequest::default()
    };
    webhooks.create_endpoint(endpoint).await.unwrap();
    let file: Vec<u8> = Worldpay::new().returned("TR1", "R01").into();
    std::fs::write(folder.path().join("worldpay_returns/r.csv"), file).unwrap();
    run_job(&fleet, "worldpay_returns").await;
    let correction = Nacha::corrections().corrected("231380100000017", "C01", ACCOUNT);
    std::fs::write(folder.path().join("nacha/c.ach"), correction.text()).unwrap();
    run_job(&fleet, "nacha").await;

    let wanted: BTreeMap<&str, &[&str]> = BTreeMap::from([
        (
            "returns-service",
            &[
                "take", "fetch", "receive", "check", "decide", "look up", "append", "feed",
                "event", "deliver", "report",
            ][..],
        ),
        ("gateway-adapter", &["apply"][..]),
        ("rallypay-adapter", &["apply"][..]),
    ]);
    let complete = |seen: &[Seen], trace: &str| {
        wanted.iter().all(|(program, names)| {
            names.iter().all(|name| {
                let mut of_trace = seen.iter().filter(|span| span.trace == trace);
                of_trace.any(|span| span.program == *program && span.name == *name)
            })
        })
    };
    let trace_of = |seen: &[Seen]| {
        let is_first = |span: &&Seen| span.name == "take" && span.attributes.contains("worldpay");
        let take = seen.iter().find(is_first);
        take.map(|span| span.trace.clone())
    };
    for _ in 0..1_200 {
        let seen = collector.seen(&by_http);
        let decided = seen.iter().filter(|span| span.name == "decide").count();
        if decided == 2 && trace_of(&seen).is_some_and(|trace| complete(&seen, &trace)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let seen = collector.seen(&by_http);
    let trace = trace_of(&seen).expect("the file was taken within a trace");
    let of_trace: BTreeSet<(&str, &str)> = seen
        .iter()
        .filter(|span| span.trace == trace)
        .map(|span| (&*span.program, &*span.name))
        .collect();
    assert!(complete(&seen, &trace), "{of_trace:#?}");
    for span in &seen {
        assert!(!span.attributes.contains(ACCOUNT), "{span:?}");
    }
}

/// What a port says at a path: status and body.
async fn get(port: u16, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The lines of `/metrics`: name with labels, and value.
async fn numbers(port: u16) -> HashMap<String, f64> {
    let (status, body) = get(port, "/metrics").await;
    assert_eq!(status, 200);
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// The sum of a metric over the lines that have all these labels.
fn sum(numbers: &HashMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let of_metric = numbers.iter().filter(|(line, _)| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
            && labels.iter().all(|label| line.contains(label))
    });
    // Counts are whole numbers far below 2^53.
    of_metric.map(|(_, value)| value).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_of_a_day_are_those_of_the_databases() {
    let folder = tempfile::tempdir().unwrap();
    let ports =
        ["returns-service", "gateway-adapter", "rallypay-adapter"].map(|name| (name, port()));
    let ports = HashMap::from(ports);
    let fleet = Fleet::start(folder.path(), |program| {
        let metrics = format!("[metrics]\nlisten = \"127.0.0.1:{}\"\n", ports[program]);
        match program {
            "returns-service" => metrics + &folder_sources(folder.path()),
            _ => metrics,
        }
    })
    .await;
    for id in ["TR1", "TR2", "TR3"] {
        fleet.add_debit(id).await;
    }
    let file: Vec<u8> = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R10")
        .returned("TR3", "R01")
        .returned("TR9", "R01")
        .into();
    std::fs::write(folder.path().join("worldpay_returns/r.csv"), file).unwrap();
    run_job(&fleet, "worldpay_returns").await;
    let port = ports["returns-service"];
    eventually("what waits was counted", || async {
        let numbers = numbers(port).await;
        sum(&numbers, "echeck_holds_open", &["unknown_transfer"]) == 1.0
            && sum(&numbers, "echeck_imports_open", &[]) == 0.0
    })
    .await;

    let found = numbers(port).await;
    let returns = sqlx::SqlitePool::connect(fleet.data.returns().url())
        .await
        .unwrap();
    let count = async |sql: &'static str| {
        let number: i64 = sqlx::query_scalar(sql).fetch_one(&returns).await.unwrap();
        f64::from(u32::try_from(number).unwrap())
    };
    let is = |name: &str, labels: &[&str]| sum(&found, name, labels);
    assert_eq!(
        is("echeck_imports_total", &["received"]),
        count("SELECT COUNT(*) FROM imports").await
    );
    assert_eq!(is("echeck_imports_total", &["decided"]), 1.0);
    let reversed = is("echeck_entries_total", &["decision=\"reverse\""]);
    assert_eq!(reversed, count("SELECT COUNT(*) FROM journal").await);
    assert_eq!(
        is(
            "echeck_entries_total",
            &["code=\"R01\"", "decision=\"reverse\""]
        ),
        2.0
    );
    let held = count("SELECT COUNT(*) FROM holds WHERE state = 'open'").await;
    assert_eq!(is("echeck_entries_total", &["decision=\"hold\""]), held);
    assert_eq!(is("echeck_holds_open", &[]), held);
    assert_eq!(is("echeck_follower_lag_rows", &[]), 0.0);
    assert_eq!(is("echeck_append_duration_seconds_count", &["done"]), 1.0);
    assert_eq!(is("echeck_build", &["returns-service"]), 1.0);
    assert!(
        is("echeck_bucket_calls_total", &["put", "done"]) >= 1.0,
        "{found:#?}"
    );
    for adapter in ["gateway-adapter", "rallypay-adapter"] {
        let found = numbers(ports[adapter]).await;
        assert_eq!(
            sum(&found, "echeck_steps_total", &["passed"]),
            reversed,
            "{adapter}"
        );
    }
    let ids = found
        .keys()
        .find(|line| line.contains("TR1") || line.contains("imp_"));
    assert_eq!(ids, None, "no id is a label");
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(get(port, path).await.0, 200, "{path}");
    }
    assert_eq!(get(port, "/elsewhere").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_and_a_port_that_is_taken_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let fleet = Fleet::start(folder.path(), |program| match program {
        "returns-service" => format!(
            "[otlp]\nendpoint = \"http://127.0.0.1:{silent_port}\"\ntimeout_ms = 200\n\
             [metrics]\nlisten = \"127.0.0.1:{silent_port}\"\n\
             [sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n"
        ),
        _ => String::new(),
    })
    .await;
    fleet.add_debit("TR1").await;
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".into(),
        file_name: "r.csv".into(),
        wait: proto::WaitLevel::Applied.into(),
        ..proto::ImportFileHeader::default()
    };
    let bytes: Vec<u8> = Worldpay::new().returned("TR1", "R01").into();
    let parts = [
        proto::import_file_request::Part::Header(header),
        proto::import_file_request::Part::Chunk(bytes),
    ]
    .map(|part| proto::ImportFileRequest { part: Some(part) });
    let mut client = ReturnsServiceClient::new(fleet.connect().await);
    let answer = client.import_file(tokio_stream::iter(parts)).await.unwrap();
    let import = answer.into_inner().file_import.unwrap();
    assert_eq!(import.state(), proto::ImportState::Applied);
    let log = std::fs::read_to_string(folder.path().join("returns-service.log")).unwrap();
    assert!(
        log.contains("metrics.listen cannot be listened on"),
        "{log}"
    );
    assert_eq!(fleet.returns.stop(), Some(0));
}
