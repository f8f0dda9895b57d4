//! A bucket that changes a report right after it was put, once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::bucket::Bucket;

type Change = fn(Vec<u8>) -> Vec<u8>;

#[derive(Debug)]
pub(super) struct Lying {
    folder: LocalFileSystem,
    change: Change,
    lied: AtomicBool,
}

impl Lying {
    pub(super) fn bucket(folder: &Path, change: Change) -> Bucket {
        let store = Self {
            folder: LocalFileSystem::new_with_prefix(folder).unwrap(),
            change,
            lied: AtomicBool::new(false),
        };
        Bucket::on(std::sync::Arc::new(store), "lying")
    }
}

impl std::fmt::Display for Lying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a lying bucket")
    }
}

#[async_trait]
impl ObjectStore for Lying {
    async fn put_opts(
        &self,
        key: &Key,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.folder.put_opts(key, payload, options).await?;
        if key.as_ref().ends_with(".csv") && !self.lied.swap(true, Ordering::SeqCst) {
            let bytes = self.folder.get(key).await?.bytes().await?;
            let changed = (self.change)(bytes.to_vec());
            assert_ne!(changed, bytes, "there is something to change");
            self.folder.put(key, PutPayload::from(changed)).await?;
        }
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        key: &Key,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.folder.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> Result<GetResult> {
        self.folder.get_opts(key, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Key>>,
    ) -> BoxStream<'static, Result<Key>> {
        self.folder.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.folder.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.folder.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.folder.copy_opts(from, to, options).await
    }
}
