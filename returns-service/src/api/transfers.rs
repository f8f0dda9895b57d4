//! Transfers with their returns.

use ach::decision::{Effect, TransferKeyKind};
use echeck_proto::adapter::v1 as adapter;
use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use prost::Message as _;
use returns_model::endpoint::PayloadVersion;
use returns_model::journal::MadeKind;
use returns_webhooks::{History, ReturnOutcome};

use super::answer::LONGEST_ANSWER;
use super::enums::ToProto as _;
use super::errors::{self, ApiError};
use super::reads::{TransferKey, TransferRead, TransfersRead};
use super::{Api, view};

/// The most transfers of one call.
const MOST_TRANSFERS: usize = 500;

/// How a transfer is asked for.
struct Asked {
    key: TransferKey,
    /// The field that named it.
    name: &'static str,
}

impl Asked {
    fn new(
        field: &str,
        given: Option<(TransferKeyKind, String)>,
        view: Option<PayloadVersion>,
    ) -> Result<Self, ApiError> {
        let Some((kind, value)) = given else {
            return Err(errors::invalid(field, "set transfer_id or trace_id"));
        };
        if value.is_empty() {
            return Err(errors::invalid(field, "must not be empty"));
        }
        let name = match kind {
            TransferKeyKind::TraceId => "transfer with trace id",
            _ => "transfer",
        };
        let passed_only = view.is_some();
        Ok(Self {
            key: TransferKey {
                kind,
                value,
                passed_only,
            },
            name,
        })
    }

    /// The one transfer that is meant. What is another merchant's is not there.
    fn one_of(&self, caller: &Caller, read: &TransfersRead) -> Result<TransferRead, ApiError> {
        let theirs = |one: &&TransferRead| caller.merchants().include(&one.sent.merchant_identity);
        let mut found = read.transfers.iter().filter(theirs);
        let transfer = found
            .next()
            .ok_or_else(|| errors::not_found(self.name, &self.key.value))?;
        if let Some(other) = found.next() {
            let (id, one, other) = (&self.key.value, &transfer.sent.id, &other.sent.id);
            let what = format!("trace id {id:?} names {one} and {other}; ask by transfer id");
            return Err(errors::precondition("AMBIGUOUS_TRACE_ID", what));
        }
        Ok(transfer.clone())
    }
}

impl Api {
    pub(super) async fn get_transfer(
        &self,
        caller: &Caller,
        request: proto::GetTransferRequest,
    ) -> Result<proto::GetTransferResponse, ApiError> {
        use proto::get_transfer_request::Key;
        let view = view::payload_version(request.view, &request.api_version)?;
        let given = request.key.map(|key| match key {
            Key::TransferId(id) => (TransferKeyKind::TransferId, id),
            Key::TraceId(id) => (TransferKeyKind::TraceId, id),
        });
        let asked = Asked::new("key", given, view)?;
        let mut answers = self.read_transfers(vec![asked.key.clone()]).await?;
        let read = answers.pop().ok_or_else(errors::stopping)??;
        Ok(proto::GetTransferResponse {
            transfer: Some(self.transfer_shown(caller, &asked, &read, view).await?),
        })
    }

    pub(super) async fn batch_get_transfers(
        &self,
        caller: &Caller,
        request: proto::BatchGetTransfersRequest,
    ) -> Result<proto::BatchGetTransfersResponse, ApiError> {
        use proto::transfer_selector::Key;
        let view = view::payload_version(request.view, &request.api_version)?;
        let count = request.selectors.len();
        if !(1..=MOST_TRANSFERS).contains(&count) {
            let what = format!("has {count} elements; at least 1 and at most {MOST_TRANSFERS}");
            return Err(errors::invalid("selectors", what));
        }
        let mut asked = Vec::with_capacity(count);
        for (at, selector) in request.selectors.into_iter().enumerate() {
            let given = selector.key.map(|key| match key {
                Key::TransferId(id) => (TransferKeyKind::TransferId, id),
                Key::TraceId(id) => (TransferKeyKind::TraceId, id),
            });
            asked.push(Asked::new(&format!("selectors[{at}].key"), given, view)?);
        }
        let keys = asked.iter().map(|one| one.key.clone()).collect();
        let answers = self.read_transfers(keys).await?;
        let mut results = Vec::with_capacity(count);
        let mut room = LONGEST_ANSWER;
        for (asked, answer) in asked.iter().zip(answers) {
            let shown = self.transfer_shown(caller, asked, &answer?, view).await;
            let mut result = result_of(shown)?;
            match room.checked_sub(result.encoded_len()) {
                Some(left) => room = left,
                None => result = result_of(Err(errors::answer_full(asked.name, &asked.key.value)))?,
            }
            results.push(result);
        }
        Ok(proto::BatchGetTransfersResponse { results })
    }

    async fn transfer_shown(
        &self,
        caller: &Caller,
        asked: &Asked,
        read: &TransfersRead,
        view: Option<PayloadVersion>,
    ) -> Result<proto::Transfer, ApiError> {
        let transfer = asked.one_of(caller, read)?;
        self.with_return(transfer, read, view).await
    }

    /// A transfer with its return, as a view shows it.
    async fn with_return(
        &self,
        found: TransferRead,
        read: &TransfersRead,
        view: Option<PayloadVersion>,
    ) -> Result<proto::Transfer, ApiError> {
        let history = History::of(found.standing.iter().map(|one| &one.row.row));
        let shown = view.map(|version| {
            let seen = view::transfer_view(&found.sent, history.outcome.as_ref(), version);
            (seen, version)
        });
        let mut transfer = transfer(found.sent);
        transfer.open_hold_ids = found.open_hold_ids;
        let mut newest_first = found.standing.iter().rev();
        let latest = newest_first.find(|one| one.row.row.effect.decided() != Some(Effect::Correct));
        if let Some(latest) = latest {
            transfer.databases = self.databases_of(latest, &read.progress).await?;
        }
        for made in history.made {
            if made.kind == MadeKind::Reversal && !transfer.reversal_ids.contains(&made.id) {
                transfer.reversal_ids.push(made.id);
            }
        }
        let mut newest_first = found.standing.iter().rev();
        let outcome = history.outcome.as_ref();
        // A validation failure is a decision about the transfer, not a return.
        if let Some(row) = newest_first.find(|one| one.row.row.effect.is_return())
            && let Some(outcome) = outcome.and_then(ReturnOutcome::ach_return)
        {
            let mut complete = self.complete(row, &read.progress).await?;
            complete.stage = outcome.stage().to_proto().into();
            transfer.has_ach_return = true;
            transfer.ach_return = Some(complete);
        }
        if let Some((seen, version)) = shown {
            view::show(&mut transfer, &seen, version);
            if let Some(found) = &mut transfer.ach_return {
                found.transfer_state = seen.state;
            }
        }
        add_links(&mut transfer);
        Ok(transfer)
    }
}

/// The result for one selector. Only what is about the transfer itself leaves the others alone.
fn result_of(shown: Result<proto::Transfer, ApiError>) -> Result<proto::TransferResult, ApiError> {
    use proto::transfer_result::Result as Found;
    let result = match shown {
        Ok(transfer) => Found::Transfer(transfer),
        Err(error) if error.is_about_one_transfer() => Found::Error(proto::TransferError {
            reason: error.reason(),
            message: error.message().to_owned(),
        }),
        Err(error) => return Err(error),
    };
    Ok(proto::TransferResult {
        result: Some(result),
    })
}

/// A transfer as the gateway has it.
fn transfer(sent: adapter::Transfer) -> proto::Transfer {
    proto::Transfer {
        id: sent.id,
        amount_minor: sent.amount_minor,
        currency: sent.currency,
        state: sent.state_text,
        r#type: sent.type_text,
        subtype: sent.subtype,
        trace_id: sent.trace_id,
        tags: sent.tags,
        messages: sent.messages,
        raw_json: sent.raw_json,
        application: sent.application,
        source: sent.source,
        destination: sent.destination,
        ready_to_settle_at: sent.ready_to_settle_at,
        fee_minor: sent.fee_minor.unwrap_or_default(),
        statement_descriptor: sent.statement_descriptor,
        created_at: sent.created_at,
        updated_at: sent.updated_at,
        idempotency_id: sent.idempotency_id,
        merchant_identity: sent.merchant_identity,
        failure_code: sent.failure_code,
        failure_message: sent.failure_message,
        parent_id: sent.parent_id,
        reversal_ids: sent.reversal_ids,
        ..proto::Transfer::default()
    }
}

fn add_links(transfer: &mut proto::Transfer) {
    let links = &mut transfer.links;
    let own = format!("/transfers/{}", transfer.id);
    if !transfer.parent_id.is_empty() {
        links.insert(
            "parent".to_owned(),
            format!("/transfers/{}", transfer.parent_id),
        );
    }
    if !transfer.reversal_ids.is_empty() {
        links.insert("reversals".to_owned(), format!("{own}/reversals"));
    }
    links.insert("self".to_owned(), own);
}
