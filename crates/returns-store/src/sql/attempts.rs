//! Attempts at deliveries as they are recorded: one by itself, and accepted messages together.

use std::collections::{BTreeSet, HashMap};

use returns_model::delivery::{
    Accepted, Delivery, DeliveryAttempt, DeliveryOutcome, DeliveryState, Standing,
};

use crate::StoreError;
use crate::columns::bound;
use crate::db::{Database, Statement, Syntax, Transaction, statement};

pub(super) const ATTEMPT: &str = "record an attempt at a delivery";

/// Writes an attempt at a delivery that still is as it was read.
pub(super) fn update_delivery(
    delivery: &Delivery,
    attempt: &DeliveryAttempt,
) -> Result<Statement, StoreError> {
    let (state, error, next_at) = match &attempt.outcome {
        DeliveryOutcome::Delivered => (DeliveryState::Delivered, None, None),
        DeliveryOutcome::Retry { error, at } => {
            (DeliveryState::Pending, Some(error.as_str()), Some(*at))
        }
        DeliveryOutcome::Undeliverable { error } => {
            (DeliveryState::Undeliverable, Some(error.as_str()), None)
        }
    };
    Ok(statement(
        ATTEMPT,
        "UPDATE webhook_deliveries SET state = $5, attempts = attempts + 1, \
         next_attempt_at = $6, last_status = $7, last_error = $8, last_attempt_at = $9, \
         ended_at = $10 WHERE endpoint_id = $1 AND sequence = $2 AND event_type = $3 \
         AND attempts = $4 AND generation = $11 AND state = 'pending'",
    )
    .bind(&delivery.endpoint_id)
    .bind(bound(delivery.sequence)?)
    .bind(&delivery.event_type)
    .bind(bound(delivery.attempts)?)
    .bind(state.as_str())
    .bind(next_at)
    .bind(attempt.status.map(i64::from))
    .bind(error)
    .bind(attempt.at)
    .bind((state != DeliveryState::Pending).then_some(attempt.at))
    .bind(bound(delivery.generation)?))
}

/// What tells a delivery from the others.
type Place = (String, u64, String);

fn place(delivery: &Delivery) -> Place {
    let Delivery {
        endpoint_id,
        sequence,
        event_type,
        ..
    } = delivery;
    (endpoint_id.clone(), *sequence, event_type.clone())
}

/// Records accepted messages one by one; gives those that still were as they were read.
async fn record_each(
    tx: &mut Transaction,
    accepted: &[Accepted],
) -> Result<BTreeSet<Place>, StoreError> {
    let mut recorded = BTreeSet::new();
    for one in accepted {
        if update_delivery(&one.delivery, &one.attempt())?
            .execute(&mut *tx)
            .await?
            == 1
        {
            recorded.insert(place(&one.delivery));
        }
    }
    Ok(recorded)
}

/// The same in one statement.
async fn record_together(
    tx: &mut Transaction,
    accepted: &[Accepted],
) -> Result<BTreeSet<Place>, StoreError> {
    let numbers = |of: fn(&Accepted) -> u64| -> Result<Vec<i64>, StoreError> {
        accepted.iter().map(|one| bound(of(one))).collect()
    };
    let texts = |of: fn(&Delivery) -> &str| -> Vec<&str> {
        accepted.iter().map(|one| of(&one.delivery)).collect()
    };
    let recorded = statement(
        ATTEMPT,
        "UPDATE webhook_deliveries AS d SET state = 'delivered', attempts = d.attempts + 1, \
         next_attempt_at = NULL, last_status = v.status, last_error = NULL, last_attempt_at = v.at::timestamptz, \
         ended_at = v.at::timestamptz FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::bigint[], \
         $5::bigint[], $6::bigint[], $7::text[]) AS v (endpoint_id, sequence, event_type, attempts, \
         generation, status, at) WHERE d.endpoint_id = v.endpoint_id AND d.sequence = v.sequence \
         AND d.event_type = v.event_type AND d.attempts = v.attempts \
         AND d.generation = v.generation AND d.state = 'pending' \
         RETURNING d.endpoint_id, d.sequence, d.event_type",
    )
    .bind(texts(|delivery| &delivery.endpoint_id))
    .bind(numbers(|one| one.delivery.sequence)?)
    .bind(texts(|delivery| &delivery.event_type))
    .bind(numbers(|one| one.delivery.attempts)?)
    .bind(numbers(|one| one.delivery.generation)?)
    .bind(numbers(|one| u64::from(one.status))?)
    .bind(accepted.iter().map(|one| one.at.to_rfc3339()).collect::<Vec<String>>())
    .list(tx, |row| {
        Ok((
            row.text("endpoint_id")?,
            row.count("sequence")?,
            row.text("event_type")?,
        ))
    })
    .await?;
    Ok(recorded.into_iter().collect())
}

/// Records accepted messages in one transaction; `None` for those that have moved on.
pub(super) async fn record_accepted(
    db: &Database,
    accepted: &[Accepted],
) -> Result<Vec<Option<Standing>>, StoreError> {
    let mut tx = db.begin(ATTEMPT).await?;
    let recorded = match db.syntax() {
        Syntax::Sqlite => record_each(&mut tx, accepted).await?,
        Syntax::Postgres => record_together(&mut tx, accepted).await?,
    };
    let endpoints: BTreeSet<&str> = recorded
        .iter()
        .map(|(endpoint, ..)| endpoint.as_str())
        .collect();
    let read = format!(
        "SELECT endpoint_id, failing_since FROM webhook_endpoints \
         WHERE failing_since IS NOT NULL AND endpoint_id {}",
        db.syntax().one_of("$1")
    );
    let failing = statement(ATTEMPT, read)
        .bind(endpoints.into_iter().collect::<Vec<&str>>())
        .list(&mut tx, |row| {
            Ok((row.text("endpoint_id")?, row.time("failing_since")?))
        })
        .await?;
    let mut standings = HashMap::new();
    for (endpoint_id, since) in failing {
        let of_endpoint = accepted.iter().filter(|one| {
            one.delivery.endpoint_id == endpoint_id && recorded.contains(&place(&one.delivery))
        });
        let last = of_endpoint.map(|one| one.at).max();
        let ended = last.is_some_and(|last| since <= last)
            && statement(
                ATTEMPT,
                "UPDATE webhook_endpoints SET failing_since = NULL \
                 WHERE endpoint_id = $1 AND failing_since = $2",
            )
            .bind(&endpoint_id)
            .bind(since)
            .execute(&mut tx)
            .await?
                == 1;
        let standing = Standing {
            failing_since: (!ended).then_some(since),
            recovered: ended,
        };
        standings.insert(endpoint_id, standing);
    }
    tx.commit(ATTEMPT).await?;
    let well = Standing {
        failing_since: None,
        recovered: false,
    };
    Ok(accepted
        .iter()
        .map(|Accepted { delivery, .. }| {
            let standing = standings.get(&delivery.endpoint_id).copied();
            recorded
                .contains(&place(delivery))
                .then(|| standing.unwrap_or(well))
        })
        .collect())
}
