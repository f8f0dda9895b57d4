//! Putting a file into the bucket once, and reading it back. Memory stays flat whatever the
//! size: a large file goes up in parts, and everything comes down as a stream.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::path::Path as Key;
use object_store::{
    GetOptions, MultipartUpload, ObjectStore as _, PutMode, PutMultipartOptions, PutOptions,
    PutPayload,
};
use returns_model::ids::hex;
use returns_store::metrics::{BUCKET_CALLS, outcome};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::Bucket;
use super::error::BucketError;

/// Bytes of one part: the least that S3 takes for all but the last one.
const PART_BYTES: u64 = 5 << 20;

/// What completes "our access key may not …".
const PUT: &str = "put objects";
const GET: &str = "get objects";

/// What bytes are, without the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    pub size_bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// Hashes bytes as they come.
#[derive(Default)]
pub struct Digesting {
    size_bytes: u64,
    hasher: Sha256,
}

impl Digesting {
    /// Takes more bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// The digest of all bytes taken.
    pub fn finish(self) -> Digest {
        Digest {
            size_bytes: self.size_bytes,
            sha256: hex(&self.hasher.finalize()),
        }
    }
}

impl Digest {
    /// Of bytes in memory.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digesting = Digesting::default();
        digesting.take(bytes);
        digesting.finish()
    }

    /// How what is there differs from what was written.
    pub(crate) fn difference(&self, there: &Self) -> String {
        format!(
            "{} bytes with SHA-256 {} were written, {} bytes with {} are there",
            self.size_bytes, self.sha256, there.size_bytes, there.sha256
        )
    }

    /// Of a file.
    pub(crate) async fn of_file(path: &Path) -> Result<Self, BucketError> {
        let mut file = open(path).await?;
        let mut buffer = vec![0; 256 << 10];
        let mut digesting = Digesting::default();
        loop {
            let length = file.read(&mut buffer).await.map_err(local(path))?;
            if length == 0 {
                return Ok(digesting.finish());
            }
            digesting.take(buffer.get(..length).unwrap_or_default());
        }
    }
}

/// Object bytes as they come.
pub type Bytes<'a> = BoxStream<'a, Result<bytes::Bytes, BucketError>>;

impl Bucket {
    /// Puts a file under a free key. When the same bytes are there already, such as those of a
    /// try whose answer was lost, that is as good; other bytes are never
    /// overwritten.
    ///
    /// # Errors
    /// [`BucketError::Taken`] when other bytes have the key.
    pub(crate) async fn put_file(
        &self,
        key: &str,
        path: &Path,
        digest: &Digest,
    ) -> Result<(), BucketError> {
        let put = self.put_file_once(key, path, digest).await;
        BUCKET_CALLS.add(1, &["put", outcome(&put)]);
        put
    }

    async fn put_file_once(
        &self,
        key: &str,
        path: &Path,
        digest: &Digest,
    ) -> Result<(), BucketError> {
        if self.has_same(key, digest).await? {
            return Ok(());
        }
        if digest.size_bytes <= PART_BYTES {
            let bytes = tokio::fs::read(path).await.map_err(local(path))?;
            return self.create(key, bytes, digest).await;
        }
        self.put_parts(key, path).await
    }

    /// As [`Bucket::put_file`], for bytes in memory.
    pub(crate) async fn put_bytes(&self, key: &str, bytes: &[u8]) -> Result<(), BucketError> {
        let digest = Digest::of(bytes);
        if self.has_same(key, &digest).await? {
            return Ok(());
        }
        self.create(key, bytes.to_vec(), &digest).await
    }

    /// As [`Bucket::put_bytes`], and reads them back.
    ///
    /// # Errors
    /// [`BucketError::Taken`] when other bytes have the key.
    pub async fn put_for_good(&self, key: &str, bytes: &[u8]) -> Result<(), BucketError> {
        self.put_bytes(key, bytes).await?;
        self.verify(key, &Digest::of(bytes)).await
    }

    /// The last names in a folder, in order.
    ///
    /// # Errors
    /// When the bucket does not list them.
    pub async fn last_names(&self, folder: &str, count: usize) -> Result<Vec<String>, BucketError> {
        let path = self.path(folder);
        let mut listed = self.store.list(Some(&path));
        let mut names = BTreeSet::new();
        while let Some(found) = listed.next().await {
            let found = self.explained("list objects", found).await?;
            names.extend(found.location.filename().map(str::to_owned));
            if names.len() > count {
                names.pop_first();
            }
        }
        Ok(names.into_iter().collect())
    }

    /// The names of the folders directly in a folder.
    ///
    /// # Errors
    /// When the bucket does not list them.
    pub async fn folder_names(&self, folder: &str) -> Result<Vec<String>, BucketError> {
        let path = self.path(folder);
        let listed = self.store.list_with_delimiter(Some(&path)).await;
        let listed = self.explained("list objects", listed).await?;
        let names = listed
            .common_prefixes
            .iter()
            .filter_map(|path| path.filename());
        Ok(names.map(str::to_owned).collect())
    }

    /// Whether the key is there with these bytes; an error when it is there with others.
    async fn has_same(&self, key: &str, digest: &Digest) -> Result<bool, BucketError> {
        match self.digest(key).await {
            Ok(there) if there == *digest => Ok(true),
            Ok(_) => Err(BucketError::Taken {
                bucket: self.place.name.clone(),
                key: key.to_owned(),
            }),
            Err(BucketError::NoObject { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn create(
        &self,
        key: &str,
        bytes: Vec<u8>,
        digest: &Digest,
    ) -> Result<(), BucketError> {
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        let payload = PutPayload::from(bytes);
        match self.store.put_opts(&self.path(key), payload, options).await {
            Ok(_) => Ok(()),
            // Somebody was faster: another replica, or a try of ours whose answer was lost.
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.has_same(key, digest).await.map(drop)
            }
            Err(error) => Err(self.explain(PUT, &error).await),
        }
    }

    async fn put_parts(&self, key: &str, path: &Path) -> Result<(), BucketError> {
        let (key, options) = (self.path(key), PutMultipartOptions::default());
        let started = self.store.put_multipart_opts(&key, options).await;
        let mut upload = self.explained(PUT, started).await?;
        let done = self.send_parts(&mut *upload, path).await;
        if done.is_err() {
            // What is left of it costs room until the bucket's own rules remove it.
            let _ = upload.abort().await;
        }
        done
    }

    async fn send_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        path: &Path,
    ) -> Result<(), BucketError> {
        let mut file = open(path).await?;
        loop {
            let mut part = Vec::new();
            let read = (&mut file).take(PART_BYTES).read_to_end(&mut part).await;
            if read.map_err(local(path))? == 0 {
                break;
            }
            let put = upload.put_part(PutPayload::from(part)).await;
            self.explained(PUT, put).await?;
        }
        let completed = upload.complete().await;
        self.explained(PUT, completed).await.map(drop)
    }

    /// An object that has at most `most` bytes; `None` when it has more.
    ///
    /// # Errors
    /// When the bucket does not have it.
    pub async fn small(&self, key: &str, most: u64) -> Result<Option<Vec<u8>>, BucketError> {
        let (size, mut chunks) = self.get(key).await?;
        if size > most {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(Some(bytes))
    }

    /// The length of an object and a stream of its bytes.
    pub async fn get(&self, key: &str) -> Result<(u64, Bytes<'static>), BucketError> {
        let (path, options) = (self.path(key), GetOptions::default());
        let found = self.store.get_opts(&path, options).await;
        let found = self.explained(GET, found).await?;
        let (size_bytes, place) = (found.meta.size, self.place.clone());
        let bytes = found.into_stream();
        let bytes = bytes.map(move |bytes| bytes.map_err(|error| place.error(GET, &error)));
        Ok((size_bytes, bytes.boxed()))
    }

    /// Reads an object, for the digest of its bytes.
    pub async fn digest(&self, key: &str) -> Result<Digest, BucketError> {
        let (_, mut bytes) = self.get(key).await?;
        let mut digesting = Digesting::default();
        while let Some(bytes) = bytes.next().await {
            digesting.take(&bytes?);
        }
        Ok(digesting.finish())
    }

    /// Reads an object back, and checks that it is what was written.
    ///
    /// # Errors
    /// [`BucketError::ReadsBackDifferently`] when it is not.
    pub(crate) async fn verify(&self, key: &str, written: &Digest) -> Result<(), BucketError> {
        let read = self.digest(key).await;
        BUCKET_CALLS.add(1, &["read_back", outcome(&read)]);
        let there = read?;
        if there == *written {
            return Ok(());
        }
        Err(BucketError::ReadsBackDifferently {
            bucket: self.place.name.clone(),
            key: key.to_owned(),
            what: written.difference(&there),
        })
    }

    async fn explained<T>(
        &self,
        action: &str,
        done: object_store::Result<T>,
    ) -> Result<T, BucketError> {
        match done {
            Ok(done) => Ok(done),
            Err(error) => Err(self.explain(action, &error).await),
        }
    }

    /// The cause of an error. Some servers say "forbidden" or "no such object" where there is
    /// no bucket at all, so they are asked once more in a way that they must answer.
    pub(super) async fn explain(&self, action: &str, error: &object_store::Error) -> BucketError {
        let said = self.place.error(action, error);
        match said {
            BucketError::Forbidden { .. } | BucketError::NoObject { .. } => {}
            said => return said,
        }
        match self.list_some().await {
            Err(worse @ BucketError::Missing { .. }) => worse,
            Ok(_) | Err(_) => said,
        }
    }

    /// Lists a little: whether anything at all may be listed.
    pub(crate) async fn list_some(&self) -> Result<u64, BucketError> {
        if let Some(folder) = &self.place.folder
            && !folder.is_dir()
        {
            return Err(BucketError::Missing {
                bucket: self.place.name.clone(),
            });
        }
        let listed = self
            .store
            .list_with_delimiter(Some(&self.path(".echeck-probe")))
            .await;
        listed
            .map(|found| found.objects.len() as u64)
            .map_err(|error| self.place.error("list objects", &error))
    }

    /// Deletes an object. One that is not there is not an error.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), BucketError> {
        use object_store::ObjectStoreExt as _;
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain("delete objects", &error).await),
        }
    }
}

async fn open(path: &Path) -> Result<tokio::fs::File, BucketError> {
    tokio::fs::File::open(path).await.map_err(local(path))
}

fn local(path: &Path) -> impl Fn(std::io::Error) -> BucketError + '_ {
    move |error| BucketError::Local {
        path: path.to_owned(),
        why: error.to_string(),
    }
}
