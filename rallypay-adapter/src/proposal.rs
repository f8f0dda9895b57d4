//! A first mapping for an app that nobody has mapped yet: `echeck adapter init`.

use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::proposal::{
    Meaning, Proposal, ProposalError, SortedWords, SurveyedTable, Wanted, choose, found_words,
    shown, survey, unknown,
};
use echeck_adapter::schema::ColumnContent::{self, Id, Integer, Text, Timestamp, Word};
use echeck_adapter::schema::LiveColumn;

const fn wanted(
    key: &'static str,
    content: ColumnContent,
    names: &'static [&'static str],
    required: bool,
) -> Wanted {
    Wanted {
        key,
        content,
        names,
        required,
    }
}

/// The columns, in the order in which they are written.
const COLUMNS: [Wanted; 8] = [
    wanted(
        "transfer_id",
        Id,
        &[
            "transfer_id",
            "gateway_transfer_id",
            "gateway_id",
            "external_id",
            "processor_id",
            "provider_id",
            "remote_id",
            "charge_id",
            "payment_id",
        ],
        true,
    ),
    wanted(
        "status",
        Word,
        &[
            "status",
            "state",
            "payment_status",
            "transaction_status",
            "aasm_state",
        ],
        true,
    ),
    wanted(
        "failure_code",
        Text,
        &["failure_code", "return_code", "error_code"],
        false,
    ),
    wanted(
        "failure_description",
        Text,
        &[
            "failure_description",
            "failure_message",
            "failure_reason",
            "error_message",
        ],
        false,
    ),
    wanted(
        "returned_at",
        Timestamp,
        &["returned_at", "returned_on"],
        false,
    ),
    wanted(
        "updated_at",
        Timestamp,
        &["updated_at", "updated", "modified_at"],
        false,
    ),
    wanted("lock_version", Integer, &["lock_version"], false),
    wanted(
        "reversal_ready_at",
        Timestamp,
        &["reversal_ready_at"],
        false,
    ),
];

/// The columns that are used without a word where the table has them.
const IF_PRESENT: [&str; 2] = ["lock_version", "reversal_ready_at"];

const FAILED: Meaning = Meaning {
    key: "failed",
    words: &[
        "failed", "failure", "declined", "error", "rejected", "denied",
    ],
};
const RETURNED: Meaning = Meaning {
    key: "returned",
    words: &["returned", "charged_back", "chargeback", "bounced"],
};
const REVERSED: Meaning = Meaning {
    key: "reversed",
    words: &["reversed"],
};
const RESTORED: Meaning = Meaning {
    key: "restored",
    words: &["restored", "reinstated", "dishonored"],
};
const OPEN: Meaning = Meaning {
    key: "open",
    words: &[
        "pending",
        "processing",
        "in_progress",
        "submitted",
        "sent",
        "created",
        "new",
        "succeeded",
        "success",
        "completed",
        "complete",
        "paid",
        "captured",
        "settled",
        "cleared",
    ],
};

/// Proposes the sections of a mapping, for this table or for the one that looks most like
/// transactions.
///
/// # Errors
/// When there is no such table, or the database does not answer.
pub async fn propose(
    session: &mut dyn TargetSession,
    table: Option<&str>,
) -> Result<Proposal, ProposalError> {
    let tables = survey(session).await?;
    let table = choose(&tables, table, &COLUMNS)?;
    let columns = table.columns(&COLUMNS);
    let mut proposal = Proposal::default();
    settings(&mut proposal, table, tables.len(), &columns);
    name_columns(&mut proposal, &columns);
    if let Some(status) = of("status", &columns) {
        statuses(&mut proposal, session, table, status).await?;
    }
    Ok(proposal)
}

/// The column of a key.
fn of<'t>(key: &str, columns: &[Option<&'t LiveColumn>]) -> Option<&'t LiveColumn> {
    let mut columns = COLUMNS.iter().zip(columns);
    let (_, column) = columns.find(|(wanted, _)| wanted.key == key)?;
    *column
}

fn settings(
    proposal: &mut Proposal,
    table: &SurveyedTable,
    tables: usize,
    columns: &[Option<&LiveColumn>],
) {
    let name = table.name.as_str();
    proposal.section("transactions");
    if tables > 1 {
        let what = format!("{name:?} looks most like transactions of {tables} tables");
        proposal.doubt("table", what);
    }
    proposal.set("table", name);
    if of("status", columns).is_some_and(LiveColumn::is_integer) {
        proposal.set("status_kind", "integer");
    }
    if of("updated_at", columns).is_some_and(LiveColumn::is_integer) {
        let what = "instants are whole numbers, of seconds (unix_s) or milliseconds (unix_ms)";
        proposal.doubt("timestamp_format", what);
        proposal.set("timestamp_format", "unix_s");
    }
}

fn name_columns(proposal: &mut Proposal, columns: &[Option<&LiveColumn>]) {
    proposal.section("transactions.columns");
    for (wanted, column) in COLUMNS.iter().zip(columns) {
        match column {
            Some(live) => {
                if wanted.key == "transfer_id" && live.name != "transfer_id" {
                    let what = format!(
                        "{:?} must hold the gateway's own id of a transfer",
                        live.name
                    );
                    proposal.doubt("transfer_id", what);
                }
                proposal.set(wanted.key, &live.name);
            }
            None if IF_PRESENT.contains(&wanted.key) => {}
            None if wanted.required => {
                proposal.doubt(wanted.key, "no column has a name that is known");
                proposal.set(wanted.key, &unknown(wanted.key));
            }
            None => proposal.set(wanted.key, ""),
        }
    }
}

async fn statuses(
    proposal: &mut Proposal,
    session: &mut dyn TargetSession,
    table: &SurveyedTable,
    column: &LiveColumn,
) -> Result<(), DbError> {
    let words = found_words(session, table, column).await?;
    proposal.section("transactions.statuses");
    let meanings = [FAILED, RETURNED, REVERSED, RESTORED, OPEN];
    if column.is_integer() {
        let found = shown(&words);
        let what = format!(
            "{:?} has numbers, of which only the app knows the meaning: {found}",
            column.name
        );
        proposal.doubt("failed", what);
        for meaning in [FAILED, RETURNED] {
            proposal.set(meaning.key, &unknown(meaning.key));
        }
        proposal.set_list("open", &[unknown("open")]);
        return Ok(());
    }
    let sorted = SortedWords::new(&words, &meanings);
    if !sorted.unknown.is_empty() {
        let found = shown(&sorted.unknown);
        let what = format!("these words of the column are in none of them: {found}");
        proposal.doubt("open", what);
    }
    for (key, words) in &sorted.by_key {
        match (*key, words.as_slice()) {
            // By default as returned.
            ("reversed", []) => {}
            ("open", words) => proposal.set_list("open", words),
            (key, [word, ..]) => proposal.set(key, word),
            (key, []) => {
                let what = format!("no row and no type has a word for {key}");
                proposal.doubt(key, what);
                proposal.set(key, key);
            }
        }
    }
    Ok(())
}
