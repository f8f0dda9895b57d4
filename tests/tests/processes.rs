//! Each service as its own process from its own binary and configuration file, and the
//! whole debugged with the real grpcurl.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{
    Fleet, Nacha, Payment, Process, World, Worldpay, binary, connect, eventually, port, serve, tool,
};
use proto::returns_service_client::ReturnsServiceClient;
use proto::webhook_service_client::WebhookServiceClient;

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_import_a_file_and_stop_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(folder.path(), |program| match program {
        "returns-service" => {
            "[sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n".to_owned()
        }
        _ => String::new(),
    })
    .await;
    fleet.add_debit("TR1").await;
    let mirror = sqlx::SqlitePool::connect(fleet.data.rallypay().url())
        .await
        .unwrap();

    let mut client = ReturnsServiceClient::new(fleet.connect().await);
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".into(),
        file_name: "r.csv".into(),
        wait: proto::WaitLevel::Applied.into(),
        ..proto::ImportFileHeader::default()
    };
    let bytes = Worldpay::new().returned("TR1", "R01").into();
    let parts = [
        proto::import_file_request::Part::Header(header),
        proto::import_file_request::Part::Chunk(bytes),
    ]
    .map(|part| proto::ImportFileRequest { part: Some(part) });
    let mut request = tonic::Request::new(tokio_stream::iter(parts));
    request.set_timeout(std::time::Duration::from_secs(60));
    let import = client
        .import_file(request)
        .await
        .unwrap()
        .into_inner()
        .file_import
        .unwrap();
    assert_eq!(import.state(), proto::ImportState::Applied);
    let status: String = sqlx::query_scalar("SELECT status FROM transactions")
        .fetch_one(&mirror)
        .await
        .unwrap();
    assert_eq!(status, "returned");
    let ask = proto::GetReportRequest {
        import_id: import.import_id,
    };
    let none = client.get_report(ask).await.unwrap_err();
    assert_eq!(none.code(), tonic::Code::FailedPrecondition);
    assert!(
        none.message().contains("no bucket is configured"),
        "{none:?}"
    );
    for process in [fleet.returns, fleet.rallypay, fleet.gateway] {
        assert_eq!(process.stop(), Some(0), "a drained service ends well");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_rotated_and_the_old_one_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let platform = HttpReceiver::start().await;
    let fleet = Fleet::start(folder.path(), |program| match program {
        "returns-service" => "[webhooks]\nallow_private_addresses = true\nallow_http = true\n\
             [sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n"
            .to_owned(),
        _ => String::new(),
    })
    .await;
    let channel = fleet.connect().await;
    let endpoint = proto::CreateEndpointRequest {
        url: platform.url("/hook"),
        style: proto::WebhookStyle::Finix.into(),
        reason: "a test".to_owned(),
        request_id: "create-1".to_owned(),
        ..proto::CreateEndpointRequest::default()
    };
    let mut webhooks = WebhookServiceClient::new(channel.clone());
    let created = webhooks.create_endpoint(endpoint.clone()).await.unwrap();
    let created = created.into_inner();
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".into(),
        file_name: "r.csv".into(),
        wait: proto::WaitLevel::Decided.into(),
        ..proto::ImportFileHeader::default()
    };
    let parts = [
        proto::import_file_request::Part::Header(header),
        proto::import_file_request::Part::Chunk(Worldpay::new().returned("TR1", "R01").into()),
    ]
    .map(|part| proto::ImportFileRequest { part: Some(part) });
    let mut client = ReturnsServiceClient::new(channel);
    client.import_file(tokio_stream::iter(parts)).await.unwrap();

    // Another installation's key is a new one here.
    let other = tempfile::tempdir().unwrap();
    DataFolder::open(other.path(), &DatabaseArguments::default())
        .await
        .unwrap();
    let new = std::fs::read_to_string(other.path().join("spool.key")).unwrap();
    let key_file = folder.path().join("spool.key");
    let old = std::fs::read_to_string(&key_file).unwrap();
    let mut service = Command::new(binary("returns-service"));
    service
        .arg("--config")
        .arg(folder.path().join("returns-service.toml"));
    std::fs::write(&key_file, format!("{}\n{old}", new.trim())).unwrap();
    let run = service.arg("--re-encrypt").output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    assert!(said.contains("files=1 texts=2"), "{said}");

    assert_eq!(fleet.returns.stop(), Some(0));
    std::fs::write(&key_file, new).unwrap();
    let mut service = Command::new(binary("returns-service"));
    service
        .arg("--config")
        .arg(folder.path().join("returns-service.toml"));
    let returns = Process::start(&mut service);
    let mut webhooks = WebhookServiceClient::new(connect(fleet.port).await);
    let again = webhooks
        .create_endpoint(endpoint)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, created, "the answer to the request opens");
    let test = proto::SendTestEventRequest {
        endpoint_id: created.endpoint.unwrap().endpoint_id,
        ..proto::SendTestEventRequest::default()
    };
    let sent = webhooks.send_test_event(test).await.unwrap().into_inner();
    assert!(sent.delivered, "the endpoint's key signs: {sent:?}");
    returns.kill();
}

/// A server that takes connections and never says a word; gives its port.
fn silent_server() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let sockets: Vec<_> = listener.incoming().collect();
        drop(sockets);
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_ended_its_process_twice_is_parked_until_a_person_tries_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path(), &DatabaseArguments::default())
        .await
        .unwrap();
    let port = port();
    // The process is killed while it waits for an answer of the gateway's adapter.
    let config = format!(
        "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n[database]\nurl = {:?}\n\
         [spool]\nfolder = {:?}\nidentity_file = {:?}\n[replica]\nlease_ms = 500\n\
         [feed]\ntimeout_ms = 600000\n\
         [databases.gateway]\nadapter = \"http://127.0.0.1:{}\"\nrole = \"system_of_record\"\n\
         [sources.nacha]\nformat = \"nacha\"\n",
        data.returns().url(),
        folder.path().join("spool"),
        folder.path().join("spool.key"),
        silent_server(),
    );
    let service = || serve("returns-service", folder.path(), &config);
    let mut process = service();
    let header = proto::ImportFileHeader {
        source: "nacha".into(),
        file_name: "r.ach".into(),
        ..Default::default()
    };
    let file = Nacha::new().returned("231380100000017", "R01").text();
    let parts = [
        proto::import_file_request::Part::Header(header),
        proto::import_file_request::Part::Chunk(file.into_bytes()),
    ]
    .map(|part| proto::ImportFileRequest { part: Some(part) });
    let mut client = ReturnsServiceClient::new(connect(port).await);
    let sent = client.import_file(tokio_stream::iter(parts)).await.unwrap();
    let import_id = sent.into_inner().file_import.unwrap().import_id;
    let returns = sqlx::SqlitePool::connect(data.returns().url())
        .await
        .unwrap();
    let returns = &returns;
    let begun = |times: i64| async move {
        let sql = "SELECT work_begun FROM imports WHERE phase = 'deciding'";
        let found: Option<i64> = sqlx::query_scalar(sql)
            .fetch_optional(returns)
            .await
            .unwrap();
        found == Some(times)
    };
    for times in [1, 2] {
        eventually("it is at work", || begun(times)).await;
        process.kill();
        process = service();
    }

    let client = ReturnsServiceClient::new(connect(port).await);
    let fault = || {
        let mut client = client.clone();
        let ask = proto::GetImportRequest {
            import_id: import_id.clone(),
        };
        async move {
            let answer = client.get_import(ask).await.unwrap();
            answer.into_inner().file_import.unwrap().fault
        }
    };
    eventually("it is parked", || async {
        fault().await.contains("parked")
    })
    .await;
    let retried = Command::new(binary("echeck"))
        .args(["imports", "retry", &import_id, "--reason", "a test"])
        .args(["--server", &format!("http://127.0.0.1:{port}")])
        .output()
        .unwrap();
    assert!(retried.status.success(), "{retried:?}");
    eventually("it is at work again", || begun(1)).await;
    eventually("nothing stops it", || async { fault().await.is_empty() }).await;
    process.kill();
}

fn grpcurl(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(tool("grpcurl"))
        .arg("-plaintext")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Base64 without a library: what an engineer would do with `base64 -w0`.
fn base64(bytes: &[u8]) -> String {
    let mut child = Command::new("base64")
        .arg("-w0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcurl_lists_describes_and_calls_by_reflection() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let address = format!("localhost:{}", world.stack.returns.port());
    let service = "echeck.returns.v1.ReturnsService";

    let listed = said(&grpcurl(&[&address, "list"], ""));
    for name in [
        service,
        "echeck.returns.v1.OperationsService",
        "grpc.health.v1.Health",
    ] {
        assert!(listed.contains(name), "{listed}");
    }
    let described = said(&grpcurl(&[&address, "describe", service], ""));
    assert!(described.contains("rpc GetTransfer"), "{described}");
    assert!(
        described.contains("// Lists holds, oldest first."),
        "{described}"
    );

    let bytes: Vec<u8> = Worldpay::new().returned("TR1", "R01").into();
    let messages = format!(
        r#"{{"header":{{"source":"worldpay_returns","file_name":"r.csv","wait":"WAIT_LEVEL_APPLIED"}}}}
           {{"chunk":"{}"}}"#,
        base64(&bytes)
    );
    let call = format!("{service}/ImportFile");
    let imported = said(&grpcurl(&["-d", "@", &address, &call], &messages));
    assert!(imported.contains("IMPORT_STATE_APPLIED"), "{imported}");

    let call = format!("{service}/GetTransfer");
    let asked = r#"{"transfer_id":"TR1"}"#;
    let transfer = said(&grpcurl(&["-d", asked, &address, &call], ""));
    let transfer: serde_json::Value = serde_json::from_str(&transfer).unwrap();
    assert_eq!(transfer["transfer"]["achReturn"]["returnCode"], "R01");

    let asked = r#"{"transfer_id":"TRnone"}"#;
    let missing = grpcurl(&["-d", asked, &address, &call], "");
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    // The details are decoded, since their descriptors are served too.
    for part in [
        "NotFound",
        "TRnone",
        r#""@type":"type.googleapis.com/google.rpc.ErrorInfo""#,
        r#""domain":"echeck-returns""#,
        r#""reason":"NOT_FOUND""#,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    let call = "grpc.health.v1.Health/Check";
    eventually("the service is ready", || async {
        String::from_utf8_lossy(&grpcurl(&[&address, call], "").stdout).contains("SERVING")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcurl_explains_every_field_and_every_error_of_both_sides() {
    let world = World::start().await;
    let returns = format!("localhost:{}", world.stack.returns.port());
    let gateway = format!("localhost:{}", world.stack.gateway.port());
    let rallypay = format!("localhost:{}", world.stack.rallypay.port());
    for (address, symbol, parts) in [
        (
            &returns,
            "echeck.returns.v1.Hold",
            ["// Why it waits.", "HoldReason reason = 2;"],
        ),
        (
            &returns,
            "echeck.returns.v1.HoldReason",
            [
                "// The amount differs from the transfer's.",
                "HOLD_REASON_AMOUNT_DIFFERS",
            ],
        ),
        (
            &gateway,
            "echeck.adapter.v1.Step",
            [
                "// The row's position, counted from 1.",
                "blocked_reason = 9;",
            ],
        ),
        (
            &rallypay,
            "google.rpc.ErrorInfo",
            ["string reason = 1;", "string domain = 2;"],
        ),
    ] {
        let described = said(&grpcurl(&[address, "describe", symbol], ""));
        for part in parts {
            assert!(described.contains(part), "{part}: {described}");
        }
    }
    let call = "echeck.adapter.v1.AdapterService/LookupTransfers";
    let asked = r#"{"keys":[{"kind":"TRANSFER_KEY_KIND_PAYMENT_ID"}]}"#;
    let wrong = grpcurl(&["-d", asked, &gateway, call], "");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    for part in [
        r#""@type":"type.googleapis.com/google.rpc.BadRequest""#,
        r#""field":"keys[0].value""#,
        r#""domain":"echeck-adapter""#,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_before_a_start_names_what_is_there_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let fleet = Fleet::start(at, |program| match program {
        "returns-service" => "[sources.bank]\nformat = \"nacha\"\n".to_owned(),
        _ => String::new(),
    })
    .await;
    fleet.connect().await;
    let check = |config: &Path| {
        let mut command = Command::new(binary("returns-service"));
        command.arg("--config").arg(config).arg("--check");
        let done = command.output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        (
            done.status.code(),
            said,
            String::from_utf8(done.stderr).unwrap(),
        )
    };
    let config = at.join("returns-service.toml");
    let (code, said, fault) = check(&config);
    assert_eq!(code, Some(0), "{said}{fault}");
    let lines: Vec<&str> = said.lines().collect();
    for (line, beginning) in lines.iter().zip([
        "good  configuration",
        "good  returns database: its journal ends at position 0",
        "good  database gateway: ",
        "good  database rallypay: ",
    ]) {
        assert!(line.starts_with(beginning), "{said}");
    }
    assert_eq!(lines.len(), 4, "{said}");

    // An adapter that is gone, and a database that nobody has migrated, are each told by name.
    fleet.rallypay.kill();
    let text = std::fs::read_to_string(&config).unwrap();
    let other = at.join("other.db");
    let elsewhere = text.replace(
        fleet.data.returns().url(),
        &format!("sqlite://{}?mode=rwc", other.display()),
    );
    assert_ne!(text, elsewhere);
    let wrong = at.join("wrong.toml");
    std::fs::write(&wrong, elsewhere).unwrap();
    let (code, said, fault) = check(&wrong);
    assert_eq!(code, Some(1), "{said}{fault}");
    assert!(said.contains("FAIL  returns database: "), "{said}");
    assert!(said.contains("good  database gateway: "), "{said}");
    assert!(said.contains("FAIL  database rallypay: "), "{said}");

    // A fault of the configuration is found before anything is asked.
    std::fs::write(&wrong, text.replace("[spool]", "[spool]\ncolour = 1")).unwrap();
    let (code, said, fault) = check(&wrong);
    assert_ne!(code, Some(0), "{said}");
    assert!(fault.contains("spool.colour"), "{fault}");
}
