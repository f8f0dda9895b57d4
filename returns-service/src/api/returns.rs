//! Returns.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ach::decision::{Effect, TransferKeyKind};
use chrono::TimeDelta;
use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use returns_model::follower::Progress;
use returns_model::journal::JournalRow;
use returns_store::{ReturnFilter, StandingRow};
use returns_webhooks::{History, ReturnOutcome};

use super::enums::ToProto as _;
use super::errors::{self, ApiError};
use super::filter::{Amounts, Filters, Times};
use super::page::Filtered;
use super::reads::TransferKey;
use super::{Api, answer, details, page, view};

/// The longest time between a decision and its row in the journal. A lease on an import is shorter.
const LONGEST_APPEND: TimeDelta = TimeDelta::hours(1);

/// Which returns a caller wants, beside what the database filters by.
struct Wanted<'a> {
    caller: &'a Caller,
    merchant: Option<&'a str>,
    effect: Option<Effect>,
    decided: Times,
    amounts: Amounts,
}

impl Wanted<'_> {
    /// Whether a row is wanted. The rows come newest first.
    fn includes(&self, found: &JournalRow) -> ControlFlow<(), bool> {
        let row = &found.row;
        if self.decided.are_over_at(found.recorded_at) {
            return ControlFlow::Break(());
        }
        let merchant = merchant_of(found);
        let is_wanted = self.caller.merchants().include(merchant)
            && self.merchant.is_none_or(|wanted| wanted == merchant)
            && (self.effect).is_none_or(|wanted| row.effect.decided() == Some(wanted))
            && self.decided.include(row.decided_at)
            && self.amounts.include(row.transfer.amount.minor());
        ControlFlow::Continue(is_wanted)
    }

    /// Whether most rows may be left out.
    fn is_narrow(&self) -> bool {
        !self.caller.merchants().are_all()
            || self.merchant.is_some()
            || self.effect.is_some()
            || self.amounts != Amounts::default()
    }
}

impl Api {
    /// A return with the databases that have it and the grounds for a dishonor.
    pub(super) async fn complete(
        &self,
        found: &StandingRow,
        progress: &HashMap<String, Progress>,
    ) -> Result<proto::AchReturn, ApiError> {
        let mut answer = details::ach_return(&found.row);
        answer.databases = self.databases_of(found, progress).await?;
        if found.is_dishonorable {
            self.add_grounds(std::slice::from_mut(&mut answer)).await?;
        }
        Ok(answer)
    }

    pub(super) async fn get_return(
        &self,
        caller: &Caller,
        request: proto::GetReturnRequest,
    ) -> Result<proto::GetReturnResponse, ApiError> {
        let return_id = &request.ach_return_id;
        let view = view::payload_version(request.view, &request.api_version)?;
        let row = self.store.return_row(return_id).await?;
        let row = row.ok_or_else(|| errors::not_found("return", return_id))?;
        if !caller.merchants().include(merchant_of(&row)) {
            return Err(errors::not_found("return", return_id));
        }
        let transfer_id = row.row.transfer.id.clone();
        let mut facts = self.store.facts(std::slice::from_ref(&transfer_id)).await?;
        let of_it = facts.transfers.remove(&transfer_id).unwrap_or_default();
        let mut rows = of_it.rows.iter();
        let found = match rows.find(|one| one.row.position == row.position) {
            Some(found) => found.clone(),
            None => self.superseded(row).await?,
        };
        let mut answer = self.complete(&found, &facts.progress).await?;
        let read = match view {
            Some(_) => self.read_for_view(transfer_id).await?,
            None => None,
        };
        let (sent, standing) = match (view, read) {
            (_, Some(read)) => (Some(read.sent), read.standing),
            (None, None) => (None, self.standing(of_it.rows, None)),
            (Some(_), None) => {
                let passed = self.passed().await?;
                (None, self.standing(of_it.rows, Some(&passed)))
            }
        };
        let outcome = History::of(standing.iter().map(|one| &one.row.row)).outcome;
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

    /// A row that another has superseded.
    async fn superseded(&self, row: JournalRow) -> Result<StandingRow, ApiError> {
        let exceptions = self.store.exceptions_at(&[row.position]).await?;
        Ok(StandingRow {
            row,
            exceptions: exceptions.into_iter().map(|(name, _)| name).collect(),
            is_dishonorable: true,
        })
    }

    async fn read_for_view(
        &self,
        transfer_id: String,
    ) -> Result<Option<super::reads::TransferRead>, ApiError> {
        let key = TransferKey {
            kind: TransferKeyKind::TransferId,
            value: transfer_id,
            passed_only: true,
        };
        let mut answers = self.read_transfers(vec![key]).await?;
        let read = answers.pop().ok_or_else(errors::stopping)??;
        Ok(read.transfers.into_iter().next())
    }

    pub(super) async fn list_returns(
        &self,
        caller: &Caller,
        request: proto::ListReturnsRequest,
    ) -> Result<proto::ListReturnsResponse, ApiError> {
        let decided = (request.decided_from, request.decided_before);
        let amounts = (request.min_amount_minor, request.max_amount_minor);
        let wanted = Wanted {
            caller,
            merchant: page::given(&request.merchant_identity),
            effect: effect_of(request.effect)?,
            decided: Times::read(["decided_from", "decided_before"], decided)?,
            amounts: Amounts::read(amounts)?,
        };
        let given = |text: &str| page::given(text).map(str::to_owned);
        let mut filter = ReturnFilter {
            import_id: given(&request.import_id),
            transfer_id: given(&request.transfer_id),
            code: given(&request.return_code.to_ascii_uppercase()),
            before: None,
            before_imports_since: wanted.decided.before.map(|before| before + LONGEST_APPEND),
        };
        let size = page::size(request.page_size);
        let first = page::place(&request.page_token)?;
        let mut page = Filtered::new(size, wanted.is_narrow(), first);
        while page.is_open() {
            filter.before = page.place();
            let rows = self.store.returns(&filter, page.rows_to_read()).await?;
            page.take(rows, |row| row.position, |row| wanted.includes(row));
        }
        let (rows, end) = page.finish();
        if rows.is_empty() && end.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                import_id: &request.import_id,
                code: ("return_code", &request.return_code),
                ..Filters::default()
            };
            self.check_filters(filters).await?;
        }
        let positions: Vec<u64> = rows.iter().map(|row| row.position).collect();
        let listed = positions.into_iter().zip(self.listed(rows).await?);
        let (ach_returns, next_page_token) = answer::page(
            listed.collect(),
            end,
            |(position, _)| *position,
            |(_, shown)| Some(shown),
        );
        Ok(proto::ListReturnsResponse {
            ach_returns,
            next_page_token,
        })
    }

    /// Returns as a list shows them.
    async fn listed(&self, rows: Vec<JournalRow>) -> Result<Vec<proto::AchReturn>, ApiError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let positions: Vec<u64> = rows.iter().map(|row| row.position).collect();
        let progress = self.store.all_progress().await?;
        let mut exceptions: HashMap<u64, Vec<String>> = HashMap::new();
        for (name, exception) in self.store.exceptions_at(&positions).await? {
            exceptions.entry(exception.position).or_default().push(name);
        }
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let found = StandingRow {
                exceptions: exceptions.remove(&row.position).unwrap_or_default(),
                row,
                // All of them are asked for together.
                is_dishonorable: false,
            };
            listed.push(self.complete(&found, &progress).await?);
        }
        self.add_grounds(&mut listed).await?;
        Ok(listed)
    }
}

/// The effect that a list is asked for.
fn effect_of(number: i32) -> Result<Option<Effect>, ApiError> {
    Ok(match proto::Effect::try_from(number) {
        Ok(proto::Effect::Unspecified) => None,
        Ok(proto::Effect::Fail) => Some(Effect::Fail),
        Ok(proto::Effect::Return) => Some(Effect::Return),
        Ok(proto::Effect::Reverse) => Some(Effect::Reverse),
        Ok(proto::Effect::Correct) => Some(Effect::Correct),
        Ok(proto::Effect::Restore) => Some(Effect::Restore),
        Ok(proto::Effect::Reapply) => Some(Effect::Reapply),
        Ok(proto::Effect::ReleaseToSettlement) => {
            let what = "a release is not a return; ListJournal has it";
            return Err(errors::invalid("effect", what));
        }
        Err(_) => {
            return Err(errors::invalid(
                "effect",
                format!("{number} is not a valid value"),
            ));
        }
    })
}

/// Whose payment a row is about.
pub(super) fn merchant_of(row: &JournalRow) -> &str {
    &row.row.transfer.parties.merchant
}
