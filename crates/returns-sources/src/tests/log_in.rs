use echeck_test_servers::sshd::{Account, PASSPHRASE};
use returns_model::incident::Cause;

use super::*;

/// Gets in, and reads the one file that is there.
async fn reads(keys: &str) {
    let source = source("sftp", keys);
    let incidents = IncidentReporter::new();
    let mut session = source.location.open().await.unwrap();
    let file = only(&session.list_complete().await.unwrap());
    let new = incidents.fetch(&mut session, &file, &source).await.unwrap();
    assert_eq!(incidents.content(&new), b"a,b\n");
    assert_eq!((new.file_name.as_str(), new.size_bytes), ("r.csv", 4));
    session.close().await;
}

fn with_file(sshd: Sshd) -> Sshd {
    sshd.put("r.csv", "a,b\n");
    sshd
}

#[tokio::test]
async fn a_key_gets_in() {
    let sshd = with_file(Sshd::start());
    reads(&keys(&sshd, "")).await;
}

#[tokio::test]
async fn a_key_with_a_passphrase_gets_in_and_a_wrong_one_is_reported() {
    let sshd = with_file(Sshd::start());
    let file = format!("{:?}", sshd.encrypted_key_file());
    let keys = with(&keys(&sshd, ""), "private_key_file", &file);
    // Opening the key takes its time where libssh2 is not optimized.
    let keys = with(&keys, "read_timeout_ms", "20000");
    reads(&with(&keys, "passphrase", &format!("{PASSPHRASE:?}"))).await;

    for passphrase in ["\"wrong\"", ""] {
        let location = location("sftp", &with(&keys, "passphrase", passphrase));
        let error = no_session(&location).await;
        assert!(
            matches!(
                &error,
                SourceError::Credential {
                    key: "private_key",
                    ..
                }
            ),
            "{error}"
        );
        let headline = error.cause().headline();
        assert!(
            headline.contains("passphrase is wrong or missing"),
            "{headline}"
        );
    }
}

#[tokio::test]
async fn a_password_gets_in_and_a_rotated_one_needs_no_restart() {
    let account = Account::create();
    let sshd = with_file(Sshd::options().with_passwords().start());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let password = format!("{}\n", account.password);
    echeck_service::privacy::create_secret(&file, &password.into()).unwrap();
    let keys = with(&keys(&sshd, ""), "private_key_file", "");
    let keys = with(&keys, "user", &format!("{:?}", account.name));
    let keys = with(&keys, "password_file", &format!("{file:?}"));
    reads(&keys).await;

    let location = location("sftp", &keys);
    account.set_password("CANARY another");
    let error = no_session(&location).await;
    let (user, host) = (account.name.clone(), "127.0.0.1".to_owned());
    assert_eq!(error.cause(), Cause::PasswordRefused { user, host });

    std::fs::write(&file, "CANARY another").unwrap();
    location.open().await.unwrap().close().await;
    std::fs::remove_file(&file).unwrap();
    let error = no_session(&location).await;
    assert!(
        matches!(
            &error,
            SourceError::Credential {
                key: "password",
                ..
            }
        ),
        "{error}"
    );
    assert!(!format!("{error} {error:?} {location:?}").contains("CANARY"));
}

#[tokio::test]
async fn a_server_that_wants_key_and_password_gets_both() {
    let account = Account::create();
    let sshd = with_file(Sshd::options().requiring("publickey,password").start());
    let keys = with(&keys(&sshd, ""), "user", &format!("{:?}", account.name));
    let password = format!("{:?}", account.password);
    reads(&with(&keys, "password", &password)).await;
    let error = no_session(&location("sftp", &keys)).await;
    assert!(matches!(error, SourceError::KeyRefused { .. }), "{error}");
}

#[tokio::test]
async fn an_expired_password_is_told_from_a_wrong_one() {
    let account = Account::create();
    account.expire();
    let options = || Sshd::options().with_passwords();
    let (user, host) = (account.name.clone(), "127.0.0.1".to_owned());
    let expired = Cause::PasswordExpired { user, host };
    // The last one says nothing, so both likely reasons are told.
    let servers = [
        (options().with_shells(), expired.headline()),
        (options().with_terminals(), expired.headline()),
        (
            options(),
            "a password that has expired, or a user whose shell is /bin/false".to_owned(),
        ),
    ];
    for (options, told) in servers {
        let sshd = options.start();
        let keys = with(&keys(&sshd, ""), "private_key_file", "");
        let keys = with(&keys, "user", &format!("{:?}", account.name));
        let right = with(&keys, "password", &format!("{:?}", account.password));
        let error = no_session(&location("sftp", &right)).await;
        let headline = error.cause().headline();
        assert!(headline.contains(&told), "{headline}");

        let wrong = with(&keys, "password", "\"wrong\"");
        let error = no_session(&location("sftp", &wrong)).await;
        assert!(
            matches!(error, SourceError::PasswordRefused { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_refused() {
    let sshd = Sshd::options().refusing_the_key().start();
    let error = no_session(&location("sftp", &keys(&sshd, ""))).await;
    let (user, host) = (sshd.user(), "127.0.0.1".to_owned());
    assert_eq!(error.cause(), Cause::KeyRefused { user, host });
}

#[tokio::test]
async fn whoever_shows_another_host_key_is_not_spoken_to() {
    let sshd = Sshd::start();
    let pin = "SHA256:2yRS3GhFOHJFVKcdmtwDjtJ5y0O95c4hL14yhyAJ9W4";
    let keys = with(&keys(&sshd, ""), "host_key", &format!("{pin:?}"));
    let error = no_session(&location("sftp", &keys)).await;
    assert_eq!(
        error.cause(),
        Cause::HostKeyChanged {
            host: "127.0.0.1".to_owned(),
            expected: pin.to_owned(),
            seen: sshd.fingerprint(),
        }
    );
    let log = sshd.log();
    assert!(
        !log.contains("Accepted") && !log.contains("Failed"),
        "{log}"
    );
}

#[tokio::test]
async fn any_of_a_servers_keys_may_be_the_pinned_one() {
    let types = ["ed25519", "ecdsa", "rsa"];
    let sshd = with_file(Sshd::options().with_host_keys(&types).start());
    for kind in types {
        let pin = format!(
            "[\"SHA256:2yRS3GhFOHJFVKcdmtwDjtJ5y0O95c4hL14yhyAJ9W4\", {:?}]",
            sshd.fingerprint_of(kind)
        );
        reads(&with(&keys(&sshd, ""), "host_key", &pin)).await;
    }
}

#[tokio::test]
async fn known_hosts_pin_the_server_plain_and_hashed_and_by_one_key_type_alone() {
    let types = ["ed25519", "ecdsa", "rsa"];
    let sshd = with_file(Sshd::options().with_host_keys(&types).start());
    for kind in types {
        for hashed in [false, true] {
            let file = sshd.known_hosts("127.0.0.1", kind, hashed);
            let keys = with(&keys(&sshd, ""), "host_key", "");
            reads(&with(&keys, "known_hosts_file", &format!("{file:?}"))).await;
        }
    }
}

#[tokio::test]
async fn known_hosts_of_another_server_do_not_let_this_one_pass() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let file = other.known_hosts("127.0.0.1", "ed25519", false);
    let text = std::fs::read_to_string(&file).unwrap();
    let ours = text.replace(&other.port().to_string(), &sshd.port().to_string());
    std::fs::write(&file, ours).unwrap();
    let keys = with(&keys(&sshd, ""), "host_key", "");
    let keys = with(&keys, "known_hosts_file", &format!("{file:?}"));
    let error = no_session(&location("sftp", &keys)).await;
    assert_eq!(
        error.cause(),
        Cause::HostKeyChanged {
            host: "127.0.0.1".to_owned(),
            expected: other.fingerprint(),
            seen: sshd.fingerprint(),
        }
    );
}
