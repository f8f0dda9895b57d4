//! What many messages on their way need of the returns database at the same moment is one statement: whether
//! their endpoints were touched, and that they were accepted.

use std::sync::Arc;

use echeck_service::batcher::{Batcher, WithoutAnswer};
use returns_model::delivery::{
    Accepted, Delivery, DeliveryAttempt, DeliveryOutcome, Standing, Touched,
};
use returns_store::{Store, StoreError};

use super::sender::WorkerError;

/// The most of a statement.
const MOST: usize = 500;

type Shared<T> = Result<T, Arc<StoreError>>;

/// The returns database, as messages on their way ask it.
pub(super) struct Together {
    store: Arc<dyn Store>,
    touched: Batcher<String, Shared<Option<Touched>>>,
    accepted: Batcher<Accepted, Shared<Option<Standing>>>,
}

impl Together {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            touched: Batcher::new(MOST),
            accepted: Batcher::new(MOST),
        }
    }

    /// What operators have done to an endpoint by now; `None` when nothing is sent to it.
    pub(super) async fn touched(&self, endpoint_id: &str) -> Result<Option<Touched>, WorkerError> {
        let store = self.store.clone();
        let read = move |ids: Vec<String>| {
            let store = store.clone();
            async move {
                let read = store.touched(&ids).await.map_err(Arc::new);
                ids.iter()
                    .map(|id| match &read {
                        Ok(touched) => Ok(touched.get(id).copied()),
                        Err(error) => Err(error.clone()),
                    })
                    .collect()
            }
        };
        alone(self.touched.load(vec![endpoint_id.to_owned()], read).await)
    }

    /// Records an attempt; `None` when the delivery has moved on. A failure is recorded by itself: it says
    /// when its endpoint began to fail.
    pub(super) async fn record(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
    ) -> Result<Option<Standing>, WorkerError> {
        let (DeliveryOutcome::Delivered, Some(status)) = (&attempt.outcome, attempt.status) else {
            return Ok(self.store.record_attempt(delivery, attempt).await?);
        };
        let accepted = Accepted {
            delivery: delivery.clone(),
            status,
            at: attempt.at,
        };
        let store = self.store.clone();
        let record = move |accepted: Vec<Accepted>| {
            let store = store.clone();
            async move { record_all(&*store, accepted).await }
        };
        alone(self.accepted.load(vec![accepted], record).await)
    }
}

/// Records what was accepted together. Where that is refused, as when an operator replays some of it in
/// another order at this moment, each is recorded by itself.
async fn record_all(store: &dyn Store, accepted: Vec<Accepted>) -> Vec<Shared<Option<Standing>>> {
    let error = match store.record_delivered(&accepted).await {
        Ok(standings) => return standings.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if accepted.len() == 1 || error.is_outage() {
        let error = Arc::new(error);
        return accepted.iter().map(|_| Err(error.clone())).collect();
    }
    let mut recorded = Vec::new();
    for one in accepted {
        let standing = store.record_attempt(&one.delivery, &one.attempt()).await;
        recorded.push(standing.map_err(Arc::new));
    }
    recorded
}

/// The answer to one key.
fn alone<T>(answers: Result<Vec<Shared<T>>, WithoutAnswer>) -> Result<T, WorkerError> {
    let answer = answers?.pop().ok_or(WithoutAnswer)?;
    Ok(answer?)
}
