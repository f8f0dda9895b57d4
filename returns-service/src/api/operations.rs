//! What operators ask: the state of the whole, the journal's rows, the adoption of a cursor, and the
//! way past a row that an adapter cannot read.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;
use returns_feed::{AdoptRequest, Feed, Role};
use returns_model::adoption::{Adoption, Point};
use returns_model::follower::Progress;
use returns_model::ids::hex;
use returns_model::journal::JournalRow;
use returns_model::proposal::ProposedChange;

use super::errors::{self, ApiError};
use super::operator::Operator;
use super::{Api, answer, page};

impl Api {
    pub(super) async fn adopt_cursor(
        &self,
        caller: &Caller,
        request: proto::AdoptCursorRequest,
    ) -> Result<proto::AdoptCursorResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let database = &request.database;
        let position = page::number("position", request.position)?;
        let mut adoption = self.plan_adoption(operator, database, position).await?;
        let mut answer = proto::AdoptCursorResponse {
            previous_cursor: adoption.from.clone().map(point),
            new_cursor: Some(point(adoption.to.clone())),
            ..Default::default()
        };
        if request.validate_only {
            adoption.id.clear();
        } else if self.two_people.adopt_cursor {
            let change = ProposedChange::AdoptCursor {
                database: database.clone(),
                position: adoption.to.position,
            };
            let summary = format!(
                "move the cursor of {database} from {} to {}",
                adoption.from_position(),
                adoption.to.position
            );
            answer.proposal_id = self.propose(operator, change, summary).await?;
            answer.new_cursor = None;
            adoption.id.clear();
        } else {
            self.adopt(operator, &adoption).await?;
        }
        answer.adoption_id = adoption.id;
        Ok(answer)
    }

    /// What adopting would do.
    pub(super) async fn plan_adoption(
        &self,
        operator: Operator<'_>,
        database: &str,
        position: u64,
    ) -> Result<Adoption, ApiError> {
        let ask = AdoptRequest {
            position,
            actor: operator.identity().to_owned(),
            reason: operator.reason.to_owned(),
        };
        Ok(self.feed(database)?.plan_adoption(ask).await?)
    }

    /// Does what was planned.
    pub(super) async fn adopt(
        &self,
        operator: Operator<'_>,
        adoption: &Adoption,
    ) -> Result<(), ApiError> {
        let database = &adoption.database;
        self.feed(database)?.adopt(adoption).await?;
        let before = format!("position {}", adoption.from_position());
        let after = format!("position {}", adoption.to.position);
        let subject = format!("database:{database}");
        let change = ("adopt_cursor", subject, (&*before, &*after));
        let audit = operator.audit(self.clock.now(), change);
        Ok(self.store.record_audit(&audit).await?)
    }

    fn feed(&self, database: &str) -> Result<&Feed, ApiError> {
        let feed = self.feeds.get(database).map(|feed| &**feed);
        feed.ok_or_else(|| errors::not_found("database", database))
    }

    pub(super) async fn skip_journal_rows(
        &self,
        caller: &Caller,
        request: proto::SkipJournalRowsRequest,
    ) -> Result<proto::SkipJournalRowsResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let database = &request.database;
        let feed = self.feed(database)?;
        let rows = feed.unreadable_rows(request.position).await?;
        if rows.is_empty() {
            let what = format!(
                "the adapter of {database} has not refused such a row as unreadable, or it is \
                 skipped already"
            );
            return Err(errors::precondition("NOT_UNREADABLE", what));
        }
        for row in rows.iter().filter(|_| !request.validate_only) {
            let subject = format!("journal row {} in {database}", row.position);
            let action = ("skip_journal_row", subject, (&*row.why, "skipped"));
            feed.skip(row, &operator.audit(self.clock.now(), action))
                .await?;
        }
        let rows = rows.into_iter().map(|row| proto::UnreadableRow {
            position: row.position,
            why: row.why,
        });
        Ok(proto::SkipJournalRowsResponse {
            rows: rows.collect(),
        })
    }

    pub(super) async fn list_journal(
        &self,
        request: proto::ListJournalRequest,
    ) -> Result<proto::ListJournalResponse, ApiError> {
        let limit = page::limit(request.limit);
        let after = page::number("after_position", request.after_position)?;
        let rows = self.store.rows_after(after, limit).await?;
        let shown = |row: JournalRow| proto::JournalRow {
            position: row.position,
            row_hash: hex(row.hash.as_bytes()),
            payload_json: row.payload,
            recorded_at: Some(timestamp(row.recorded_at)),
        };
        // The caller goes on after the last position that it has.
        let (rows, _) = answer::page(
            rows,
            String::new(),
            |row| row.position,
            |row| Some(shown(row)),
        );
        Ok(proto::ListJournalResponse { rows })
    }

    pub(super) async fn get_status(
        &self,
        _: proto::GetStatusRequest,
    ) -> Result<proto::GetStatusResponse, ApiError> {
        let store = &self.store;
        let head = store.head().await?;
        let leading = &self.decider.gateway.database;
        let limit = store.progress(leading).await?.position;
        let mut databases = Vec::new();
        for database in self.databases.iter() {
            let Some(feed) = self.feeds.get(database) else {
                continue;
            };
            let Progress { position, fault } = store.progress(database).await?;
            let goal = match feed.role {
                Role::Mirror => limit,
                Role::SystemOfRecord => head.position,
            };
            let state = match &fault {
                Some(_) => proto::DatabaseState::Fault,
                None if position >= goal => proto::DatabaseState::Applied,
                None => proto::DatabaseState::Pending,
            };
            databases.push(proto::DatabaseStatus {
                database: database.clone(),
                system_of_record: feed.role == Role::SystemOfRecord,
                position,
                fault_since: fault.as_ref().map(|fault| timestamp(fault.since)),
                fault: fault.map(|fault| fault.what).unwrap_or_default(),
                state: state.into(),
            });
        }
        Ok(proto::GetStatusResponse {
            journal_id: head.journal_id.to_string(),
            head_position: head.position,
            databases,
            open_holds: store.open_holds().await?,
            open_imports: store.count_unfinished_imports().await?,
            sources: self.source_statuses().await?,
        })
    }

    async fn source_statuses(&self) -> Result<Vec<proto::SourceStatus>, ApiError> {
        let imports = self.store.imports_per_source().await?;
        let sources = self.decider.sources.values();
        let mut statuses: Vec<_> = sources
            .map(|source| proto::SourceStatus {
                name: source.name.clone(),
                format: source.format_name().to_owned(),
                imports: imports.get(&source.name).copied().unwrap_or_default(),
            })
            .collect();
        statuses.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(statuses)
    }
}

/// A position of a journal, as the protos have it.
fn point(point: Point) -> proto::JournalPosition {
    proto::JournalPosition {
        journal_id: point.journal_id,
        position: point.position,
        row_hash: hex(&point.hash),
    }
}
