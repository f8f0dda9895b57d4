//! The folder of an embedded stack: three databases, the received files, and their key.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

/// The folder, with everything in it that a start needs.
pub struct DataFolder {
    folder: PathBuf,
}

impl DataFolder {
    /// Opens the folder; what is missing in it is made: target databases with empty tables,
    /// and a key for the spool.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        let folder = folder
            .canonicalize()
            .with_context(|| format!("the data folder {} cannot be read", folder.display()))?;
        let data = Self { folder };
        data.make_key()?;
        make_tables(&data.gateway_file(), gateway_adapter::DEMO_SCHEMA_SQLITE).await?;
        make_tables(&data.rallypay_file(), rallypay_adapter::DEMO_SCHEMA_SQLITE).await?;
        Ok(data)
    }

    /// The file of the core gateway's database.
    #[must_use]
    pub fn gateway_file(&self) -> PathBuf {
        self.folder.join("gateway.db")
    }

    /// The file of the RallyPay database.
    #[must_use]
    pub fn rallypay_file(&self) -> PathBuf {
        self.folder.join("rallypay.db")
    }

    /// The file of the returns database.
    #[must_use]
    pub fn returns_file(&self) -> PathBuf {
        self.folder.join("returns.db")
    }

    /// The address of the core gateway's database.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        url(&self.gateway_file())
    }

    /// The address of the RallyPay database.
    #[must_use]
    pub fn rallypay_url(&self) -> String {
        url(&self.rallypay_file())
    }

    /// The address of the returns database.
    #[must_use]
    pub fn returns_url(&self) -> String {
        url(&self.returns_file())
    }

    pub(super) fn spool_folder(&self) -> PathBuf {
        self.folder.join("spool")
    }

    pub(super) fn spool_key(&self) -> PathBuf {
        self.folder.join("spool.key")
    }

    /// The key is for its owner's eyes only, from the moment the file exists.
    fn make_key(&self) -> Result<()> {
        let path = self.spool_key();
        if path.exists() {
            return Ok(());
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let key = returns_service::new_spool_identity();
        options
            .open(&path)
            .and_then(|mut file| {
                file.write_all(key.expose_secret().as_bytes())?;
                file.sync_all()
            })
            .with_context(|| format!("the key file {} cannot be written", path.display()))
    }
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// Makes the tables of a demonstration target, unless the file is there: then it is
/// somebody's, and is left as it is.
async fn make_tables(file: &Path, schema: &'static str) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    // Under another name first, so that a start that is cut off leaves no half database.
    let making = file.with_extension("making");
    if making.exists() {
        fs::remove_file(&making)?;
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(&making)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await
        .with_context(|| format!("the database {} cannot be made", file.display()))?;
    connection.execute(AssertSqlSafe(schema)).await?;
    sqlx::Connection::close(connection).await?;
    fs::rename(&making, file)?;
    Ok(())
}
