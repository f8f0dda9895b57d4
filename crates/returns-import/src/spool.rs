//! The spool: every received file, stored encrypted, because return files hold account
//! numbers in clear. The `age` format, so that staff can open one with an ordinary tool.

mod keeper;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::x25519;
use echeck_service::privacy;
use echeck_service::room::Room;
use returns_model::keyring::{KeyRing, KeyRingError};
use secrecy::{ExposeSecret as _, SecretString};

pub use keeper::SpoolKeeper;

/// What can go wrong with the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool file {path} could not be {what}")]
    Io {
        path: PathBuf,
        what: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("the spool {path} has no room for {needed_bytes} more bytes: {room}")]
    Full {
        path: PathBuf,
        needed_bytes: u64,
        room: Room,
    },
    #[error("the spool file {path} cannot be opened with the configured key: {why}")]
    Key { path: PathBuf, why: String },
    #[error("spool.identity cannot be used: {0}")]
    BadIdentity(KeyRingError),
}

/// The folder of received files.
#[derive(Clone)]
pub struct Spool {
    folder: PathBuf,
    keys: KeyRing,
    /// Who else can open what is stored from now on.
    recipients: Arc<[x25519::Recipient]>,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spool({})", self.folder.display())
    }
}

impl Spool {
    /// Opens the spool in `folder` with the keys of its files, the newest first: that one encrypts.
    pub fn open(folder: &Path, keys: &SecretString) -> Result<Self, SpoolError> {
        privacy::private_folder(folder).map_err(io_error(folder, "made private"))?;
        Ok(Self {
            folder: folder.to_owned(),
            keys: KeyRing::read(keys).map_err(SpoolError::BadIdentity)?,
            recipients: Arc::new([]),
        })
    }

    /// The same spool, whose files these people can open too with their own keys.
    pub fn with_recipients(self, recipients: &[x25519::Recipient]) -> Self {
        Self {
            recipients: recipients.into(),
            ..self
        }
    }

    /// A new identity, as text for a key file.
    pub fn new_identity() -> SecretString {
        SecretString::from(
            x25519::Identity::generate()
                .to_string()
                .expose_secret()
                .to_owned(),
        )
    }

    /// The name of a file: it ends with the id of the key that the file is encrypted to.
    pub fn name(&self, sha256: &str, nonce: uuid::Uuid) -> String {
        format!("{sha256}-{nonce}.{}.age", self.keys.newest_id())
    }

    /// The names of the files that are not encrypted to the newest key.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn encrypted_before(&self) -> Result<Vec<String>, SpoolError> {
        let listed = || io_error(&self.folder, "listed");
        let newest = format!(".{}.age", self.keys.newest_id());
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(listed())? {
            let name = entry.map_err(listed())?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".age") && !name.ends_with(&newest) {
                names.push(name.into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Encrypts a file once more, to the newest key and under a name that says so; the old file stays.
    ///
    /// # Errors
    /// When no key opens it, or the disk refuses.
    pub fn encrypt_again(&self, name: &str) -> Result<String, SpoolError> {
        let stem = name.split('.').next().unwrap_or(name);
        let new = format!("{stem}.{}.age", self.keys.newest_id());
        let mut plain = self.read(name)?;
        let mut again = self.begin(&new)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let path = self.path(name);
            let count = plain.read(&mut buffer).map_err(io_error(&path, "read"))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            again.write(bytes)?;
        }
        again.keep(&new)?;
        Ok(new)
    }

    /// Where a file is, encrypted as it is stored.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A place for a file that is worth nothing after a crash; the sweep of a later start
    /// deletes it then.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.part"))
    }

    /// Whether a file of this size fits.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when it does not.
    pub fn check_room(&self, needed_bytes: u64) -> Result<(), SpoolError> {
        let room = Room::of(&self.folder).map_err(io_error(&self.folder, "asked for its room"))?;
        if room.fits(needed_bytes) {
            return Ok(());
        }
        Err(SpoolError::Full {
            path: self.folder.clone(),
            needed_bytes,
            room,
        })
    }

    /// Starts a file. Until [`Incoming::keep`] it can be lost without a trace.
    pub fn begin(&self, name: &str) -> Result<Incoming, SpoolError> {
        let path = self.path(&format!("{name}.part"));
        let failed = |what| io_error(&path, what);
        let file = File::create(&path).map_err(failed("made"))?;
        let own = self.keys.recipient();
        let recipients = std::iter::once(&own).chain(self.recipients.iter());
        let encryptor =
            age::Encryptor::with_recipients(recipients.map(|one| one as &dyn age::Recipient))
                .map_err(|error| SpoolError::Key {
                    path: path.clone(),
                    why: error.to_string(),
                })?;
        let writer = encryptor
            .wrap_output(BufWriter::new(file))
            .map_err(failed("started"))?;
        Ok(Incoming {
            path,
            writer: Some(writer),
        })
    }

    /// Opens a file for reading.
    pub fn read(&self, name: &str) -> Result<impl Read + Send + use<>, SpoolError> {
        let path = self.path(name);
        let file = File::open(&path).map_err(io_error(&path, "opened"))?;
        self.decrypt(&path, file)
    }

    fn decrypt(
        &self,
        path: &Path,
        file: File,
    ) -> Result<age::stream::StreamReader<BufReader<File>>, SpoolError> {
        let key = |why: String| SpoolError::Key {
            path: path.to_owned(),
            why,
        };
        age::Decryptor::new_buffered(BufReader::new(file))
            .map_err(|error| key(error.to_string()))?
            .decrypt(
                self.keys
                    .identities()
                    .iter()
                    .map(|one| one as &dyn age::Identity),
            )
            .map_err(|error| key(error.to_string()))
    }

    /// Deletes a file that is not needed, such as one whose bytes are known.
    pub fn remove(&self, name: &str) -> Result<(), SpoolError> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(io_error(&path, "deleted"))
    }

    /// Deletes a file whose import has ended. That it is gone already is as good.
    pub fn forget(&self, name: &str) -> Result<(), SpoolError> {
        match self.remove(name) {
            Err(SpoolError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(())
            }
            removed => removed,
        }
    }
}

fn io_error<'a>(path: &'a Path, what: &'static str) -> impl Fn(io::Error) -> SpoolError + 'a {
    move |source| SpoolError::Io {
        path: path.to_owned(),
        what,
        source,
    }
}

/// A file that is being received.
pub struct Incoming {
    path: PathBuf,
    writer: Option<age::stream::StreamWriter<BufWriter<File>>>,
}

impl Incoming {
    /// Writes more bytes, encrypted.
    ///
    /// # Errors
    /// When the disk refuses them.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        match &mut self.writer {
            Some(writer) => writer
                .write_all(bytes)
                .map_err(io_error(&self.path, "written")),
            None => Ok(()),
        }
    }

    /// Ends the writing and gives what was written back to be read, from its first byte. The
    /// file leaves its folder at once: its bytes last as long as the reader does, and a crash
    /// leaves nothing of them behind.
    pub fn read_back(mut self, spool: &Spool) -> Result<ReadBack, SpoolError> {
        let path = self.path.clone();
        let failed = |what| io_error(&path, what);
        if let Some(writer) = self.writer.take() {
            writer
                .finish()
                .and_then(|mut buffer| buffer.flush())
                .map_err(failed("finished"))?;
        }
        let file = File::open(&path).map_err(failed("opened"))?;
        fs::remove_file(&path).map_err(failed("taken out of its folder"))?;
        Ok(ReadBack(spool.decrypt(&path, file)?))
    }

    /// Puts the file under `name`, on disk for good: the record that refers to it comes after.
    pub fn keep(mut self, name: &str) -> Result<(), SpoolError> {
        let path = self.path.clone();
        let failed = |what| io_error(&path, what);
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        let file = writer
            .finish()
            .and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error))
            .map_err(failed("finished"))?;
        file.sync_all().map_err(failed("written to disk"))?;
        fs::rename(&path, path.with_file_name(name)).map_err(failed("renamed"))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("entered in its folder"))
    }
}

impl Drop for Incoming {
    /// A stream that stopped in the middle leaves nothing behind.
    fn drop(&mut self) {
        if self.path.exists() {
            // If this fails, the sweep at a later start does it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What was written to a file of the spool that is not kept.
pub struct ReadBack(age::stream::StreamReader<BufReader<File>>);

impl std::fmt::Debug for ReadBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadBack")
    }
}

impl Read for ReadBack {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for ReadBack {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[cfg(test)]
mod tests;
