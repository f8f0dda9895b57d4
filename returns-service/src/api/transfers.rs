//! Transfers and their returns.

use std::collections::HashMap;

use ach::decision::{Effect, TransferKeyKind};
use echeck_proto::adapter::v1 as adapter;
use echeck_proto::returns::v1 as proto;
use proto::get_transfer_request::Key;
use tonic::Status;

use super::{Api, details, errors, page};
use crate::adapter::key;
use crate::store::{HoldFilter, HoldState, JournalRow, ReturnFilter};

impl Api {
    pub(super) async fn transfer(
        &self,
        request: proto::GetTransferRequest,
    ) -> Result<proto::Transfer, Status> {
        let (kind, id, name) = match request.key {
            Some(Key::TransferId(id)) => (TransferKeyKind::TransferId, id, "transfer"),
            Some(Key::TraceId(id)) => (TransferKeyKind::TraceId, id, "transfer with trace id"),
            None => return Err(errors::invalid("key", "say transfer_id or trace_id")),
        };
        if id.is_empty() {
            return Err(errors::invalid("key", "must not be empty"));
        }
        let (matches, _) = self
            .importer
            .system_of_record
            .lookup_raw(vec![key(kind, &id)])
            .await
            .map_err(|error| errors::of_adapter(&error))?;
        let mut found = matches.into_iter().flat_map(|one| one.transfers);
        let transfer = found.next().ok_or_else(|| errors::not_found(name, &id))?;
        if let Some(other) = found.next() {
            return Err(errors::precondition(
                "AMBIGUOUS_TRACE_ID",
                format!(
                    "trace id {id:?} names {} and {}; ask by transfer id",
                    transfer.id, other.id
                ),
            ));
        }
        self.with_return(transfer).await
    }

    async fn with_return(&self, sent: adapter::Transfer) -> Result<proto::Transfer, Status> {
        let store = &self.importer.store;
        let id = sent.id.clone();
        let known = store
            .known(
                std::slice::from_ref(&id),
                &self.importer.system_of_record.database,
            )
            .await
            .map_err(|error| errors::of_store(&error))?;
        let standing = known
            .standing
            .get(&id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let holds = store
            .holds(
                &HoldFilter {
                    state: HoldState::Open,
                    import_id: None,
                    reason: None,
                    transfer_id: Some(id),
                },
                None,
                100,
            )
            .await
            .map_err(|error| errors::of_store(&error))?;
        let mut transfer = transfer(sent);
        transfer.open_hold_ids = holds.into_iter().map(|hold| hold.new.hold_id).collect();
        // A validation failure is a decision about the transfer, and no return.
        let decided = standing
            .iter()
            .rev()
            .find(|row| row.row.effect != Effect::Correct);
        if let Some(row) = decided {
            let complete = self.complete(row).await?;
            transfer.databases = complete.databases.clone();
            transfer.reversal_ids.extend(
                Some(complete.reversal_id.clone())
                    .filter(|id| !id.is_empty() && !transfer.reversal_ids.contains(id)),
            );
            if !complete.return_code.is_empty() {
                transfer.has_ach_return = true;
                transfer.ach_return = Some(complete);
            }
        }
        add_links(&mut transfer);
        Ok(transfer)
    }

    async fn with_databases(&self, row: &JournalRow) -> Result<proto::AchReturn, Status> {
        let mut answer = details::ach_return(row);
        answer.databases = self.databases_at(row.position).await?;
        Ok(answer)
    }

    /// The same, with the grounds for a dishonor.
    async fn complete(&self, row: &JournalRow) -> Result<proto::AchReturn, Status> {
        let mut answer = self.with_databases(row).await?;
        self.add_grounds(std::slice::from_mut(&mut answer)).await?;
        Ok(answer)
    }

    pub(super) async fn ach_return(&self, return_id: &str) -> Result<proto::AchReturn, Status> {
        let row = self
            .importer
            .store
            .return_row(return_id)
            .await
            .map_err(|error| errors::of_store(&error))?
            .ok_or_else(|| errors::not_found("return", return_id))?;
        self.complete(&row).await
    }

    pub(super) async fn page_of_returns(
        &self,
        request: proto::ListReturnsRequest,
    ) -> Result<proto::ListReturnsResponse, Status> {
        let size = page::size(request.page_size);
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let filter = ReturnFilter {
            import_id: given(&request.import_id),
            transfer_id: given(&request.transfer_id),
            code: given(&request.return_code.to_ascii_uppercase()),
            before: page::position(&request.page_token)?,
        };
        let rows = self
            .importer
            .store
            .returns(&filter, size)
            .await
            .map_err(|error| errors::of_store(&error))?;
        let next_page_token = match rows.last() {
            Some(last) if rows.len() == size as usize => page::token_of_position(last.position),
            Some(_) | None => String::new(),
        };
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
        links: HashMap::new(),
        has_ach_return: false,
        ach_return: None,
        reversal_ids: sent.reversal_ids,
        databases: Vec::new(),
        open_hold_ids: Vec::new(),
    }
}

fn add_links(transfer: &mut proto::Transfer) {
    let path = |id: &str| format!("/transfers/{id}");
    transfer.links.insert("self".to_owned(), path(&transfer.id));
    if !transfer.parent_id.is_empty() {
        transfer
            .links
            .insert("parent".to_owned(), path(&transfer.parent_id));
    }
    if !transfer.reversal_ids.is_empty() {
        transfer.links.insert(
            "reversals".to_owned(),
            format!("{}/reversals", path(&transfer.id)),
        );
    }
}
