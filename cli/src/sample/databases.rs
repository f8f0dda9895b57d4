//! The same payments in the two target databases, as their owners would have them.

use anyhow::{Context as _, Result};
use echeck_adapter::dialect::Dialect;
use serde_json::{Value, json};

use super::class::{SampleKind, SampleState};
use super::payment::{Payment, SampleWorld};
use crate::database::{Address, Connection};

/// Rows of one statement.
const ROWS: usize = 2_000;

/// Inserts every payment of `world` into both databases, whose tables exist and are empty.
/// `progress` gets the number of payments inserted so far.
pub(crate) async fn fill(
    world: SampleWorld,
    gateway: &Address,
    rallypay: &Address,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let mut to_gateway = begin(gateway).await?;
    let mut to_rallypay = begin(rallypay).await?;
    let instants = Instants(gateway.dialect());
    let mut index = 0;
    while index < world.payments {
        let end = world.payments.min(index + ROWS as u64);
        let payments: Vec<Payment> = (index..end).map(|at| world.payment(at)).collect();
        let rows = payments.iter().map(|one| transfer(one, instants)).collect();
        insert(&mut to_gateway, gateway.dialect(), "transfers", rows)
            .await
            .context("the gateway's database refused the sample")?;
        let rows = payments.iter().map(transaction).collect();
        insert(&mut to_rallypay, rallypay.dialect(), "transactions", rows)
            .await
            .context("RallyPay's database refused the sample")?;
        index = end;
        progress(index);
    }
    for mut connection in [to_gateway, to_rallypay] {
        connection.script("COMMIT").await?;
        connection.close().await?;
    }
    Ok(())
}

async fn begin(address: &Address) -> Result<Connection> {
    let mut connection = address.connect().await?;
    connection
        .script(match address.dialect() {
            Dialect::Sqlite | Dialect::Postgres => "BEGIN",
            Dialect::Mysql => "START TRANSACTION",
        })
        .await?;
    Ok(connection)
}

/// Inserts rows, which are JSON objects by column, in one statement.
async fn insert(
    connection: &mut Connection,
    dialect: Dialect,
    table: &str,
    rows: Vec<Value>,
) -> Result<()> {
    let first = rows.first().and_then(Value::as_object).into_iter();
    let columns: Vec<String> = first.flat_map(|row| row.keys().cloned()).collect();
    let names = columns.join(", ");
    let each = |column: &dyn Fn(&String) -> String| -> String {
        let columns: Vec<String> = columns.iter().map(column).collect();
        columns.join(", ")
    };
    let sql = match dialect {
        Dialect::Sqlite => format!(
            "INSERT INTO {table} ({names}) SELECT {} FROM json_each(?)",
            each(&|name| format!("value->>'{name}'"))
        ),
        Dialect::Postgres => format!(
            "INSERT INTO {table} ({names}) SELECT {names} \
             FROM json_populate_recordset(NULL::{table}, $1::json)"
        ),
        Dialect::Mysql => format!(
            "INSERT INTO {table} ({names}) SELECT {names} \
             FROM JSON_TABLE(?, '$[*]' COLUMNS ({})) AS sample",
            each(&|name| format!("{name} VARCHAR(255) PATH '$.{name}'"))
        ),
    };
    connection.run(&sql, Value::from(rows).to_string()).await
}

/// How a database stores instants: as RFC 3339 text, or in a type of their own.
#[derive(Clone, Copy)]
struct Instants(Dialect);

impl Instants {
    fn at(self, day: chrono::NaiveDate, hour: u32) -> String {
        match self.0 {
            Dialect::Sqlite => format!("{day}T{hour:02}:00:00.000000Z"),
            Dialect::Postgres | Dialect::Mysql => format!("{day} {hour:02}:00:00"),
        }
    }
}

fn transfer(payment: &Payment, instants: Instants) -> Value {
    let buyer = format!("PI{}", payment.individual_id);
    let kind = payment.class.kind;
    let (source, destination) = match kind {
        SampleKind::Debit => (Some(buyer), None),
        SampleKind::Refund | SampleKind::Payout => (None, Some(buyer)),
    };
    let at = instants.at(payment.created_on, 12);
    let is_ready = payment.class.state == SampleState::Succeeded && kind != SampleKind::Payout;
    let ready = is_ready.then(|| instants.at(payment.settled_on, 22));
    let messages = match (payment.class.state, kind) {
        (SampleState::Failed, SampleKind::Debit) => r#"["Invalid Bank Routing Number"]"#,
        (SampleState::Failed, SampleKind::Payout) => r#"["ReasonCode: R03"]"#,
        (SampleState::Failed, SampleKind::Refund)
        | (SampleState::Succeeded | SampleState::Pending, _) => "[]",
    };
    json!({
        "id": payment.transfer_id,
        "type": payment.class.type_text(),
        "subtype": payment.class.subtype_text(),
        "state": payment.class.state_text(),
        "amount": payment.amount_minor,
        "trace_id": payment.trace_id,
        "payment_id": payment.payment_id,
        "ach_trace": payment.ach_trace,
        "individual_id": payment.individual_id,
        "source": source,
        "destination": destination,
        "application": "APrallypay",
        "merchant_identity": payment.merchant.identity,
        "statement_descriptor": format!("RLY*{}", payment.merchant.name),
        "settlement_date": payment.settled_on,
        "created_at": at,
        "updated_at": at,
        "messages": messages,
        "tags": "{}",
        "ready_to_settle_at": ready,
    })
}

fn transaction(payment: &Payment) -> Value {
    let at = format!("{} 12:00:00.000000", payment.created_on);
    json!({
        "transfer_id": payment.transfer_id,
        "merchant_name": payment.merchant.name,
        "amount_cents": payment.amount_minor,
        "status": payment.class.state_text().to_ascii_lowercase(),
        "created_at": at,
        "updated_at": at,
    })
}
