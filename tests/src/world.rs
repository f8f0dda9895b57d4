//! A world: a running stack, and the two databases that belong to others.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use echeck::stack::{DataFolder, Ports, Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Row as _, SqlitePool};
use tonic::Status;
use tonic::transport::Channel;

/// How long a condition may take to come true before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running stack with its databases.
pub struct World {
    pub client: ReturnsServiceClient<Channel>,
    /// The core gateway's database, as its owner sees it.
    pub gateway: SqlitePool,
    /// The Rails app's database, as its owner sees it.
    pub rallypay: SqlitePool,
    pub options: StackOptions,
    pub stack: Stack,
    _folder: tempfile::TempDir,
}

/// A payment in both databases.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    pub kind: &'static str,
    pub subtype: &'static str,
    pub state: &'static str,
    pub amount_minor: i64,
    pub trace_id: String,
    pub payment_id: String,
    pub ach_trace: String,
    pub deposit_id: Option<&'static str>,
    pub settlement_date: Option<String>,
    /// Whether RallyPay has it too.
    pub in_rallypay: bool,
}

impl Payment {
    /// A debit of 50.00 that succeeded. Its other ids follow from `id`.
    pub fn debit(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: "DEBIT",
            subtype: "API",
            state: "SUCCEEDED",
            amount_minor: 5_000,
            trace_id: format!("FNX{id}"),
            payment_id: format!("8399{id}"),
            ach_trace: String::new(),
            deposit_id: None,
            settlement_date: None,
            in_rallypay: true,
        }
    }

    /// A payout to a merchant that succeeded.
    pub fn payout(id: &str) -> Self {
        Self {
            kind: "CREDIT",
            subtype: "SETTLEMENT_MERCHANT",
            ..Self::debit(id)
        }
    }

    /// A refund to the customer that succeeded.
    pub fn refund(id: &str) -> Self {
        Self {
            kind: "REVERSAL",
            subtype: "API",
            ..Self::debit(id)
        }
    }

    pub fn state(self, state: &'static str) -> Self {
        Self { state, ..self }
    }

    pub fn amount(self, amount_minor: i64) -> Self {
        Self {
            amount_minor,
            ..self
        }
    }

    pub fn ach_trace(self, trace: &str) -> Self {
        Self {
            ach_trace: trace.to_owned(),
            ..self
        }
    }

    pub fn payment_id(self, id: &str) -> Self {
        Self {
            payment_id: id.to_owned(),
            ..self
        }
    }

    pub fn deposit(self, id: &'static str) -> Self {
        Self {
            deposit_id: Some(id),
            ..self
        }
    }

    pub fn settled_on(self, date: &str) -> Self {
        Self {
            settlement_date: Some(date.to_owned()),
            ..self
        }
    }

    pub fn only_in_gateway(self) -> Self {
        Self {
            in_rallypay: false,
            ..self
        }
    }
}

async fn owner(url: &str) -> SqlitePool {
    let options: SqliteConnectOptions = url.parse().expect("a database address");
    SqlitePool::connect_with(options.busy_timeout(PATIENCE))
        .await
        .expect("the database opens")
}

impl World {
    /// A stack with the usual settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A stack whose settings `change` has changed.
    pub async fn start_with(change: impl FnOnce(&mut StackOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut options = StackOptions::new(folder.path(), Ports::ANY);
        // Unknown transfers are looked up again at once, so that no test waits for a minute.
        options
            .returns
            .push_str("\n[holds]\nretry_first_ms = 50\nretry_longest_ms = 200\n");
        // So that a journal has just the rows that its files asked for.
        options
            .returns
            .push_str("[reversals]\nready = \"by_hand\"\n");
        change(&mut options);
        let data = DataFolder::open(&options.data, &options.databases)
            .await
            .expect("the data folder opens");
        let (gateway, rallypay) = (
            owner(data.gateway().url()).await,
            owner(data.rallypay().url()).await,
        );
        let stack = Stack::start(&options).await.expect("the stack starts");
        let client = ReturnsServiceClient::new(stack.connect().await.expect("it answers"));
        // Until then they are not asked for anything.
        for target in [&gateway, &rallypay] {
            eventually("the databases are claimed", || async {
                let claimed = sqlx::query("SELECT 1 FROM echeck_identity");
                claimed
                    .fetch_optional(target)
                    .await
                    .is_ok_and(|row| row.is_some())
            })
            .await;
        }
        Self {
            client,
            gateway,
            rallypay,
            options,
            stack,
            _folder: folder,
        }
    }

    /// Puts a payment into both databases.
    pub async fn add(&self, payment: Payment) {
        let at = "2026-11-01T12:00:00.000000Z";
        let null = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if let Some(deposit) = payment.deposit_id {
            sqlx::query("INSERT OR IGNORE INTO deposits (id, created_at) VALUES (?, ?)")
                .bind(deposit)
                .bind(at)
                .execute(&self.gateway)
                .await
                .expect("the gateway takes the deposit");
        }
        sqlx::query(
            "INSERT INTO transfers (id, type, subtype, state, amount, currency, fee, trace_id, \
             payment_id, ach_trace, source, merchant_identity, application, deposit_id, \
             settlement_date, created_at, updated_at) \
             VALUES (?, ?, ?, ?, ?, 'USD', 0, ?, ?, ?, 'PIbuyer', 'IDmerchant', 'APplatform', ?, \
             ?, ?, ?)",
        )
        .bind(&payment.id)
        .bind(payment.kind)
        .bind(payment.subtype)
        .bind(payment.state)
        .bind(payment.amount_minor)
        .bind(&payment.trace_id)
        .bind(&payment.payment_id)
        .bind(null(&payment.ach_trace))
        .bind(payment.deposit_id)
        .bind(&payment.settlement_date)
        .bind(at)
        .bind(at)
        .execute(&self.gateway)
        .await
        .expect("the gateway takes the transfer");
        if payment.in_rallypay {
            self.add_transaction(&payment).await;
        }
    }

    /// Puts a payment's transaction into RallyPay.
    pub async fn add_transaction(&self, payment: &Payment) {
        let at = "2026-11-01 12:00:00.000000";
        sqlx::query(
            "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, updated_at) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&payment.id)
        .bind(payment.state.to_ascii_lowercase())
        .bind(payment.amount_minor)
        .bind(at)
        .bind(at)
        .execute(&self.rallypay)
        .await
        .expect("RallyPay takes the transaction");
    }

    /// Sends a file, and waits as asked.
    pub async fn send(
        &self,
        source: &str,
        name: &str,
        bytes: impl Into<Vec<u8>>,
        wait: proto::WaitLevel,
    ) -> Result<proto::ImportFileResponse, Status> {
        let header = proto::ImportFileHeader {
            source: source.to_owned(),
            file_name: name.to_owned(),
            wait: wait.into(),
            ..proto::ImportFileHeader::default()
        };
        self.send_parts(header, bytes.into()).await
    }

    /// Sends a header and the bytes after it.
    pub async fn send_parts(
        &self,
        header: proto::ImportFileHeader,
        bytes: Vec<u8>,
    ) -> Result<proto::ImportFileResponse, Status> {
        let mut parts = vec![proto::ImportFileRequest {
            part: Some(Part::Header(header)),
        }];
        parts.extend(
            bytes
                .chunks(64 << 10)
                .map(|chunk| proto::ImportFileRequest {
                    part: Some(Part::Chunk(chunk.to_vec())),
                }),
        );
        let answer = self
            .client
            .clone()
            .import_file(tokio_stream::iter(parts))
            .await?;
        Ok(answer.into_inner())
    }

    /// Imports a file to its end: applied everywhere, or rejected.
    pub async fn import(
        &self,
        source: &str,
        name: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> proto::Import {
        self.send(source, name, bytes, proto::WaitLevel::Applied)
            .await
            .expect("the import is answered")
            .file_import
            .expect("with an import")
    }

    /// Imports a file that must be rejected, and gives the reason.
    pub async fn rejection(
        &self,
        source: &str,
        name: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> proto::Rejection {
        let import = self.import(source, name, bytes).await;
        assert_eq!(import.state(), proto::ImportState::Rejected, "{import:?}");
        assert_eq!(
            self.journal_length().await,
            0,
            "a rejected file changes nothing"
        );
        import.rejection.expect("a reason")
    }

    pub async fn transfer(&self, id: &str) -> proto::Transfer {
        let key = proto::get_transfer_request::Key::TransferId(id.to_owned());
        self.client
            .clone()
            .get_transfer(proto::GetTransferRequest {
                key: Some(key),
                ..Default::default()
            })
            .await
            .expect("the transfer is known")
            .into_inner()
            .transfer
            .expect("a transfer")
    }

    /// Entries that wait.
    pub async fn holds(&self) -> Vec<proto::Hold> {
        self.client
            .clone()
            .list_holds(proto::ListHoldsRequest::default())
            .await
            .expect("holds are listed")
            .into_inner()
            .holds
    }

    /// The one entry that waits.
    pub async fn hold(&self) -> proto::Hold {
        let mut holds = self.holds().await;
        assert_eq!(holds.len(), 1, "{holds:?}");
        holds.remove(0)
    }

    /// How many rows the journal has.
    pub async fn journal_length(&self) -> u64 {
        proto::operations_service_client::OperationsServiceClient::connect(self.stack.url())
            .await
            .expect("it answers")
            .get_status(proto::GetStatusRequest {})
            .await
            .expect("the status")
            .into_inner()
            .head_position
    }

    /// What comparing the journal with itself and with both databases says.
    pub async fn verdict(&self) -> proto::VerifyJournalResponse {
        verdict_at(self.stack.url()).await
    }

    /// One text of the gateway's database; NULL is empty.
    pub async fn in_gateway(&self, sql: &'static str, id: &str) -> String {
        text(&self.gateway, sql, id).await
    }

    /// One text of the RallyPay database; NULL is empty.
    pub async fn in_rallypay(&self, sql: &'static str, id: &str) -> String {
        text(&self.rallypay, sql, id).await
    }

    /// The state of a transfer, as the gateway's owner sees it.
    pub async fn state(&self, id: &str) -> String {
        self.in_gateway("SELECT state FROM transfers WHERE id = ?", id)
            .await
    }

    /// The status of a transaction, as the Rails app sees it.
    pub async fn status(&self, id: &str) -> String {
        self.in_rallypay("SELECT status FROM transactions WHERE transfer_id = ?", id)
            .await
    }

    /// How many reversals a transfer has in the gateway.
    pub async fn reversals(&self, id: &str) -> String {
        let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM transfers WHERE parent_id = ?";
        self.in_gateway(sql, id).await
    }
}

async fn text(pool: &SqlitePool, sql: &'static str, id: &str) -> String {
    sqlx::query(sql)
        .bind(id)
        .fetch_one(pool)
        .await
        .expect("a row")
        .try_get::<Option<String>, _>(0)
        .expect("text")
        .unwrap_or_default()
}

/// The received files in a spool, which has notes of its processes too.
pub fn spooled(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("the spool can be listed");
    let names = entries.map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name in UTF-8")
    });
    names.filter(|name| !name.ends_with(".json")).collect()
}

/// What comparing the journal with itself and with both databases says.
///
/// # Panics
/// When the service at `url` does not answer with a verdict.
pub async fn verdict_at(url: String) -> proto::VerifyJournalResponse {
    let client = proto::operations_service_client::OperationsServiceClient::connect(url);
    let ask = proto::VerifyJournalRequest { targets: true };
    let answer = client.await.expect("it answers").verify_journal(ask).await;
    let mut messages = answer.expect("it is verified").into_inner();
    let mut last = None;
    while let Some(message) = messages.message().await.expect("it goes on") {
        last = Some(message);
    }
    let last = last.expect("a verdict");
    assert!(last.done, "{last:?}");
    last
}

/// Waits until `condition` holds; fails the test when it does not in time.
pub async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
