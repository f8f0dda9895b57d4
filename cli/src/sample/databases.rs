//! The same payments in the two target databases, as their owners would have them.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::class::Class;
use super::payment::{Payment, World};

/// Rows of one statement.
const ROWS: usize = 2_000;

const TRANSFERS: &str = "INSERT INTO transfers (id, type, subtype, state, amount, trace_id, \
    payment_id, ach_trace, individual_id, source, destination, application, merchant_identity, \
    statement_descriptor, settlement_date, created_at, updated_at, messages, ready_to_settle_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, \
    value->>7, value->>8, value->>9, value->>10, 'APrallypay', value->>11, value->>12, \
    value->>13, value->>14, value->>14, value->>15, value->>16 FROM json_each(?)";

const TRANSACTIONS: &str = "INSERT INTO transactions (transfer_id, merchant_name, amount_cents, \
    status, created_at, updated_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>4 FROM json_each(?)";

/// Puts every payment of `world` into both databases, whose tables are there and empty.
/// `progress` hears how many are done.
///
/// # Errors
/// When a database cannot be opened or refuses a row.
pub async fn fill(
    world: World,
    gateway: &Path,
    rallypay: &Path,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let mut gateway = open(gateway).await?;
    let mut rallypay = open(rallypay).await?;
    let mut to_gateway = gateway.begin().await?;
    let mut to_rallypay = rallypay.begin().await?;
    let mut index = 0;
    while index < world.payments {
        let end = world.payments.min(index + ROWS as u64);
        let payments: Vec<Payment> = (index..end).map(|at| world.payment(at)).collect();
        let transfers: Value = payments.iter().map(transfer).collect();
        let transactions: Value = payments.iter().map(transaction).collect();
        sqlx::query(TRANSFERS)
            .bind(transfers.to_string())
            .execute(&mut *to_gateway)
            .await
            .context("the gateway's database refused the sample")?;
        sqlx::query(TRANSACTIONS)
            .bind(transactions.to_string())
            .execute(&mut *to_rallypay)
            .await
            .context("RallyPay's database refused the sample")?;
        index = end;
        progress(index);
    }
    to_gateway.commit().await?;
    to_rallypay.commit().await?;
    gateway.close().await?;
    rallypay.close().await?;
    Ok(())
}

async fn open(file: &Path) -> Result<SqliteConnection> {
    SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .with_context(|| format!("the database {} cannot be opened", file.display()))
}

fn transfer(payment: &Payment) -> Value {
    let buyer = format!("PI{}", payment.individual_id);
    let (source, destination) = if payment.class.is_debit() {
        (Some(buyer), None)
    } else {
        (None, Some(buyer))
    };
    let at = format!("{}T12:00:00.000000Z", payment.created_on);
    let ready = match payment.class {
        Class::DebitSucceeded | Class::RefundSucceeded => {
            Some(format!("{}T22:00:00.000000Z", payment.settled_on))
        }
        Class::DebitPending
        | Class::DebitFailed
        | Class::PayoutSucceeded
        | Class::PayoutPending
        | Class::PayoutFailed => None,
    };
    let messages = match payment.class {
        Class::DebitFailed => r#"["Invalid Bank Routing Number"]"#,
        Class::PayoutFailed => r#"["ReasonCode: R03"]"#,
        Class::DebitSucceeded
        | Class::DebitPending
        | Class::RefundSucceeded
        | Class::PayoutSucceeded
        | Class::PayoutPending => "[]",
    };
    json!([
        payment.transfer_id,
        payment.class.type_text(),
        payment.class.subtype_text(),
        payment.class.state_text(),
        payment.amount_minor,
        payment.trace_id,
        payment.payment_id,
        payment.ach_trace,
        payment.individual_id,
        source,
        destination,
        payment.merchant.identity,
        format!("RLY*{}", payment.merchant.name),
        payment.settled_on,
        at,
        messages,
        ready,
    ])
}

fn transaction(payment: &Payment) -> Value {
    json!([
        payment.transfer_id,
        payment.merchant.name,
        payment.amount_minor,
        payment.class.state_text().to_ascii_lowercase(),
        format!("{} 12:00:00.000000", payment.created_on),
    ])
}
