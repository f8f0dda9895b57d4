//! What a process keeps to its owner: the files that it creates, the secrets that it reads, and
//! its memory.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit, umask};
use secrecy::{ExposeSecret as _, SecretString};

/// What the group and all others may do with a file.
const NOT_OWNER: u32 = 0o077;

/// What all others may do with a file.
const OTHERS: u32 = 0o007;

/// Whether files in a folder belong to whoever made them, as in `/tmp`.
const SHARED_FOLDER: u32 = 0o1000;

/// The longest secret, in bytes: a private key of any kind is far shorter.
const LONGEST_SECRET: u64 = 1 << 20;

/// Makes what this process creates readable by its owner alone, and lets it leave no core dump:
/// its memory holds account numbers and keys. Call it first in `main`.
pub fn keep_to_owner() {
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    // It lowers a limit, which is always allowed.
    let _ = setrlimit(Resource::Core, none);
}

/// Creates a folder that only its owner can enter, with all that is missing above it. One that is
/// there and open to others is closed to them, if it is ours.
///
/// # Errors
/// When the folder cannot be created, or is open to others and not ours to close.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    close_to_others(folder, &fs::metadata(folder)?)
}

/// Closes a file to everybody but its owner, if it is there.
///
/// # Errors
/// When it is open to others and not ours to close.
pub fn private_file(file: &Path) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(found) => close_to_others(file, &found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn close_to_others(path: &Path, found: &Metadata) -> io::Result<()> {
    let mode = found.mode();
    if mode & NOT_OWNER == 0 {
        return Ok(());
    }
    let shown = path.display();
    let is_ours = found.uid() == geteuid().as_raw();
    if !is_ours || found.is_dir() && mode & SHARED_FOLDER != 0 {
        let what = format!(
            "{shown} is open to other users (mode {:o}), and it is not for this service to change \
             that; name a folder of its own, such as one inside it",
            mode & 0o7777
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    tracing::warn!(path = %shown, mode = format!("{:o}", mode & 0o7777), "closed to other users");
    fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
}

/// Writes a new file that only its owner can read, from the moment it exists.
///
/// # Errors
/// When it is there already, or cannot be written.
pub fn create_secret(file: &Path, secret: &SecretString) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(file)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.sync_all()
}

/// Reads a secret from a file, without the line end. The fault says what is wrong with the file,
/// and never quotes it.
///
/// # Errors
/// When the file cannot be read, is empty, or is open to others. A file of another user, as a
/// container is given its secrets, may be readable by our group, since that is how we read it.
pub fn read_secret(file: &Path) -> Result<SecretString, String> {
    let shown = file.display();
    let unreadable = |fault: io::Error| format!("{shown} cannot be read: {fault}");
    let opened = File::open(file).map_err(unreadable)?;
    let found = opened.metadata().map_err(unreadable)?;
    let (mode, is_ours) = (found.mode(), found.uid() == geteuid().as_raw());
    if mode & if is_ours { NOT_OWNER } else { OTHERS } != 0 {
        return Err(format!(
            "{shown} is open to other users (mode {:o}); allow only its owner to read it, with \
             chmod 600",
            mode & 0o7777
        ));
    }
    let mut content = String::new();
    let read = opened.take(LONGEST_SECRET).read_to_string(&mut content);
    let content = SecretString::from(content);
    read.map_err(unreadable)?;
    match content.expose_secret().trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{shown} is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_created_private_and_an_open_one_is_closed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!(
            (mode(&folder), mode(&root.path().join("a"))),
            (0o700, 0o700)
        );
        set_mode(&folder, 0o2775);
        private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_folder_that_everybody_shares_is_refused_and_left_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        set_mode(root.path(), 0o1777);
        let refused = private_folder(root.path()).unwrap_err().to_string();
        assert!(
            refused.contains("open to other users (mode 1777)"),
            "{refused}"
        );
        assert_eq!(mode(root.path()), 0o1777);
    }

    #[test]
    fn a_file_is_closed_if_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("returns.db");
        private_file(&file).unwrap();
        fs::write(&file, "rows").unwrap();
        set_mode(&file, 0o644);
        private_file(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("key");
        create_secret(&file, &SecretString::from("CANARY\n")).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert!(create_secret(&file, &SecretString::from("again")).is_err());
        assert_eq!(read_secret(&file).unwrap().expose_secret(), "CANARY");
        for open in [0o644, 0o604, 0o640, 0o602] {
            set_mode(&file, open);
            let refused = read_secret(&file).unwrap_err();
            assert!(refused.contains("open to other users"), "{refused}");
            assert!(!refused.contains("CANARY"));
        }
        set_mode(&file, 0o400);
        assert!(read_secret(&file).is_ok());
        let empty = root.path().join("empty");
        create_secret(&empty, &SecretString::from("\n")).unwrap();
        assert!(read_secret(&empty).unwrap_err().contains("is empty"));
        assert!(read_secret(&root.path().join("gone")).is_err());
    }
}
