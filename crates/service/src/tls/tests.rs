//! Right certificates and wrong ones, over real sockets.

use std::path::Path;
use std::time::Duration;

use echeck_test_servers::certificates::{TestCa, TestCertificate, Valid};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;

use super::*;
use crate::access::Access;
use crate::server::tests::{Running, ask, start_for};

const RAILS: &str = "spiffe://pay.example/rails";

/// A CA with a server at this machine that trusts it.
struct Here {
    folder: tempfile::TempDir,
    ca: TestCa,
    running: Running,
}

impl Here {
    /// With these lines in `[server]` or `[server.tls]`.
    async fn start(more: &str) -> Self {
        let (folder, ca) = (tempfile::tempdir().unwrap(), TestCa::new());
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let server = ca.issue(&["localhost", "127.0.0.1"], Valid::Now);
        let lines = server_lines(folder.path(), &server) + more;
        let roles = crate::access::Grant::of([crate::access::Role::Reader]);
        let access = Access::default().with_certificates([(RAILS.to_owned(), roles)]);
        let running = start_for(&lines, access).await;
        Self {
            folder,
            ca,
            running,
        }
    }

    fn client(&self, certificate: Option<&TestCertificate>) -> ClientTls {
        self.client_of(&self.ca, certificate)
    }

    fn client_of(&self, ca: &TestCa, certificate: Option<&TestCertificate>) -> ClientTls {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
        let certificate = certificate.map(|certificate| certificate.write(&folder, "caller"));
        let ca = folder.join("ca.pem");
        ClientTls::new(ClientTlsFiles { ca, certificate }).unwrap()
    }

    /// How a call goes: its code, and why TLS failed, if it did.
    async fn call(&self, tls: &ClientTls) -> (Result<(), Code>, String) {
        let address = format!("https://localhost:{}", self.running.address.port());
        call_at(&address, Some(tls)).await
    }
}

async fn call_at(address: &str, tls: Option<&ClientTls>) -> (Result<(), Code>, String) {
    let connection = Connection::new(address, tls).unwrap();
    let connection = connection.with(|one| one.timeout(Duration::from_secs(20)));
    let channel = match connection.connect().await {
        Ok(channel) => channel,
        Err(why) => return (Err(Code::Unavailable), why),
    };
    let mut client = crate::server::tests::Client::new(channel);
    let called = client.get_transfer(ask("answer")).await;
    let why = called.as_ref().err().and_then(|status| explain(status));
    let why = why.or_else(|| connection.told()).unwrap_or_default();
    (called.map(drop).map_err(|status| status.code()), why)
}

fn server_lines(folder: &Path, certificate: &TestCertificate) -> String {
    let (certificate, key) = certificate.write(folder, "server");
    let ca = folder.join("ca.pem");
    format!(
        "[server.tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n\
         client_ca_file = {ca:?}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_with_a_known_name_is_let_in_and_every_other_is_told_why_not() {
    let here = Here::start("").await;
    let right = here.ca.issue(&["elsewhere.example", RAILS], Valid::Now);
    assert_eq!(
        here.call(&here.client(Some(&right))).await,
        (Ok(()), String::new())
    );

    let nobody = here.ca.issue(&["stranger.example"], Valid::Now);
    let (called, _) = here.call(&here.client(Some(&nobody))).await;
    assert_eq!(called, Err(Code::PermissionDenied), "no role");
    let (called, _) = here.call(&here.client(None)).await;
    assert_eq!(
        called,
        Err(Code::Unauthenticated),
        "neither certificate nor token"
    );

    let foreign = TestCa::new();
    for (certificate, why) in [
        (here.ca.issue(&[RAILS], Valid::Expired), "it has expired"),
        (here.ca.issue(&[RAILS], Valid::NotYet), "is not valid yet"),
        (
            foreign.issue(&[RAILS], Valid::Now),
            "not from the CA that the server trusts",
        ),
    ] {
        let (called, told) = here.call(&here.client(Some(&certificate))).await;
        assert!(called.is_err());
        assert!(told.contains(why), "{why}: {told:?}");
    }
    // Good callers are unmoved by all that.
    assert_eq!(here.call(&here.client(Some(&right))).await.0, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_says_what_is_wrong_with_the_server() {
    let here = Here::start("").await;
    let stranger = TestCa::new();
    let (called, why) = here.call(&here.client_of(&stranger, None)).await;
    assert!(called.is_err());
    assert!(
        why.contains("not from the CA that is trusted here"),
        "{why}"
    );

    let port = here.running.address.port();
    let (called, why) = call_at(
        &format!("https://127.0.0.2:{port}"),
        Some(&here.client(None)),
    )
    .await;
    // The server listens at 127.0.0.1 alone.
    assert!(called.is_err() && why.contains("refused"), "{why}");

    for (valid, sentence) in [
        (Valid::Expired, "expired on 2021-01-01"),
        (Valid::NotYet, "not valid before 2080-01-01"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), here.ca.pem()).unwrap();
        let server = here.ca.issue(&["localhost"], valid);
        let running = start_for(&server_lines(folder.path(), &server), Access::default()).await;
        let address = format!("https://localhost:{}", running.address.port());
        let (_, why) = call_at(&address, Some(&here.client(None))).await;
        assert!(why.contains(sentence), "{why}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), here.ca.pem()).unwrap();
    let server = here.ca.issue(&["returns.internal"], Valid::Now);
    let running = start_for(&server_lines(folder.path(), &server), Access::default()).await;
    let address = format!("https://localhost:{}", running.address.port());
    let (_, why) = call_at(&address, Some(&here.client(None))).await;
    assert!(
        why.contains("returns.internal") && why.contains("not for \"localhost\""),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_on_a_port_with_tls_and_tls_on_a_plain_one_are_told_apart() {
    let here = Here::start("").await;
    let port = here.running.address.port();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
    let channel = endpoint.unwrap().connect().await.unwrap();
    let called = crate::server::tests::Client::new(channel)
        .get_transfer(ask("answer"))
        .await;
    let said = format!("{:?}", called.unwrap_err());
    assert!(said.contains("this port is with TLS"), "{said}");

    let plain = start_for("", Access::default()).await;
    let address = format!("https://127.0.0.1:{}", plain.address.port());
    let (called, why) = call_at(&address, Some(&here.client(None))).await;
    assert_eq!(called, Err(Code::Unavailable));
    assert!(why.contains("does not speak TLS there"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_certificates_are_required_nobody_connects_without_one() {
    let here = Here::start("client_certificates = \"required\"\n").await;
    let (called, told) = here.call(&here.client(None)).await;
    assert!(called.is_err());
    assert!(
        told.contains("wants a certificate from its callers"),
        "{told}"
    );
    let right = here.ca.issue(&[RAILS], Valid::Now);
    assert_eq!(here.call(&here.client(Some(&right))).await.0, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_refused_as_soon_as_the_list_says_so() {
    let (folder, ca) = (tempfile::tempdir().unwrap(), TestCa::new());
    std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
    let [good, bad] = [(); 2].map(|()| ca.issue(&[RAILS], Valid::Now));
    let crl = folder.path().join("revoked.pem");
    std::fs::write(&crl, ca.revoke(&[])).unwrap();
    let server = ca.issue(&["localhost"], Valid::Now);
    let lines = server_lines(folder.path(), &server) + &format!("crl_file = {crl:?}\n");
    let roles = crate::access::Grant::of([crate::access::Role::Reader]);
    let access = Access::default().with_certificates([(RAILS.to_owned(), roles)]);
    let running = start_for(&lines, access).await;
    let here = Here {
        folder,
        ca,
        running,
    };
    let [good, revoked] = [good, bad.clone()].map(|one| here.client(Some(&one)));
    assert_eq!(here.call(&revoked).await.0, Ok(()));
    std::fs::write(&crl, here.ca.revoke(&[&bad])).unwrap();
    until("the list is read again", async || {
        here.call(&revoked).await.0.is_err()
    })
    .await;
    let (_, told) = here.call(&revoked).await;
    assert!(told.contains("it was revoked"), "{told}");
    assert_eq!(here.call(&good).await.0, Ok(()));
}

/// Waits until something is so, and fails the test if it never is.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_exchanged_without_dropping_a_connection_and_half_a_file_changes_nothing()
{
    let here = Here::start("").await;
    let right = here.ca.issue(&[RAILS], Valid::Now);
    let tls = here.client(Some(&right));
    let address = format!("https://localhost:{}", here.running.address.port());
    let old = Connection::new(&address, Some(&tls))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut old = crate::server::tests::Client::new(old);
    old.get_transfer(ask("answer")).await.unwrap();

    let file = here.folder.path().join("server.pem");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let serial = |port| async move { server_certificate(port).await };
    let port = here.running.address.port();
    let before = serial(port).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(serial(port).await, before, "half a file is not used");

    // The new certificate is there before its key.
    let new = here.ca.issue(&["localhost"], Valid::Now);
    std::fs::write(&file, &new.pem).unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(
        serial(port).await,
        before,
        "a certificate without its key is not used"
    );
    new.write(here.folder.path(), "server");
    until("the new certificate is shown", async || {
        serial(port).await != before
    })
    .await;
    old.get_transfer(ask("answer")).await.unwrap();
}

/// The certificate that a server shows.
async fn server_certificate(port: u16) -> Vec<u8> {
    #[derive(Debug)]
    struct Anything;
    impl rustls::client::danger::ServerCertVerifier for Anything {
        fn verify_server_cert(
            &self,
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &[rustls::pki_types::CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            provider()
                .signature_verification_algorithms
                .supported_schemes()
        }
    }
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    config.alpn_protocols = vec![H2.to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handshake_is_ended_and_holds_nobody_up() {
    let here = Here::start("").await;
    let quick = start_for(
        &(String::from("handshake_timeout_ms = 300\n")
            + &server_lines(
                here.folder.path(),
                &here.ca.issue(&["localhost"], Valid::Now),
            )),
        Access::default(),
    )
    .await;
    let mut slow = TcpStream::connect(quick.address).await.unwrap();
    // The beginning of a handshake that never goes on.
    slow.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    let address = format!("https://localhost:{}", quick.address.port());
    let (called, _) = call_at(&address, Some(&here.client(None))).await;
    assert_eq!(called, Err(Code::Unauthenticated), "it answers meanwhile");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it is closed");
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (folder, ca) = (tempfile::tempdir().unwrap(), TestCa::new());
    let (certificate, key) = ca
        .issue(&["localhost"], Valid::Now)
        .write(folder.path(), "server");
    let files = ServerTlsFiles {
        certificate,
        key: key.clone(),
        client_ca: None,
        client_certificates: ClientCertificates::Optional,
        crl: None,
    };
    let tls = ServerTls::new(files.clone()).unwrap();
    assert_eq!(
        tls.not_after().unwrap().to_string(),
        "2090-01-01 00:00:00 UTC"
    );

    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).unwrap();
    let refused = ServerTls::new(files).unwrap_err().to_string();
    assert!(refused.contains("open to other users"), "{refused}");
}

#[test]
fn a_server_that_others_can_reach_needs_tls_or_a_word_that_it_does_without() {
    let faults = |toml: &str| {
        let settings = crate::config::Settings::from_toml(toml).unwrap();
        let section = settings.root().section("server");
        crate::server::ServerConfig::read(
            &section,
            crate::server::ServerDefaults::at("127.0.0.1:0"),
        );
        settings
            .finish()
            .err()
            .map(|faults| faults.to_string())
            .unwrap_or_default()
    };
    let said = faults("[server]\nlisten = \"0.0.0.0:1\"\n");
    assert!(
        said.contains("server.listen: 0.0.0.0:1 can be reached by others"),
        "{said}"
    );
    assert_eq!(
        faults("[server]\nlisten = \"0.0.0.0:1\"\ninsecure_plaintext = true\n"),
        ""
    );
    assert_eq!(faults("[server]\nlisten = \"[::1]:1\"\n"), "");
    let said = faults("[server.tls]\ncertificate_file = \"/gone\"\nkey_file = \"/gone\"\n");
    assert!(
        said.contains("server.tls.certificate_file: /gone"),
        "{said}"
    );
    let said =
        faults("[server.tls]\ncertificate_file = \"/gone\"\nclient_certificates = \"required\"\n");
    assert!(
        said.contains("server.tls.client_ca_file") && said.contains("server.tls.key_file"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_http_2_is_spoken_inside_tls() {
    let here = Here::start("").await;
    let roots = files::roots(&here.folder.path().join("ca.pem")).unwrap();
    for (protocols, begins) in [(vec![b"http/1.1".to_vec()], false), (Vec::new(), true)] {
        let mut config = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = protocols;
        let stream = TcpStream::connect(here.running.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let begun = connector.connect(name, stream).await;
        assert_eq!(begun.is_ok(), begins);
        // Without a protocol the handshake ends well, and then the connection is closed.
        if let Ok(mut stream) = begun {
            let mut rest = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest));
            let _ = read.await.expect("it is closed");
            assert!(rest.is_empty());
        }
    }
}
