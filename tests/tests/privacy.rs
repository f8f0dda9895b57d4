//! What a stack keeps on disk is its owner's alone, also where it was open to others before.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use echeck::stack::{DataFolder, Ports, Stack, StackOptions, Trust};

/// A folder and everything below it.
fn all(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        found.extend(entries.flat_map(|entry| all(&entry.unwrap().path())));
    }
    found
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Starts it as `echeck up` does; gives what is wrong.
async fn start(options: &StackOptions) -> Result<Stack, String> {
    let opened = DataFolder::open(&options.data, &options.databases).await;
    opened.map_err(|error| format!("{error:#}"))?;
    let started = Stack::start(options).await;
    started.map_err(|error| format!("{error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stack_keeps_is_private_and_a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = StackOptions {
        trust: Trust::Own,
        ..StackOptions::new(&data, Ports::ANY)
    };
    let stack = start(&options).await.unwrap();
    stack.stop().await.unwrap();
    for path in all(&data) {
        set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }

    // The adapters start first, then what calls them.
    let refused = start(&options).await.err().unwrap();
    assert!(refused.contains("tls/gateway-adapter.key"), "{refused}");
    assert!(refused.contains("open to other users"), "{refused}");
    for key in all(&data.join("tls")).iter().filter(|path| path.is_file()) {
        set_mode(key, 0o600);
    }
    let refused = start(&options).await.err().unwrap();
    assert!(refused.contains("spool.key"), "{refused}");
    for key in ["spool.key", "journal.key"] {
        set_mode(&data.join(key), 0o600);
    }
    let stack = start(&options).await.unwrap();
    for name in ["", "spool", "bucket", "tls"] {
        let path = data.join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700, "{}", path.display());
    }
    for name in ["gateway.db", "rallypay.db", "returns.db", "returns.db-wal"] {
        let path = data.join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{}", path.display());
    }
    stack.stop().await.unwrap();
}
