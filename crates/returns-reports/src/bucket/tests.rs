//! The bucket on a folder and on a real S3 server that checks signatures and rights.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use echeck_service::config::Settings;
use echeck_test_servers::s3;
use returns_model::check::CheckResult;
use returns_model::incident::Cause;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use super::probe::probe;
use super::*;

fn open(section: &str) -> Bucket {
    let settings = Settings::from_toml(section).unwrap();
    let read = BucketSettings::read(&settings.root());
    settings.finish().unwrap();
    Bucket::open(&read.unwrap()).unwrap()
}

fn folder() -> (tempfile::TempDir, Bucket) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "[bucket]\nurl = \"file://{}/bucket\"",
        folder.path().display()
    );
    let bucket = open(&url);
    (folder, bucket)
}

async fn s3_bucket() -> (s3::Bucket, Bucket) {
    let there = s3::bucket().await;
    let bucket = open(&there.section(&there.full));
    (there, bucket)
}

async fn put(bucket: &Bucket, key: &str, bytes: &[u8]) -> Result<Digest, BucketError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    let digest = Digest::of_file(&path).await?;
    bucket.put_file(key, &path, &digest).await.map(|()| digest)
}

async fn a_file_is_put_once_and_never_overwritten(bucket: &Bucket) {
    let digest = put(bucket, "raw/a", b"one").await.unwrap();
    assert_eq!(digest, Digest::of(b"one"));
    assert_eq!(bucket.digest("raw/a").await.unwrap(), digest);
    put(bucket, "raw/a", b"one")
        .await
        .expect("the same bytes are as good");
    let other = put(bucket, "raw/a", b"two").await.unwrap_err();
    assert!(other.to_string().contains("raw/a"), "{other}");
    assert!(matches!(other, BucketError::Taken { .. }), "{other:?}");
    bucket.verify("raw/a", &digest).await.unwrap();
    let wrong = bucket
        .verify("raw/a", &Digest::of(b"two"))
        .await
        .unwrap_err();
    assert!(matches!(wrong, BucketError::ReadsBackDifferently { .. }));
    let gone = bucket.digest("raw/none").await.unwrap_err();
    assert!(matches!(gone, BucketError::NoObject { .. }), "{gone:?}");
}

async fn a_large_file_goes_up_in_parts(bucket: &Bucket) {
    let bytes: Vec<u8> = (0..12_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let digest = put(bucket, "raw/large", &bytes).await.unwrap();
    assert_eq!(digest.size_bytes, 12_000_000);
    bucket.verify("raw/large", &digest).await.unwrap();
    put(bucket, "raw/large", &bytes)
        .await
        .expect("the same bytes are as good");
    let other = put(bucket, "raw/large", &bytes[1..]).await.unwrap_err();
    assert!(matches!(other, BucketError::Taken { .. }), "{other:?}");
}

#[tokio::test]
async fn a_secret_that_was_rotated_on_disk_is_read_again() {
    let there = s3::bucket().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "wrong\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let section = there.section(&there.full);
    let (others, _) = section.split_once("secret_access_key").unwrap();
    let bucket = open(&format!("{others}secret_access_key_file = {file:?}\n"));
    let refused = put(&bucket, "raw/a", b"one").await.unwrap_err();
    assert!(
        matches!(refused.cause(), Cause::BucketSecretWrong { .. }),
        "{refused:?}"
    );
    std::fs::write(&file, format!("{}\n", there.full.secret)).unwrap();
    put(&bucket, "raw/a", b"one").await.unwrap();
    std::fs::remove_file(&file).unwrap();
    let gone = put(&bucket, "raw/b", b"one").await.unwrap_err();
    assert!(!gone.to_string().contains(&there.full.secret), "{gone}");
}

#[tokio::test]
async fn a_folder_is_a_bucket() {
    let (_folder, bucket) = folder();
    a_file_is_put_once_and_never_overwritten(&bucket).await;
    a_large_file_goes_up_in_parts(&bucket).await;
}

#[tokio::test]
async fn an_s3_server_is_one_too_and_keys_have_the_prefix() {
    let (there, bucket) = s3_bucket().await;
    a_file_is_put_once_and_never_overwritten(&bucket).await;
    assert_eq!(there.read("raw/a").await, "one");
    a_large_file_goes_up_in_parts(&bucket).await;
}

#[tokio::test]
async fn of_two_who_create_a_key_at_once_one_learns_that_it_is_taken() {
    let (_there, bucket) = s3_bucket().await;
    let first = bucket.put_bytes("raw/x", b"one");
    let second = bucket.put_bytes("raw/x", b"two");
    let (first, second) = tokio::join!(first, second);
    let taken = [first, second]
        .into_iter()
        .filter(|put| matches!(put, Err(BucketError::Taken { .. })))
        .count();
    assert_eq!(taken, 1);
}

/// The cause of a put that fails, and how long it took to know.
async fn cause_of(bucket: &Bucket) -> Cause {
    let begun = Instant::now();
    let error = put(bucket, "raw/a", b"one")
        .await
        .expect_err("it cannot work");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{error} took too long"
    );
    for said in [
        format!("{error:?}"),
        error.to_string(),
        error.cause().headline(),
    ] {
        for secret in ["secret-of-the-tests", "CANARY"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    error.cause()
}

#[tokio::test]
async fn a_wrong_key_id_is_told_from_a_wrong_secret() {
    let there = s3::bucket().await;
    let unknown = s3::Key {
        id: "NOBODY".into(),
        ..there.full.clone()
    };
    let bucket = there.name.clone();
    let cause = cause_of(&open(&there.section(&unknown))).await;
    assert_eq!(
        cause,
        Cause::BucketKeyIdUnknown {
            bucket: bucket.clone()
        }
    );
    let wrong = s3::Key {
        secret: "CANARY".into(),
        ..there.full.clone()
    };
    let cause = cause_of(&open(&there.section(&wrong))).await;
    assert_eq!(cause, Cause::BucketSecretWrong { bucket });
}

#[tokio::test]
async fn a_missing_bucket_is_reported_whatever_is_asked_of_it() {
    let there = s3::no_bucket();
    for key in [&there.full, &there.reader] {
        let cause = cause_of(&open(&there.section(key))).await;
        assert_eq!(
            cause,
            Cause::BucketMissing {
                bucket: there.name.clone()
            }
        );
    }
}

#[tokio::test]
async fn a_key_that_may_only_read_is_reported_with_what_it_may_not() {
    let there = s3::bucket().await;
    let cause = cause_of(&open(&there.section(&there.reader))).await;
    let Cause::BucketForbidden { bucket, action } = cause else {
        panic!("{cause:?}")
    };
    assert_eq!(
        (bucket, action.as_str()),
        (there.name.clone(), "put objects")
    );
}

fn at(endpoint: &str, more: &str) -> Bucket {
    open(&format!(
        "[bucket]\nurl = \"s3://returns\"\nendpoint = \"{endpoint}\"\nallow_http = true\n\
         access_key_id = \"K\"\nsecret_access_key = \"CANARY\"\ntimeout_ms = 1000\n{more}"
    ))
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_with_its_address() {
    for (endpoint, why) in [
        ("http://127.0.0.1:1", "refused"),
        ("http://nowhere.invalid:80", "failed to lookup"),
        // Nobody answers at an address of the documentation's network.
        ("http://192.0.2.1:80", ""),
    ] {
        let cause = cause_of(&at(endpoint, "")).await;
        let Cause::BucketUnreachable {
            endpoint: named,
            why: said,
        } = &cause
        else {
            panic!("{endpoint}: {cause:?}")
        };
        assert_eq!(named, endpoint);
        assert!(said.contains(why), "{said}");
    }
}

/// A server that gives every request this answer, or none at all.
async fn answering(answer: Option<&'static str>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(answer) = answer else {
                silent.push(stream);
                continue;
            };
            tokio::spawn(async move {
                let mut request = vec![0; 64 << 10];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_server_that_takes_the_call_and_says_nothing_is_unreachable_after_the_time_out() {
    let silent = answering(None).await;
    let cause = cause_of(&at(&silent, "")).await;
    let Cause::BucketUnreachable { why, .. } = &cause else {
        panic!("{cause:?}")
    };
    assert!(why.contains("1000 ms"), "{why}");
}

#[tokio::test]
async fn an_expired_token_is_reported_and_never_shown() {
    // As Amazon documents it: the answer has the token in it.
    let answer = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\n\
        Connection: close\r\n\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message>\
        <Token-0>CANARY</Token-0><RequestId>4442587FB7D0A2F9</RequestId></Error>";
    let server = answering(Some(answer)).await;
    let bucket = at(&server, "session_token = \"CANARY\"");
    let cause = cause_of(&bucket).await;
    assert_eq!(
        cause,
        Cause::BucketTokenExpired {
            bucket: "returns".into()
        }
    );
}

#[tokio::test]
async fn any_other_answer_is_reported_by_its_code_or_its_status_and_without_its_body() {
    for (answer, said) in [
        (
            "HTTP/1.1 503 Slow Down\r\nConnection: close\r\n\r\n\
             <Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>",
            "Reduce your request rate. (SlowDown)",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>CANARY</html>",
            "it answered 502 Bad Gateway",
        ),
    ] {
        let server = answering(Some(answer)).await;
        let cause = cause_of(&at(&server, "")).await;
        let Cause::BucketFailed { why, .. } = &cause else {
            panic!("{cause:?}")
        };
        assert_eq!(why, said);
    }
}

#[tokio::test]
async fn a_folder_that_is_gone_or_cannot_be_written_is_reported() {
    let (home, bucket) = folder();
    let folder = home.path().join("bucket");
    std::fs::remove_dir_all(&folder).unwrap();
    let name = folder.display().to_string();
    let missing = bucket.digest("raw/a").await.unwrap_err();
    assert_eq!(missing.cause(), Cause::BucketMissing { bucket: name });
    std::fs::write(&folder, "no folder").unwrap();
    let failed = put(&bucket, "raw/a", b"one").await.unwrap_err();
    assert!(
        !matches!(failed, BucketError::NoObject { .. }),
        "{failed:?}"
    );
}

/// A file system with room for little, where this process may make one.
fn small_disk(at: &Path) -> bool {
    std::fs::create_dir_all(at).unwrap();
    std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"])
        .arg(at)
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test]
async fn a_full_disk_is_reported_as_such() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("disk");
    if !small_disk(&folder) {
        // Only root may mount; the disk of the tests' machine is not filled instead.
        return;
    }
    let bucket = open(&format!("[bucket]\nurl = \"file://{}\"", folder.display()));
    let error = put(&bucket, "raw/a", &vec![7; 3 << 20]).await.unwrap_err();
    let unmounted = std::process::Command::new("umount").arg(&folder).status();
    assert!(unmounted.unwrap().success());
    let path = folder.display().to_string();
    assert_eq!(error.cause(), Cause::DiskFull { path });
}

fn results(checks: &[returns_model::check::Check]) -> Vec<&'static str> {
    checks
        .iter()
        .map(|check| match check.result {
            CheckResult::Passed(_) => "passed",
            CheckResult::Failed(_) => "failed",
            CheckResult::Skipped(_) => "skipped",
        })
        .collect()
}

#[tokio::test]
async fn a_probe_of_a_bucket_that_works_leaves_nothing_behind() {
    let (_home, folder) = folder();
    let (_there, s3) = s3_bucket().await;
    for bucket in [folder, s3] {
        let checks = probe(&bucket, Uuid::from_u128(1)).await;
        assert_eq!(results(&checks), ["passed"; 4], "{checks:?}");
        let marker = format!(".echeck-probe/{}", Uuid::from_u128(1).simple());
        let left = bucket.digest(&marker).await.unwrap_err();
        assert!(matches!(left, BucketError::NoObject { .. }), "{left:?}");
        let again = probe(&bucket, Uuid::from_u128(1)).await;
        assert_eq!(results(&again), ["passed"; 4], "{again:?}");
    }
}

#[tokio::test]
async fn a_probe_tells_what_may_not_be_done_and_is_over_in_time() {
    let there = s3::bucket().await;
    let checks = probe(&open(&there.section(&there.reader)), Uuid::from_u128(1)).await;
    assert_eq!(results(&checks), ["passed", "failed", "skipped", "skipped"]);
    let CheckResult::Failed(Cause::BucketForbidden { action, .. }) = &checks[1].result else {
        panic!("{checks:?}")
    };
    assert_eq!(action, "put objects");

    let silent = answering(None).await;
    let slow = open(&format!(
        "[bucket]\nurl = \"s3://returns\"\nendpoint = \"{silent}\"\nallow_http = true\n\
         access_key_id = \"K\"\nsecret_access_key = \"S\"\ntimeout_ms = 60000"
    ));
    let begun = Instant::now();
    let checks = probe(&slow, Uuid::from_u128(1)).await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert_eq!(
        results(&checks),
        ["failed", "skipped", "skipped", "skipped"]
    );
}

#[tokio::test]
async fn an_error_without_end_is_cut_off() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await.unwrap();
        let head = b"HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(head).await.unwrap();
        let chunk = [b"10000\r\n".to_vec(), vec![b'a'; 1 << 16], b"\r\n".to_vec()].concat();
        let mut sent = 0;
        while socket.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
        sent
    });
    let bucket = open(&format!(
        "[bucket]\nurl = \"s3://returns\"\nendpoint = \"http://127.0.0.1:{port}\"\n\
         allow_http = true\naccess_key_id = \"k\"\nsecret_access_key = \"s\""
    ));
    assert!(bucket.digest("raw/a").await.is_err());
    let sent = server.await.unwrap();
    assert!(sent < 64 << 20, "{sent} bytes");
}
