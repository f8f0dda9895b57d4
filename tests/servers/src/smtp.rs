//! A real mail server (aiosmtpd, in a process of its own) that keeps what it is sent, with
//! STARTTLS or TLS under a certificate of its own, and with a login where wanted.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use uuid::Uuid;

/// How the server wants to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear.
    Plain,
    /// In clear until STARTTLS, which it insists on.
    Starttls,
    /// In TLS from the start.
    Tls,
}

/// A mail that it has taken.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom the envelope names.
    pub recipients: Vec<String>,
    /// Headers as they came, unfolded and decoded: names in lower case.
    pub headers: Vec<(String, String)>,
    /// The text, decoded.
    pub body: String,
}

impl Mail {
    /// The value of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The server, stopped when it is dropped.
pub struct SmtpServer {
    process: Child,
    folder: PathBuf,
    pub port: u16,
}

/// The user that it knows, when it wants a login.
pub const USER: &str = "returns";

impl SmtpServer {
    /// Starts on a free port. With a password it wants a login as [`USER`].
    pub async fn start(security: Security, password: Option<&str>) -> Self {
        let folder = std::env::temp_dir().join(format!("echeck-smtp-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        certificate(&folder);
        let port = crate::port();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let process = Command::new(root.join("../../.tools/bin/python"))
            .arg(root.join("smtp_server.py"))
            .arg(&folder)
            .arg(port.to_string())
            .arg(match security {
                Security::Plain => "plain",
                Security::Starttls => "starttls",
                Security::Tls => "tls",
            })
            .arg(password.unwrap_or_default())
            .stdin(Stdio::null())
            .spawn()
            .expect("python of scripts/setup starts");
        let mut server = Self {
            process,
            folder,
            port,
        };
        server.wait().await;
        server
    }

    async fn wait(&mut self) {
        let started = std::time::Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let ended = self.process.try_wait().expect("it can be asked");
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(20),
                "the mail server does not listen"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The certificate that it shows, for whoever is to trust it. It is for `localhost`.
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// Answers mail for anybody with this from now on, such as `451 Later`; with an empty text
    /// it takes mail again.
    pub fn answer(&self, answer: &str) {
        let file = self.folder.join("answer.new");
        std::fs::write(&file, answer).expect("the folder takes it");
        std::fs::rename(file, self.folder.join("answer")).expect("the folder takes it");
    }

    /// The mails that it has taken, in order.
    pub fn mails(&self) -> Vec<Mail> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.join("mails"))
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "json"));
        files.sort();
        files.iter().map(|file| mail(file)).collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn mail(file: &Path) -> Mail {
    let text = std::fs::read_to_string(file).expect("a mail");
    let mail: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let texts = |value: &serde_json::Value| {
        let all = value.as_array().expect("a list").iter();
        all.map(|text| text.as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    Mail {
        recipients: texts(&mail["recipients"]),
        headers: mail["headers"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pair| {
                let pair = texts(pair);
                (pair[0].clone(), pair[1].clone())
            })
            .collect(),
        body: mail["body"].as_str().expect("text").to_owned(),
    }
}

/// Makes a certificate for localhost that is its own authority: `cert.pem` and `key.pem` in a
/// folder.
pub fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext"])
        .arg("subjectAltName=DNS:localhost,IP:127.0.0.1")
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .stderr(Stdio::null())
        .status()
        .expect("openssl runs");
    assert!(made.success(), "no certificate was made");
}
