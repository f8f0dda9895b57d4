//! The receivers of docs/webhooks.md, as they stand there, told of a real return: they check the
//! signature with the reference library of their language or, for ed25519, with its OpenSSL.

use std::path::Path;
use std::process::Stdio;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{Payment, World, Worldpay, eventually, port, tool};
use proto::replay_request::Selection;
use proto::webhook_service_client::WebhookServiceClient;
use proto::{WebhookDelivery, WebhookDeliveryState, WebhookKeyKind, WebhookStyle};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tonic::transport::Channel;

const DOCUMENT: &str = include_str!("../../docs/webhooks.md");

/// The receivers of the document, by the names that it gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Example {
    Ruby,
    Python,
    /// In Ruby, by OpenSSL instead of the reference library, which has no ed25519.
    Ed25519,
}

impl Example {
    const fn file(self) -> &'static str {
        match self {
            Self::Ruby => "receiver.rb",
            Self::Python => "receiver.py",
            Self::Ed25519 => "ed25519.rb",
        }
    }

    const fn key_kind(self) -> WebhookKeyKind {
        match self {
            Self::Ruby | Self::Python => WebhookKeyKind::HmacSha256,
            Self::Ed25519 => WebhookKeyKind::Ed25519,
        }
    }

    /// A key that signs nothing here.
    const fn another_key(self) -> &'static str {
        match self {
            Self::Ruby | Self::Python => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            // The public key of RFC 8032's first test.
            Self::Ed25519 => "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        }
    }

    /// Its code: the block after the comment that names it.
    fn code(self) -> String {
        let start = format!("<!-- receiver: {} -->\n\n```", self.file());
        let mut parts = DOCUMENT.split(start.as_str());
        let (_, after) = (parts.next(), parts.next().expect("the receiver"));
        assert!(parts.next().is_none(), "one {}", self.file());
        let (_language, code) = after.split_once('\n').expect("a block");
        code.split("```").next().expect("its end").to_owned()
    }

    /// Writes it into the folder. Gives the command that runs it.
    fn command(self, folder: &Path) -> Command {
        let file = folder.join(self.file());
        std::fs::write(&file, self.code()).unwrap();
        let mut command = match self {
            Self::Ruby | Self::Ed25519 => Command::new("ruby"),
            Self::Python => Command::new(tool("python")),
        };
        if self == Self::Ruby {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            let gems = here.join("../.tools/gems");
            // scripts/setup installs the gem where rubygems.org can be reached.
            if gems.join("gems").exists() {
                command.env("GEM_PATH", gems);
            } else {
                command.arg("-I").arg(here.join("receivers"));
            }
        }
        command.arg(file);
        command
    }
}

/// A receiver that runs.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    /// With the key that the platform was given.
    async fn start(mut command: Command, port: u16, key: &str) -> Self {
        let process = command
            .env("PORT", port.to_string())
            .env("WEBHOOK_SECRET", key)
            .env("WEBHOOK_PUBLIC_KEY", key)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let address = format!("127.0.0.1:{port}");
        eventually("the receiver listens", || async {
            TcpStream::connect(&address).await.is_ok()
        })
        .await;
        Self {
            process,
            url: format!("http://{address}/webhooks"),
        }
    }

    /// The next lines that it prints.
    async fn lines(&mut self, count: usize) -> Vec<String> {
        let out = self.process.stdout.take().expect("its output");
        let mut lines = BufReader::new(out).lines();
        let mut said = Vec::new();
        while said.len() < count {
            said.push(lines.next_line().await.expect("text").expect("a line"));
        }
        said.sort();
        said
    }
}

async fn webhooks(world: &World) -> WebhookServiceClient<Channel> {
    let client = WebhookServiceClient::connect(world.stack.url()).await;
    client.unwrap()
}

async fn listening_world() -> World {
    world_with("allow_http = true\n").await
}

async fn world_with(settings: &str) -> World {
    World::start_with(|options| {
        options
            .returns
            .push_str("[webhooks]\nallow_private_addresses = true\n");
        options.returns.push_str(settings);
    })
    .await
}

/// What the platform is given of a new key.
fn given(key: proto::NewWebhookKey) -> String {
    let public = key.key.expect("a key").public_key;
    assert!(public.is_empty() != key.secret.is_empty(), "one of the two");
    key.secret + &public
}

/// Makes an endpoint, and gives its id and what the platform checks signatures with.
async fn subscribe(world: &World, url: String, kind: WebhookKeyKind) -> (String, String) {
    let ask = proto::CreateEndpointRequest {
        url,
        style: WebhookStyle::Rainforest.into(),
        api_version: "2024-10-16".to_owned(),
        key_kind: kind.into(),
        request_id: String::new(),
        reason: "a test".to_owned(),
        ..proto::CreateEndpointRequest::default()
    };
    let made = webhooks(world).await.create_endpoint(ask).await.unwrap();
    let made = made.into_inner();
    (made.endpoint.unwrap().endpoint_id, given(made.key.unwrap()))
}

async fn deliveries(world: &World) -> Vec<WebhookDelivery> {
    let ask = proto::ListDeliveriesRequest::default();
    let listed = webhooks(world).await.list_deliveries(ask).await.unwrap();
    listed.into_inner().deliveries
}

async fn a_receiver_takes_what_we_sign(example: Example) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/webhooks");
    let (endpoint_id, key) = subscribe(&world, url, example.key_kind()).await;
    let mut receiver = Running::start(example.command(folder.path()), port, &key).await;

    world.add(Payment::debit("TR1").state("PENDING")).await;
    let report = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", report).await;
    eventually("both messages are taken", || async {
        let all = deliveries(&world).await;
        all.len() == 2
            && all
                .iter()
                .all(|one| one.state() == WebhookDeliveryState::Delivered)
    })
    .await;
    let sent = deliveries(&world).await;
    // Said again it is taken again, and kept once.
    let ask = proto::ReplayRequest {
        endpoint_id,
        selection: Some(Selection::EventId(sent[0].event_id.clone())),
        request_id: String::new(),
        reason: "a test".to_owned(),
    };
    webhooks(&world).await.replay(ask).await.unwrap();
    eventually("they are taken again", || async {
        deliveries(&world)
            .await
            .iter()
            .all(|one| one.state() == WebhookDeliveryState::Delivered && one.attempts == 2)
    })
    .await;
    let mut expected: Vec<String> = sent
        .iter()
        .map(|one| format!("{} {}", one.message_id, one.event_type))
        .collect();
    expected.sort();
    assert_eq!(receiver.lines(2).await, expected);
    receiver.process.start_kill().unwrap();
}

async fn a_receiver_refuses_what_others_sign(example: Example) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let command = example.command(folder.path());
    let receiver = Running::start(command, port, example.another_key()).await;
    let (endpoint_id, _) = subscribe(&world, receiver.url.clone(), example.key_kind()).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!(answer.http_status, 400);
}

/// What the endpoint answers to a signed test message.
async fn answer_to_a_test(world: &World, endpoint_id: String) -> proto::SendTestEventResponse {
    let ask = proto::SendTestEventRequest {
        endpoint_id,
        request_id: String::new(),
    };
    let answer = webhooks(world).await.send_test_event(ask).await.unwrap();
    answer.into_inner()
}

async fn a_receiver_takes_both_keys_of_a_rotation(example: Example) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/webhooks");
    let (endpoint_id, old) = subscribe(&world, url, example.key_kind()).await;
    let ask = proto::RotateSecretRequest {
        kind: example.key_kind().into(),
        endpoint_id: endpoint_id.clone(),
        request_id: String::new(),
        reason: "a test".to_owned(),
        ..proto::RotateSecretRequest::default()
    };
    let made = webhooks(&world).await.rotate_secret(ask).await.unwrap();
    let new = given(made.into_inner().key.unwrap());
    assert_ne!(old, new);
    for key in [old, new] {
        let mut receiver = Running::start(example.command(folder.path()), port, &key).await;
        let answer = answer_to_a_test(&world, endpoint_id.clone()).await;
        assert_eq!(answer.http_status, 204, "{answer:?}");
        receiver.process.kill().await.unwrap();
    }
}

/// Posts to the receiver as anybody can. Gives the status of its answer.
async fn post(receiver: &Running, headers: &[(&str, &str)], body: &str) -> u16 {
    let url = receiver.url.strip_prefix("http://").expect("in clear");
    let (address, path) = url.split_once('/').expect("a path");
    let mut text = format!(
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = format!("{text}\r\n{body}");
    stream.write_all(whole.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).expect("a status line");
    status.parse().expect("a status")
}

/// A real message, caught on its way, is taken as it is and refused when anything that is signed
/// was changed.
async fn a_receiver_refuses_what_was_tampered_with(example: Example) {
    const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let world = listening_world().await;
    let between = HttpReceiver::start().await;
    let url = between.url("/webhooks");
    let (_, key) = subscribe(&world, url, example.key_kind()).await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    let report = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", report).await;
    eventually("a message is caught", || async {
        !between.received().is_empty()
    })
    .await;
    let caught = between.received().remove(0);
    let [id, sent_at, signature] = HEADERS.map(|name| caught.header(name).unwrap().to_owned());
    let prefix = match example {
        Example::Ruby | Example::Python => "v1,",
        Example::Ed25519 => "v1a,",
    };
    assert!(signature.starts_with(prefix), "{signature}");

    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let receiver = Running::start(example.command(folder.path()), port, &key).await;
    let send = async |id: &str, sent_at: &str, signature: &str, body: &str| {
        let headers = [
            (HEADERS[0], id),
            (HEADERS[1], sent_at),
            (HEADERS[2], signature),
        ];
        post(&receiver, &headers, body).await
    };
    let body = caught.body.as_str();
    assert!(body.contains("\"TR1\""), "{body}");
    let tampered = body.replacen("\"TR1\"", "\"TR2\"", 1);
    let later = (sent_at.parse::<i64>().unwrap() + 1).to_string();
    let (before, after) = signature.split_at(prefix.len());
    let first = if after.starts_with('A') { 'B' } else { 'A' };
    let flipped = format!("{before}{first}{}", &after[1..]);
    let other = match example {
        Example::Ruby | Example::Python => signature.replacen("v1,", "v1a,", 1),
        Example::Ed25519 => signature.replacen("v1a,", "v1,", 1),
    };
    for (what, status) in [
        ("the body", send(&id, &sent_at, &signature, &tampered).await),
        ("the id", send("msg_1", &sent_at, &signature, body).await),
        ("the time", send(&id, &later, &signature, body).await),
        ("the kind", send(&id, &sent_at, &other, body).await),
        ("the signature", send(&id, &sent_at, &flipped, body).await),
        (
            "half of it",
            send(&id, &sent_at, &signature[..signature.len() / 2], body).await,
        ),
    ] {
        assert_eq!(status, 400, "{what} was changed");
    }
    assert_eq!(send(&id, &sent_at, &signature, body).await, 204);
    let two = format!("v1,AAAA {signature}");
    assert_eq!(
        send(&id, &sent_at, &two, body).await,
        204,
        "one of them fits"
    );
}

#[tokio::test]
async fn the_receiver_in_ruby_takes_what_we_sign_and_keeps_each_message_once() {
    a_receiver_takes_what_we_sign(Example::Ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_takes_what_we_sign_and_keeps_each_message_once() {
    a_receiver_takes_what_we_sign(Example::Python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_for_ed25519_takes_what_we_sign_and_keeps_each_message_once() {
    a_receiver_takes_what_we_sign(Example::Ed25519).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_refuses_what_others_sign() {
    a_receiver_refuses_what_others_sign(Example::Ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_refuses_what_others_sign() {
    a_receiver_refuses_what_others_sign(Example::Python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_for_ed25519_refuses_what_others_sign() {
    a_receiver_refuses_what_others_sign(Example::Ed25519).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_takes_what_either_key_of_a_rotation_signs() {
    a_receiver_takes_both_keys_of_a_rotation(Example::Ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_takes_what_either_key_of_a_rotation_signs() {
    a_receiver_takes_both_keys_of_a_rotation(Example::Python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_for_ed25519_takes_what_either_key_of_a_rotation_signs() {
    a_receiver_takes_both_keys_of_a_rotation(Example::Ed25519).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_refuses_what_was_tampered_with() {
    a_receiver_refuses_what_was_tampered_with(Example::Ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_refuses_what_was_tampered_with() {
    a_receiver_refuses_what_was_tampered_with(Example::Python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_for_ed25519_refuses_what_was_tampered_with() {
    a_receiver_refuses_what_was_tampered_with(Example::Ed25519).await;
}

/// Takes every POST, behind TLS.
const BEHIND_TLS: &str = r#"
import http.server, os, ssl

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"#;

#[tokio::test]
async fn an_endpoint_behind_tls_is_spoken_to_only_when_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    echeck_test_servers::smtp::certificate(folder.path());
    let file = folder.path().join("receiver.py");
    std::fs::write(&file, BEHIND_TLS).unwrap();
    let port = port();
    let mut command = Command::new(tool("python"));
    command.current_dir(folder.path()).arg(file);
    let _receiver = Running::start(command, port, "").await;
    let url = format!("https://localhost:{port}/webhooks");

    let trusting = format!("ca_file = {:?}\n", folder.path().join("cert.pem"));
    let world = world_with(&trusting).await;
    let (endpoint_id, _) = subscribe(&world, url.clone(), WebhookKeyKind::HmacSha256).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!(
        (answer.http_status, answer.delivered),
        (204, true),
        "{answer:?}"
    );

    let world = world_with("").await;
    let (endpoint_id, _) = subscribe(&world, url, WebhookKeyKind::HmacSha256).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!(
        (answer.http_status, answer.delivered),
        (0, false),
        "{answer:?}"
    );
    assert!(answer.error.to_lowercase().contains("cert"), "{answer:?}");
}
