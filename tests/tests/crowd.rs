//! One caller, or one peer, that takes all it can get of the real service.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Process, binary, eventually, port};
use proto::get_transfer_request::Key;
use proto::returns_service_client::ReturnsServiceClient;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// The real returns service and the adapter of the gateway, which has one transfer.
struct Running {
    port: u16,
    _folder: tempfile::TempDir,
    _processes: [Process; 2],
}

impl Running {
    /// With more keys of `[server]`.
    async fn start(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path(), &DatabaseArguments::default())
            .await
            .unwrap();
        let pool = sqlx::SqlitePool::connect(data.gateway().url())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, \
             merchant_identity, created_at, updated_at) VALUES ('TR1', 'DEBIT', 'SUCCEEDED', 5000, \
             'FNXTR1', '8399TR1', 'AP', 'ID', '2026-11-01', '2026-11-01')",
        )
        .execute(&pool)
        .await
        .unwrap();
        let (gateway_port, port) = (port(), port());
        let start = |name: &str, config: String| {
            let path = folder.path().join(format!("{name}.toml"));
            std::fs::write(&path, config).unwrap();
            let log = std::fs::File::create(folder.path().join(format!("{name}.log"))).unwrap();
            let mut command = Command::new(binary(name));
            Process::start(command.arg("--config").arg(&path).stderr(log))
        };
        let gateway = format!(
            "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{gateway_port}\"\n[target]\nurl = {:?}\n",
            data.gateway().url()
        );
        let returns = format!(
            "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n{server}[database]\nurl = {:?}\n\
             [spool]\nfolder = {:?}\nidentity_file = {:?}\n[databases.gateway]\n\
             adapter = \"http://127.0.0.1:{gateway_port}\"\nrole = \"system_of_record\"\n\
             [sources.bank]\nformat = \"nacha\"\n",
            data.returns().url(),
            folder.path().join("spool"),
            folder.path().join("spool.key"),
        );
        let processes = [
            start("gateway-adapter", gateway),
            start("returns-service", returns),
        ];
        let running = Self {
            port,
            _folder: folder,
            _processes: processes,
        };
        eventually("the service is healthy", async || {
            running.is_healthy().await
        })
        .await;
        running
    }

    async fn channel(&self) -> Result<Channel, tonic::transport::Error> {
        let url = format!("http://127.0.0.1:{}", self.port);
        Channel::from_shared(url).unwrap().connect().await
    }

    /// Over a connection of its own, as a supervisor asks.
    async fn is_healthy(&self) -> bool {
        let Ok(channel) = self.channel().await else {
            return false;
        };
        let ask = HealthCheckRequest::default();
        let answer = HealthClient::new(channel).check(ask).await;
        answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    async fn get_transfer(&self) {
        let mut client = ReturnsServiceClient::new(self.channel().await.unwrap());
        let ask = proto::GetTransferRequest {
            key: Some(Key::TransferId("TR1".to_owned())),
            ..Default::default()
        };
        client.get_transfer(ask).await.unwrap();
    }
}

/// A stream that sends its header, and then nothing.
fn header_alone() -> impl tokio_stream::Stream<Item = proto::ImportFileRequest> {
    let header = proto::ImportFileHeader {
        source: "bank".to_owned(),
        file_name: "r.ach".to_owned(),
        ..Default::default()
    };
    let part = Some(proto::import_file_request::Part::Header(header));
    tokio_stream::once(proto::ImportFileRequest { part }).chain(tokio_stream::pending())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_uploads_that_only_begin_stop_no_other_call() {
    const UPLOADS: usize = 1_100;
    /// What one address may have of one method.
    const SEATS: usize = 256;
    let running = Running::start("message_timeout_ms = 5000\n").await;
    let refused = Arc::new(AtomicUsize::new(0));
    let mut uploads = Vec::new();
    while uploads.len() < UPLOADS {
        // A connection takes 256 calls.
        let client = ReturnsServiceClient::new(running.channel().await.unwrap());
        for _ in 0..220 {
            let (mut client, refused) = (client.clone(), refused.clone());
            uploads.push(tokio::spawn(async move {
                let mut request = tonic::Request::new(header_alone());
                request.set_timeout(Duration::from_secs(600));
                let status = client.import_file(request).await.unwrap_err();
                if status.code() == Code::ResourceExhausted {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
                status
            }));
        }
    }
    eventually("the other uploads have all seats of theirs", async || {
        refused.load(Ordering::SeqCst) == UPLOADS - SEATS
    })
    .await;
    running.get_transfer().await;
    assert!(running.is_healthy().await);

    let mut late = 0;
    for upload in uploads {
        let status = upload.await.unwrap();
        let sentence = match status.code() {
            Code::ResourceExhausted => "this method, called from your address, already has 256",
            _ => "the next message of the call did not come within 5000 ms",
        };
        assert!(status.message().starts_with(sentence), "{status}");
        late += usize::from(status.code() == Code::DeadlineExceeded);
    }
    assert_eq!(late, SEATS);
    running.get_transfer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_silent_sockets_are_closed_in_time_and_stop_no_call() {
    echeck_test_servers::allow_descriptors(4_096);
    let running = Running::start("handshake_timeout_ms = 3000\n").await;
    let sockets: Vec<TcpStream> = (0..2_000)
        .map(|_| TcpStream::connect(("127.0.0.1", running.port)).unwrap())
        .collect();
    let opened = Instant::now();
    assert!(running.is_healthy().await);
    running.get_transfer().await;
    let closed = tokio::task::spawn_blocking(move || sockets.into_iter().for_each(read_to_end));
    closed.await.unwrap();
    assert!(opened.elapsed() < Duration::from_secs(20));
    assert!(running.is_healthy().await);
}

/// Reads until the server has closed the connection.
fn read_to_end(mut socket: TcpStream) {
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    loop {
        match socket.read(&mut [0; 1024]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                let open = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!open, "a silent socket is still open");
                return;
            }
        }
    }
}
