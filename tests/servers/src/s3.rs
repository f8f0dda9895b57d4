//! Buckets on the S3 server of `scripts/servers`, which checks signatures and rights.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{fresh_name, server};

/// A key to the server.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// A new, empty bucket.
pub struct Bucket {
    /// Where the server is: `http://…`.
    pub endpoint: String,
    pub name: String,
    /// May list, get, put and delete.
    pub full: Key,
    /// May only list and get.
    pub reader: Key,
}

/// A new, empty bucket.
pub async fn bucket() -> Bucket {
    let bucket = no_bucket();
    let path = format!("/buckets/{}/", bucket.name);
    let answer = ask_filer(&format!("POST {path} HTTP/1.1")).await;
    assert!(answer.contains(" 201 "), "a bucket can be made: {answer}");
    bucket
}

/// The name of a bucket that nobody has made.
pub fn no_bucket() -> Bucket {
    Bucket {
        endpoint: server("ECHECK_TEST_S3"),
        name: fresh_name(),
        full: key("ECHECK_TEST_S3_FULL"),
        reader: key("ECHECK_TEST_S3_READER"),
    }
}

impl Bucket {
    /// `[bucket]` of the returns service, for this bucket and a key.
    pub fn section(&self, key: &Key) -> String {
        format!(
            "[bucket]\nurl = \"s3://{}/echeck\"\nendpoint = \"{}\"\nallow_http = true\n\
             access_key_id = \"{}\"\nsecret_access_key = \"{}\"\n",
            self.name, self.endpoint, key.id, key.secret
        )
    }

    /// What is under a key, whoever put it there.
    pub async fn read(&self, key: &str) -> String {
        let path = format!("/buckets/{}/echeck/{key}", self.name);
        let answer = ask_filer(&format!("GET {path} HTTP/1.1")).await;
        assert!(answer.contains(" 200 "), "{key} is there: {answer}");
        answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .expect("an answer has a body")
    }
}

fn key(variable: &str) -> Key {
    let pair = server(variable);
    let (id, secret) = pair.split_once(':').expect("id:secret");
    Key {
        id: id.to_owned(),
        secret: secret.to_owned(),
    }
}

/// Asks the server's inner side, which checks no signatures.
async fn ask_filer(line: &str) -> String {
    let address = server("ECHECK_TEST_S3_FILER");
    let mut stream = TcpStream::connect(&address)
        .await
        .expect("the S3 server runs; `scripts/servers start` starts it");
    let request =
        format!("{line}\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it takes a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}
