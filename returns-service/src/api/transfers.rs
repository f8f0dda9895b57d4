//! Transfers and their returns.

use ach::decision::{Effect, TransferKeyKind};
use echeck_proto::adapter::v1 as adapter;
use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use proto::get_transfer_request::Key;
use returns_import::adapter::key;
use returns_model::endpoint::PayloadVersion;
use returns_model::hold::{HoldFilter, HoldState};
use returns_model::journal::{JournalRow, MadeKind};
use returns_store::ReturnFilter;
use returns_webhooks::{History, ReturnOutcome};

use super::enums::ToProto as _;
use super::errors::{self, ApiError};
use super::filter::Filters;
use super::{Api, details, page, view};

impl Api {
    pub(super) async fn get_transfer(
        &self,
        caller: &Caller,
        request: proto::GetTransferRequest,
    ) -> Result<proto::GetTransferResponse, ApiError> {
        let view = view::payload_version(request.view, &request.api_version)?;
        let (kind, id, name) = match request.key {
            Some(Key::TransferId(id)) => (TransferKeyKind::TransferId, id, "transfer"),
            Some(Key::TraceId(id)) => (TransferKeyKind::TraceId, id, "transfer with trace id"),
            None => return Err(errors::invalid("key", "set transfer_id or trace_id")),
        };
        if id.is_empty() {
            return Err(errors::invalid("key", "must not be empty"));
        }
        // What is another merchant's is not there.
        let found = self.look_up(kind, &id).await?;
        let mut found = found.filter(|one| caller.merchants().include(&one.merchant_identity));
        let transfer = found.next().ok_or_else(|| errors::not_found(name, &id))?;
        if let Some(other) = found.next() {
            let (one, other) = (transfer.id, other.id);
            let what = format!("trace id {id:?} names {one} and {other}; ask by transfer id");
            return Err(errors::precondition("AMBIGUOUS_TRACE_ID", what));
        }
        Ok(proto::GetTransferResponse {
            transfer: Some(self.with_return(transfer, view).await?),
        })
    }

    /// The transfers of the system of record with this key.
    async fn look_up(
        &self,
        kind: TransferKeyKind,
        value: &str,
    ) -> Result<impl Iterator<Item = adapter::Transfer> + use<>, ApiError> {
        let keys = vec![key(kind, value)];
        let (matches, _) = self.decider.gateway.lookup_raw(keys).await?;
        Ok(matches.into_iter().flat_map(|one| one.transfers))
    }

    async fn with_return(
        &self,
        sent: adapter::Transfer,
        view: Option<PayloadVersion>,
    ) -> Result<proto::Transfer, ApiError> {
        let id = sent.id.clone();
        let standing = self.standing(&id, view.is_some()).await?;
        let history = History::of(standing.iter().map(|row| &row.row));
        let shown = view.map(|version| {
            let seen = view::transfer_view(&sent, history.outcome.as_ref(), version);
            (seen, version)
        });
        let mut transfer = transfer(sent);
        transfer.open_hold_ids = self.open_hold_ids(id).await?;
        let latest = standing
            .iter()
            .rev()
            .find(|row| row.row.effect.decided() != Some(Effect::Correct));
        if let Some(latest) = latest {
            transfer.databases = self.databases_at(latest.position).await?;
        }
        for made in history.made {
            if made.kind == MadeKind::Reversal && !transfer.reversal_ids.contains(&made.id) {
                transfer.reversal_ids.push(made.id);
            }
        }
        let first = standing.iter().rev().find(|row| row.row.effect.is_return());
        if let Some(row) = first {
            let mut complete = self.complete(row).await?;
            // A validation failure is a decision about the transfer, not a return.
            if let Some(found) = history.outcome.as_ref().and_then(ReturnOutcome::ach_return) {
                complete.stage = found.stage().to_proto().into();
                transfer.has_ach_return = true;
                transfer.ach_return = Some(complete);
            }
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

    /// How far the system of record is by its own word, and which rows had no effect there since
    /// it was last recorded. Asked after a lookup, so that what the lookup saw is explained: the
    /// record may lag behind, and a return that it lacks looks like a failure.
    async fn passed(&self) -> Result<(u64, Vec<u64>), ApiError> {
        let system_of_record = &self.decider.gateway;
        let progress = self.store.progress(&system_of_record.database);
        let mut after = progress.await?.position;
        let mut without_effect = Vec::new();
        loop {
            let answer = system_of_record.progress(after).await?;
            without_effect.extend(answer.exceptions.iter().map(|exception| exception.position));
            match without_effect.last() {
                Some(last) if answer.has_more && *last > after => after = *last,
                Some(_) | None => {
                    let passed = answer.cursor.map_or(0, |cursor| cursor.position);
                    return Ok((passed, without_effect));
                }
            }
        }
    }

    /// The rows of a transfer that stand. For a view only those that the system of record has
    /// passed: what it has not is not true yet, and may never be. A view is asked for after the
    /// lookup.
    async fn standing(&self, id: &str, passed_only: bool) -> Result<Vec<JournalRow>, ApiError> {
        let system_of_record = &self.decider.gateway.database;
        let passed = match passed_only {
            true => Some(self.passed().await?),
            false => None,
        };
        let ids = [id.to_owned()];
        let mut known = self.store.known(&ids, system_of_record).await?;
        let mut standing = known.standing.remove(id).unwrap_or_default();
        if let Some((passed, without_effect)) = passed {
            standing
                .retain(|row| row.position <= passed && !without_effect.contains(&row.position));
        }
        Ok(standing)
    }

    async fn open_hold_ids(&self, transfer_id: String) -> Result<Vec<String>, ApiError> {
        let filter = HoldFilter {
            transfer_id: Some(transfer_id),
            ..HoldFilter::of(HoldState::Open)
        };
        let holds = self.store.holds(&filter, None, 100).await?;
        Ok(holds.into_iter().map(|hold| hold.new.hold_id).collect())
    }

    async fn with_databases(&self, row: &JournalRow) -> Result<proto::AchReturn, ApiError> {
        let mut answer = details::ach_return(row);
        answer.databases = self.databases_at(row.position).await?;
        Ok(answer)
    }

    /// The same, with the grounds for a dishonor.
    async fn complete(&self, row: &JournalRow) -> Result<proto::AchReturn, ApiError> {
        let mut answer = self.with_databases(row).await?;
        self.add_grounds(std::slice::from_mut(&mut answer)).await?;
        Ok(answer)
    }

    pub(super) async fn get_return(
        &self,
        caller: &Caller,
        request: proto::GetReturnRequest,
    ) -> Result<proto::GetReturnResponse, ApiError> {
        let return_id = &request.ach_return_id;
        let view = view::payload_version(request.view, &request.api_version)?;
        let row = self
            .store
            .return_row(return_id)
            .await?
            .ok_or_else(|| errors::not_found("return", return_id))?;
        if !caller.merchants().include(merchant_of(&row)) {
            return Err(errors::not_found("return", return_id));
        }
        let mut answer = self.complete(&row).await?;
        let transfer_id = &row.row.transfer.id;
        let sent = match view {
            Some(_) => {
                let mut found = self
                    .look_up(TransferKeyKind::TransferId, transfer_id)
                    .await?;
                found.next()
            }
            None => None,
        };
        let standing = self.standing(transfer_id, view.is_some()).await?;
        let outcome = History::of(standing.iter().map(|row| &row.row)).outcome;
        if let Some(found) = outcome.as_ref().and_then(ReturnOutcome::ach_return)
            && found.ach_return_id == *return_id
        {
            answer.stage = found.stage().to_proto().into();
        }
        if let (Some(version), Some(sent)) = (view, sent) {
            answer.transfer_state = view::transfer_view(&sent, outcome.as_ref(), version).state;
        }
        Ok(proto::GetReturnResponse {
            ach_return: Some(answer),
        })
    }

    pub(super) async fn list_returns(
        &self,
        caller: &Caller,
        request: proto::ListReturnsRequest,
    ) -> Result<proto::ListReturnsResponse, ApiError> {
        let size = page::size(request.page_size);
        let given = |text: &str| page::given(text).map(str::to_owned);
        let filter = ReturnFilter {
            import_id: given(&request.import_id),
            transfer_id: given(&request.transfer_id),
            code: given(&request.return_code.to_ascii_uppercase()),
            before: page::place(&request.page_token)?,
        };
        let (rows, next_page_token) = self.returns_of(caller, filter, size).await?;
        if rows.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                import_id: &request.import_id,
                code: ("return_code", &request.return_code),
                ..Filters::default()
            };
            self.check_filters(filters).await?;
        }
        let mut ach_returns = Vec::with_capacity(rows.len());
        for row in &rows {
            ach_returns.push(self.with_databases(row).await?);
        }
        self.add_grounds(&mut ach_returns).await?;
        Ok(proto::ListReturnsResponse {
            ach_returns,
            next_page_token,
        })
    }

    /// A page of the returns that a caller may see, and the token of the next. Pages that another
    /// merchant's returns would fill are read on, up to a limit.
    async fn returns_of(
        &self,
        caller: &Caller,
        mut filter: ReturnFilter,
        size: u32,
    ) -> Result<(Vec<JournalRow>, String), ApiError> {
        const MOST_PAGES: usize = 20;
        let mut seen = Vec::new();
        for _ in 0..MOST_PAGES {
            let rows = self.store.returns(&filter, size).await?;
            let token = page::next(&rows, size, |last| last.position);
            filter.before = rows.last().map(|last| last.position);
            let theirs = |row: &JournalRow| caller.merchants().include(merchant_of(row));
            for row in rows.into_iter().filter(theirs) {
                if seen.len() < page::count(size) {
                    filter.before = Some(row.position);
                    seen.push(row);
                }
            }
            if token.is_empty() {
                return Ok((seen, token));
            }
            if caller.merchants().are_all() || seen.len() >= page::count(size) {
                break;
            }
        }
        let token = filter.before.map(|before| page::token(&before));
        Ok((seen, token.unwrap_or_default()))
    }
}

/// Whose payment a row is about.
fn merchant_of(row: &JournalRow) -> &str {
    &row.row.transfer.parties.merchant
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
