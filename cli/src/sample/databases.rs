//! The same payments in the two target databases, as their owners would have them.

use anyhow::{Context as _, Result};
use echeck_adapter::dialect::Dialect;
use serde_json::{Value, json};

use super::class::Class;
use super::payment::{Payment, World};
use crate::database::{Address, Connection};

/// Rows of one statement.
const ROWS: usize = 2_000;

const TRANSFERS: [&str; 20] = [
    "id",
    "type",
    "subtype",
    "state",
    "amount",
    "trace_id",
    "payment_id",
    "ach_trace",
    "individual_id",
    "source",
    "destination",
    "application",
    "merchant_identity",
    "statement_descriptor",
    "settlement_date",
    "created_at",
    "updated_at",
    "messages",
    "tags",
    "ready_to_settle_at",
];

const TRANSACTIONS: [&str; 6] = [
    "transfer_id",
    "merchant_name",
    "amount_cents",
    "status",
    "created_at",
    "updated_at",
];

/// Inserts every payment of `world` into both databases, whose tables exist and are empty.
/// `progress` gets the number of payments inserted so far.
///
/// # Errors
/// When a database cannot be opened or refuses a row.
pub async fn fill(
    world: World,
    gateway: &Address,
    rallypay: &Address,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let mut to_gateway = begin(gateway).await?;
    let mut to_rallypay = begin(rallypay).await?;
    let transfers = insert(gateway.dialect(), "transfers", &TRANSFERS);
    let transactions = insert(rallypay.dialect(), "transactions", &TRANSACTIONS);
    let instants = Instants(gateway.dialect());
    let mut index = 0;
    while index < world.payments {
        let end = world.payments.min(index + ROWS as u64);
        let payments: Vec<Payment> = (index..end).map(|at| world.payment(at)).collect();
        let rows: Value = payments.iter().map(|one| transfer(one, instants)).collect();
        to_gateway
            .run(&transfers, rows.to_string())
            .await
            .context("the gateway's database refused the sample")?;
        let rows: Value = payments.iter().map(transaction).collect();
        to_rallypay
            .run(&transactions, rows.to_string())
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

/// An INSERT of all rows of a JSON array, the statement's parameter.
fn insert(dialect: Dialect, table: &str, columns: &[&str]) -> String {
    let names = columns.join(", ");
    let each = |column: &dyn Fn(&str) -> String| -> String {
        let columns: Vec<String> = columns.iter().map(|name| column(name)).collect();
        columns.join(", ")
    };
    match dialect {
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
    }
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
    let (source, destination) = if payment.class.is_debit() {
        (Some(buyer), None)
    } else {
        (None, Some(buyer))
    };
    let at = instants.at(payment.created_on, 12);
    let ready = match payment.class {
        Class::DebitSucceeded | Class::RefundSucceeded => Some(instants.at(payment.settled_on, 22)),
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
    row(
        &TRANSFERS,
        [
            json!(payment.transfer_id),
            json!(payment.class.type_text()),
            json!(payment.class.subtype_text()),
            json!(payment.class.state_text()),
            json!(payment.amount_minor),
            json!(payment.trace_id),
            json!(payment.payment_id),
            json!(payment.ach_trace),
            json!(payment.individual_id),
            json!(source),
            json!(destination),
            json!("APrallypay"),
            json!(payment.merchant.identity),
            json!(format!("RLY*{}", payment.merchant.name)),
            json!(payment.settled_on),
            json!(at),
            json!(at),
            json!(messages),
            json!("{}"),
            json!(ready),
        ],
    )
}

fn transaction(payment: &Payment) -> Value {
    let at = format!("{} 12:00:00.000000", payment.created_on);
    row(
        &TRANSACTIONS,
        [
            json!(payment.transfer_id),
            json!(payment.merchant.name),
            json!(payment.amount_minor),
            json!(payment.class.state_text().to_ascii_lowercase()),
            json!(at),
            json!(at),
        ],
    )
}

fn row<const N: usize>(columns: &[&str; N], values: [Value; N]) -> Value {
    let pairs = columns.iter().map(|name| (*name).to_owned()).zip(values);
    Value::Object(pairs.collect())
}
