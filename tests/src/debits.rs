//! Payments in the databases of a stack on servers.

use echeck::database::{Address, DatabaseArguments};

/// Where a database is that is on a server.
///
/// # Panics
/// When it is not on one.
pub fn address(url: &Option<String>) -> Address {
    let url = url.as_deref().expect("it is on a server");
    Address::parse("url", url).expect("it is an address")
}

/// Adds debits of 50.00 that succeeded to both databases.
///
/// # Panics
/// When a database does not take them.
pub async fn add_debits(databases: &DatabaseArguments, ids: &[&str]) {
    let [gateway, rallypay] = [&databases.gateway_db, &databases.rallypay_db].map(address);
    let mut gateway = gateway.connect().await.expect("the gateway answers");
    let mut rallypay = rallypay.connect().await.expect("RallyPay answers");
    for id in ids {
        let transfer = format!(
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, messages, tags, \
             application, merchant_identity, created_at, updated_at) \
             VALUES ('{id}', 'DEBIT', 'SUCCEEDED', 5000, 'FNX{id}', '8399{id}', '[]', '{{}}', \
             'AP', 'ID', '2026-11-01 12:00:00', '2026-11-01 12:00:00')"
        );
        gateway.script(&transfer).await.expect("it is a transfer");
        let transaction = format!(
            "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, updated_at) \
             VALUES ('{id}', 'succeeded', 5000, now(), now())"
        );
        rallypay
            .script(&transaction)
            .await
            .expect("it is a transaction");
    }
}
