//! A target at whose address nobody answers when the adapter starts. The adapter serves all the same and
//! says what it observes, since an adapter that is down would be blamed for it. The target is opened by
//! the first call that reaches it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::config::TargetConfig;
use crate::dialect::{
    Access, DatabaseFacts, DbError, Dialect, PROBE, TargetDatabase, TargetSession, no_answer,
};
use crate::target_url::TargetUrl;

/// A target that is opened late.
pub(crate) struct LateTarget {
    settings: TargetConfig,
    dialect: Dialect,
    shown: String,
    opened: OnceCell<Arc<dyn TargetDatabase>>,
}

impl LateTarget {
    /// The target of `settings`; `None` when they name none.
    pub(crate) fn new(settings: &TargetConfig) -> Option<Self> {
        let url = settings.url.as_ref()?;
        Some(Self {
            settings: settings.clone(),
            dialect: match url {
                TargetUrl::Sqlite(_) => Dialect::Sqlite,
                TargetUrl::Postgres(_) => Dialect::Postgres,
                TargetUrl::Mysql(_) => Dialect::Mysql,
            },
            shown: url.to_string(),
            opened: OnceCell::new(),
        })
    }

    /// Opens it, which may take longer than a caller waits.
    pub(crate) async fn open(&self) -> Result<(), DbError> {
        let opening = self.opened.get_or_try_init(|| self.settings.open());
        opening.await.map(drop)
    }

    async fn opened(&self) -> Result<&Arc<dyn TargetDatabase>, DbError> {
        let opening = self.opened.get_or_try_init(|| self.settings.open());
        let opened = tokio::time::timeout(PROBE, opening).await;
        opened.map_err(|_| no_answer(&self.shown, PROBE))?
    }
}

#[async_trait]
impl TargetDatabase for LateTarget {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn begin(&self, access: Access) -> Result<Box<dyn TargetSession>, DbError> {
        self.opened().await?.begin(access).await
    }

    async fn create_owned_tables(&self) -> Result<(), DbError> {
        self.opened().await?.create_owned_tables().await
    }

    async fn facts(&self) -> Result<DatabaseFacts, DbError> {
        self.opened().await?.facts().await
    }

    async fn probe(&self) -> Result<(), DbError> {
        self.opened().await?.probe().await
    }
}
