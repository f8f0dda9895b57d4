//! The receivers of docs/webhooks.md, as they stand there, told of a real return: they check the
//! signature with the reference library of their language.

use std::path::Path;
use std::process::Stdio;

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, eventually, port, tool};
use proto::replay_request::What;
use proto::webhook_service_client::WebhookServiceClient;
use proto::{WebhookDelivery, WebhookDeliveryState, WebhookStyle};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tonic::transport::Channel;

const DOCUMENT: &str = include_str!("../../docs/webhooks.md");

/// The one block of code in this language.
fn block(language: &str) -> String {
    let start = format!("\n```{language}\n");
    let mut parts = DOCUMENT.split(start.as_str());
    let (_, after) = (parts.next(), parts.next().expect("a block"));
    assert!(parts.next().is_none(), "one block of {language}");
    after.split("```").next().expect("its end").to_owned()
}

/// A receiver that runs.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    async fn start(mut command: Command, file: &Path, port: u16, secret: &str) -> Self {
        let process = command
            .arg(file)
            .env("PORT", port.to_string())
            .env("WEBHOOK_SECRET", secret)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let address = format!("127.0.0.1:{port}");
        eventually("the receiver listens", || async {
            tokio::net::TcpStream::connect(&address).await.is_ok()
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

fn ruby(folder: &Path) -> (Command, std::path::PathBuf) {
    let file = folder.join("receiver.rb");
    std::fs::write(&file, block("ruby")).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gems = here.join("../.tools/gems");
    let mut command = Command::new("ruby");
    // scripts/setup installs the gem where rubygems.org can be reached.
    if gems.join("gems").exists() {
        command.env("GEM_PATH", gems);
    } else {
        command.arg("-I").arg(here.join("receivers"));
    }
    (command, file)
}

fn python(folder: &Path) -> (Command, std::path::PathBuf) {
    let file = folder.join("receiver.py");
    std::fs::write(&file, block("python")).unwrap();
    (Command::new(tool("python")), file)
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

/// Makes an endpoint, and gives its id and secret.
async fn subscribe(world: &World, url: String) -> (String, String) {
    let ask = proto::CreateEndpointRequest {
        url,
        style: WebhookStyle::Rainforest.into(),
        api_version: "2024-10-16".to_owned(),
        actor: "ann".to_owned(),
        reason: "a test".to_owned(),
        ..proto::CreateEndpointRequest::default()
    };
    let made = webhooks(world).await.create_endpoint(ask).await.unwrap();
    let made = made.into_inner();
    (made.endpoint.unwrap().endpoint_id, made.key.unwrap().secret)
}

async fn deliveries(world: &World) -> Vec<WebhookDelivery> {
    let ask = proto::ListDeliveriesRequest::default();
    let listed = webhooks(world).await.list_deliveries(ask).await.unwrap();
    listed.into_inner().deliveries
}

async fn a_receiver_takes_what_we_sign(of: impl Fn(&Path) -> (Command, std::path::PathBuf)) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/webhooks");
    let (endpoint_id, secret) = subscribe(&world, url).await;
    let (command, file) = of(folder.path());
    let mut receiver = Running::start(command, &file, port, &secret).await;

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
        what: Some(What::EventId(sent[0].event_id.clone())),
        actor: "ann".to_owned(),
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

async fn a_receiver_refuses_what_others_sign(of: impl Fn(&Path) -> (Command, std::path::PathBuf)) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let another = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let (command, file) = of(folder.path());
    let receiver = Running::start(command, &file, port, another).await;
    let (endpoint_id, _) = subscribe(&world, receiver.url.clone()).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!(answer.status, 400);
}

/// What the endpoint answers to a signed test message.
async fn answer_to_a_test(world: &World, endpoint_id: String) -> proto::SendTestEventResponse {
    let ask = proto::SendTestEventRequest {
        endpoint_id,
        actor: "ann".to_owned(),
    };
    let answer = webhooks(world).await.send_test_event(ask).await.unwrap();
    answer.into_inner()
}

async fn a_receiver_takes_both_keys_of_a_rotation(
    of: impl Fn(&Path) -> (Command, std::path::PathBuf),
) {
    let world = listening_world().await;
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let url = format!("http://127.0.0.1:{port}/webhooks");
    let (endpoint_id, old) = subscribe(&world, url).await;
    let ask = proto::RotateSecretRequest {
        endpoint_id: endpoint_id.clone(),
        actor: "ann".to_owned(),
        reason: "a test".to_owned(),
        ..proto::RotateSecretRequest::default()
    };
    let made = webhooks(&world).await.rotate_secret(ask).await.unwrap();
    let new = made.into_inner().key.unwrap().secret;
    assert_ne!(old, new);
    for secret in [old, new] {
        let (command, file) = of(folder.path());
        let mut receiver = Running::start(command, &file, port, &secret).await;
        let answer = answer_to_a_test(&world, endpoint_id.clone()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        receiver.process.kill().await.unwrap();
    }
}

#[tokio::test]
async fn the_receiver_in_ruby_takes_what_we_sign_and_keeps_each_message_once() {
    a_receiver_takes_what_we_sign(ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_takes_what_we_sign_and_keeps_each_message_once() {
    a_receiver_takes_what_we_sign(python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_refuses_what_others_sign() {
    a_receiver_refuses_what_others_sign(ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_refuses_what_others_sign() {
    a_receiver_refuses_what_others_sign(python).await;
}

#[tokio::test]
async fn the_receiver_in_ruby_takes_what_either_key_of_a_rotation_signs() {
    a_receiver_takes_both_keys_of_a_rotation(ruby).await;
}

#[tokio::test]
async fn the_receiver_in_python_takes_what_either_key_of_a_rotation_signs() {
    a_receiver_takes_both_keys_of_a_rotation(python).await;
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
    command.current_dir(folder.path());
    let _receiver = Running::start(command, &file, port, "").await;
    let url = format!("https://localhost:{port}/webhooks");

    let trusting = format!("ca_file = {:?}\n", folder.path().join("cert.pem"));
    let world = world_with(&trusting).await;
    let (endpoint_id, _) = subscribe(&world, url.clone()).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!((answer.status, answer.delivered), (204, true), "{answer:?}");

    let world = world_with("").await;
    let (endpoint_id, _) = subscribe(&world, url).await;
    let answer = answer_to_a_test(&world, endpoint_id).await;
    assert_eq!((answer.status, answer.delivered), (0, false), "{answer:?}");
    assert!(answer.error.to_lowercase().contains("cert"), "{answer:?}");
}
