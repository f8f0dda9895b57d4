use super::*;

const PIN: &str = "host_key = \"SHA256:2yRS3GhFOHJFVKcdmtwDjtJ5y0O95c4hL14yhyAJ9W4\"\n";
const BASE: &str =
    "host = \"sftp.example\"\nuser = \"ann\"\npassword = \"CANARY\"\ndirectory = \"/out\"\n";

fn faults(kind: &str, keys: &str) -> String {
    let Err(error) = configured(kind, keys) else {
        panic!("{keys} is full of faults")
    };
    error.to_string()
}

#[test]
fn a_server_with_a_pin_and_a_password_is_enough() {
    let location = location("sftp", &format!("{BASE}{PIN}"));
    assert_eq!(location.shown(), "sftp://ann@sftp.example:22/out");
    assert_eq!(location.pattern.as_str(), "*");
    let shown = format!("{location:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[test]
fn without_a_pinned_host_key_the_service_does_not_start() {
    let said = faults("sftp", BASE);
    assert!(said.contains("sources.bank.sftp.host_key"), "{said}");
    assert!(said.contains("without a pin"), "{said}");
}

#[test]
fn a_pin_that_is_no_fingerprint_is_a_fault() {
    let said = faults("sftp", &format!("{BASE}host_key = [\"MD5:aa:bb:cc\"]\n"));
    assert!(said.contains("ssh-keygen -lf"), "{said}");
}

#[test]
fn two_pins_during_a_rotation_are_fine_and_two_kinds_of_pins_are_not() {
    let two = "host_key = [\"SHA256:2yRS3GhFOHJFVKcdmtwDjtJ5y0O95c4hL14yhyAJ9W4\", \
               \"SHA256:UpMVFf/lP4uSzpo0JbdyUJy6cO99omHl8w3BKgZAz0A\"]\n";
    location("sftp", &format!("{BASE}{two}"));
    let said = faults("sftp", &format!("{BASE}{PIN}known_hosts_file = \"/x\"\n"));
    assert!(said.contains("keep one of the two"), "{said}");
}

#[test]
fn a_known_hosts_file_without_the_host_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, "other.example ssh-ed25519 AAAA\n").unwrap();
    let said = faults("sftp", &format!("{BASE}known_hosts_file = {file:?}\n"));
    assert!(said.contains("has no key for sftp.example"), "{said}");
    let said = faults("sftp", &format!("{BASE}known_hosts_file = \"/nowhere\"\n"));
    assert!(said.contains("/nowhere"), "{said}");
}

#[test]
fn every_fault_of_a_place_is_reported_at_once_and_no_secret() {
    let keys = "port = 0\nhost = \"a b\"\npassphrase = \"CANARY\"\npattern = \"[\"\n\
                complete = \"marker\"\nafter = \"move\"\nmove_to = \".\"\nretention_days = 0\n\
                directory = \"/out\"\npgp_private_key = \"CANARY\"\nspeed = 1\n";
    let said = faults("sftp", keys);
    for key in [
        "port",
        "host",
        "user",
        "host_key",
        "private_key",
        "passphrase",
        "pattern",
        "marker_suffix",
        "move_to",
        "retention_days",
        "pgp_private_key",
        "speed",
    ] {
        let key = format!("sources.bank.sftp.{key}");
        assert!(said.contains(&key), "{key} is missing in: {said}");
    }
    assert!(!said.contains("CANARY"), "{said}");
}

#[test]
fn a_source_has_one_place_at_most() {
    let keys = format!("{BASE}{PIN}[sources.bank.folder]\ndirectory = \"/in\"\n");
    let said = faults("sftp", &keys);
    assert!(said.contains("together with folder"), "{said}");
}

#[test]
fn a_source_without_a_place_is_only_handed_files() {
    let settings = Settings::from_toml("[sources.bank]\nformat = \"nacha\"\n").unwrap();
    returns_import::source::read(&settings.root());
    let sources = read(&settings.root());
    settings.finish().unwrap();
    assert!(!sources.contains_key("bank"));
}
