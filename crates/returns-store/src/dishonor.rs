//! Returns that our bank may dishonor.

use std::ops::Range;

use async_trait::async_trait;
use returns_model::dishonor::{DishonorFilter, DishonorPlace, DishonorRecord};

use crate::StoreError;

/// Marks in the returns database.
#[async_trait]
pub trait DishonorStore: Send + Sync {
    /// Marks, the most urgent first, those after `after`.
    async fn dishonorable(
        &self,
        filter: &DishonorFilter,
        after: Option<DishonorPlace>,
        limit: u32,
    ) -> Result<Vec<DishonorRecord>, StoreError>;
    /// The marks of some returns, in no order.
    async fn dishonorable_returns(
        &self,
        return_ids: &[String],
    ) -> Result<Vec<DishonorRecord>, StoreError>;
    /// The marks of some entries of an import, in the order of the file.
    async fn dishonorable_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DishonorRecord>, StoreError>;
}
