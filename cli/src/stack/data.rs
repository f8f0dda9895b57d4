//! The folder of an embedded stack: three databases, the received files with their key, and a
//! folder in place of a bucket.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use echeck_service::privacy;
use secrecy::SecretString;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use crate::database::{Address, DatabaseArguments};

/// The folder, with everything that a start needs.
pub struct DataFolder {
    folder: PathBuf,
    gateway: Address,
    rallypay: Address,
    returns: Address,
}

impl DataFolder {
    /// Opens the folder, and creates what is missing in it: target databases with empty tables,
    /// a key for the spool, and one that signs the journal's checkpoints.
    ///
    /// # Errors
    /// When the folder cannot be written, or a database does not answer.
    pub async fn open(folder: &Path, databases: &DatabaseArguments) -> Result<Self> {
        privacy::private_folder(folder)
            .with_context(|| format!("the data folder {} cannot be created", folder.display()))?;
        let folder = folder
            .canonicalize()
            .with_context(|| format!("the data folder {} cannot be read", folder.display()))?;
        let address = |flag: &str, given: &Option<String>, file: &str| match given {
            Some(url) => Address::parse(flag, url),
            None => Address::parse(flag, &format!("sqlite://{}", folder.join(file).display())),
        };
        let data = Self {
            gateway: address("--gateway-db", &databases.gateway_db, "gateway.db")?,
            rallypay: address("--rallypay-db", &databases.rallypay_db, "rallypay.db")?,
            returns: address("--returns-db", &databases.returns_db, "returns.db")?,
            folder,
        };
        create_key(&data.spool_key(), || {
            Some(returns_service::new_spool_identity())
        })?;
        create_key(&data.journal_key(), returns_service::new_signing_key)?;
        let demo = gateway_adapter::demo_schema(data.gateway.dialect());
        create_tables(&data.gateway, demo).await?;
        let demo = rallypay_adapter::demo_schema(data.rallypay.dialect());
        create_tables(&data.rallypay, demo).await?;
        data.keep_to_owner()?;
        Ok(data)
    }

    /// The core gateway's database.
    pub fn gateway(&self) -> &Address {
        &self.gateway
    }

    /// The RallyPay database.
    pub fn rallypay(&self) -> &Address {
        &self.rallypay
    }

    /// The returns database.
    pub fn returns(&self) -> &Address {
        &self.returns
    }

    pub(super) fn spool_folder(&self) -> PathBuf {
        self.folder.join("spool")
    }

    /// Where files are archived and reports are stored.
    pub fn bucket(&self) -> PathBuf {
        self.folder.join("bucket")
    }

    pub(super) fn spool_key(&self) -> PathBuf {
        self.folder.join("spool.key")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn journal_key(&self) -> PathBuf {
        self.folder.join("journal.key")
    }

    /// Keeps every other stack away from the folder until the lock is dropped.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.folder.join("lock");
        let shown = self.folder.display();
        let file = File::create(path).with_context(|| format!("{shown} cannot be written"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder {shown} is in use by another echeck; stop that one, or name \
                 another folder with --data"
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("the data folder {shown} cannot be locked"))
            }
        }
    }

    /// Closes the databases of this folder to other users. One that is elsewhere is others'.
    fn keep_to_owner(&self) -> Result<()> {
        for database in ["gateway.db", "rallypay.db"] {
            for suffix in ["", "-wal", "-shm"] {
                let file = self.folder.join(format!("{database}{suffix}"));
                privacy::private_file(&file)
                    .with_context(|| format!("{} cannot be used", file.display()))?;
            }
        }
        Ok(())
    }
}

/// Only the owner can read the key file, from the moment it exists.
fn create_key(path: &Path, draw: impl FnOnce() -> Option<SecretString>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let key = draw().context("this machine gives no random bytes for a key")?;
    privacy::create_secret(path, &key)
        .with_context(|| format!("the key file {} cannot be written", path.display()))
}

/// Creates the tables of a demonstration target. A database that exists stays as it is.
async fn create_tables(address: &Address, schema: &'static str) -> Result<()> {
    let Some(file) = address.file() else {
        return address.create_tables(schema).await;
    };
    if file.exists() {
        return Ok(());
    }
    // Under another name first, so that an interrupted start leaves no half database.
    let unfinished = file.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_file(&unfinished)?;
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(&unfinished)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await
        .with_context(|| format!("the database {} cannot be created", file.display()))?;
    connection.execute(AssertSqlSafe(schema)).await?;
    sqlx::Connection::close(connection).await?;
    fs::rename(&unfinished, file)?;
    Ok(())
}
