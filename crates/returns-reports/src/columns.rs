//! The columns of a report, in their order. `docs/report.md` explains each.

use ach::correction_clock::correction_clock;
use ach::entry::{Entry, EntryKind};
use ach::money::Money;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use returns_model::dishonor::DishonorMark;
use returns_model::import::ImportRecord;
use returns_model::journal::{Row, RowEffect};

use super::csv_escaping::{decimal, id, optional_id, words};
use super::line::ReportLine;
use super::outcome::LineOutcome;
use super::rules::{CodeRules, original_date};

/// The columns before those of the databases.
const COLUMNS: [&str; 49] = [
    "import_id",
    "finished_at",
    "source",
    "file_name",
    "file_sha256",
    "line_number",
    "acquirer_case_id",
    "acquirer_payment_id",
    "merchant_order_number",
    "gateway_transaction_id",
    "merchant_id",
    "merchant_name",
    "original_amount",
    "original_amount_minor",
    "return_amount",
    "return_amount_minor",
    "currency",
    "original_date",
    "settlement_date",
    "return_date",
    "received_date",
    "return_code",
    "return_title",
    "acquirer_reason",
    "category",
    "initiated_by",
    "deadline",
    "late",
    "original_trace",
    "return_trace",
    "account_last_digits",
    "previous_state",
    "new_state",
    "reversal_id",
    "representable",
    "attempts_used",
    "recommended_action",
    "account_effect",
    "match_rule",
    "outcome",
    "exception_text",
    "dishonor_code",
    "dishonor_fields",
    "dishonor_until",
    "questionable",
    "return_fee_until",
    "correction_told_by",
    "correction_changed_by",
    "correction_refused_by",
];

/// Where the columns are that a report is checked by.
pub(super) const AMOUNT_MINOR: usize = 15;
/// See [`AMOUNT_MINOR`].
pub(super) const OUTCOME: usize = 39;
/// The first database's column.
pub(super) const FIRST_DATABASE: usize = COLUMNS.len();

/// The header.
pub(super) fn header(databases: &[String]) -> Vec<String> {
    let databases = databases.iter().map(|name| format!("{name}_status"));
    COLUMNS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(databases)
        .collect()
}

/// What every line of a report has in common.
pub(super) struct CommonCells {
    cells: [String; 5],
}

impl CommonCells {
    pub(super) fn new(import: &ImportRecord, finished_at: DateTime<Utc>) -> Self {
        Self {
            cells: [
                import.import_id.clone(),
                finished_at.to_rfc3339_opts(SecondsFormat::Secs, true),
                words(&import.new.source),
                words(&import.new.file_name),
                import.new.sha256.clone(),
            ],
        }
    }
}

/// The cells of a line, as many as the header has.
pub(super) fn cells(common: &CommonCells, line: &ReportLine) -> Vec<String> {
    let entry = line.entry.as_ref();
    let row = line.row.as_ref();
    let mut cells: Vec<String> = common.cells.to_vec();
    cells.push(line.line_number.to_string());
    ids(&mut cells, line);
    amounts(&mut cells, line);
    dates(&mut cells, entry, row);
    reason(&mut cells, entry);
    let rules = CodeRules::of(entry, row);
    cells.extend([
        rules.category.to_owned(),
        rules.initiated_by.to_owned(),
        date(rules.deadline),
        rules.late.to_owned(),
    ]);
    traces(&mut cells, entry);
    states(&mut cells, line);
    cells.extend([
        rules.representable.to_owned(),
        rules.attempts_used,
        rules.recommended_action.to_owned(),
        rules.account_effect.to_owned(),
        match_rule(row).to_owned(),
        words(&line.outcome.text()),
        words(&line.notes.join("; ")),
    ]);
    dishonor(&mut cells, line.mark.as_ref());
    cells.extend([rules.questionable.to_owned(), date(rules.fee_until)]);
    clock(&mut cells, entry);
    cells.extend(line.statuses.iter().map(|status| status.text()));
    cells
}

/// By when something must happen about a correction.
fn clock(cells: &mut Vec<String>, entry: Option<&Entry>) {
    let settled = entry
        .filter(|entry| matches!(entry.kind, EntryKind::Correction { .. }))
        .and_then(|entry| entry.settlement_date);
    let clock = settled.and_then(correction_clock);
    cells.extend([
        date(clock.map(|clock| clock.told_by)),
        date(clock.map(|clock| clock.changed_by)),
        date(clock.map(|clock| clock.refused_by)),
    ]);
}

fn ids(cells: &mut Vec<String>, line: &ReportLine) {
    let entry = line.entry.as_ref();
    let row = line.row.as_ref();
    let keys = entry.map(|entry| &entry.keys);
    let order = keys.and_then(|keys| keys.order_id.as_ref().or(keys.transfer_request_id.as_ref()));
    cells.extend([
        optional_id(keys.and_then(|keys| keys.case_id.as_deref())),
        optional_id(keys.and_then(|keys| keys.payment_id.as_deref())),
        optional_id(order.map(String::as_str)),
        id(&line.transfer_id),
        // Without a decision the merchant is not known.
        optional_id(row.map(|row| row.transfer.parties.merchant.as_str())),
        words(
            entry
                .and_then(|entry| entry.company_name.as_deref())
                .unwrap_or_default(),
        ),
    ]);
}

fn amounts(cells: &mut Vec<String>, line: &ReportLine) {
    let entry = line.entry.as_ref();
    let original = line
        .row
        .as_ref()
        .map(|row| row.transfer.amount)
        .or_else(|| entry.and_then(|entry| entry.original_amount));
    let returned = entry.and_then(|entry| entry.amount);
    cells.extend(money(original.map(Money::minor)));
    // An unreadable line may still have had an amount that could be read, and is counted.
    let counted = match (&line.entry, line.amount_minor) {
        (None, Some(0)) => None,
        (None, amount) => amount,
        (Some(_), _) => returned.map(Money::minor),
    };
    cells.extend(money(counted));
    let currency = returned
        .or(original)
        .map(|amount| amount.currency().to_string());
    cells.push(currency.unwrap_or_default());
}

/// An amount as decimal text and in minor units.
fn money(amount_minor: Option<i64>) -> [String; 2] {
    amount_minor.map_or_else(Default::default, |minor| {
        [decimal(minor), minor.to_string()]
    })
}

fn dates(cells: &mut Vec<String>, entry: Option<&Entry>, row: Option<&Row>) {
    cells.extend([
        date(original_date(entry, row)),
        date(entry.and_then(|entry| entry.settlement_date)),
        date(entry.and_then(|entry| entry.issued_on)),
        date(entry.and_then(|entry| entry.received_on)),
    ]);
}

fn date(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn reason(cells: &mut Vec<String>, entry: Option<&Entry>) {
    let code = entry.and_then(|entry| entry.kind.code());
    cells.extend([
        words(&code.map(|(code, _)| code).unwrap_or_default()),
        entry
            .and_then(|entry| entry.kind.title())
            .unwrap_or_default()
            .to_owned(),
        words(
            entry
                .and_then(|entry| entry.description.as_deref())
                .unwrap_or_default(),
        ),
    ]);
}

fn traces(cells: &mut Vec<String>, entry: Option<&Entry>) {
    let keys = entry.map(|entry| &entry.keys);
    let account = entry.and_then(|entry| entry.account_tail.as_ref());
    cells.extend([
        optional_id(keys.and_then(|keys| keys.original_trace.as_deref())),
        optional_id(keys.and_then(|keys| keys.return_trace.as_deref())),
        account
            .map(|tail| words(&tail.to_string()))
            .unwrap_or_default(),
    ]);
}

/// The transfer's state before and after, for a decision that took effect.
fn states(cells: &mut Vec<String>, line: &ReportLine) {
    let acted = line
        .row
        .as_ref()
        .filter(|row| row.effect.decided().map(LineOutcome::Effect) == Some(line.outcome.clone()));
    let (before, after, reversal) = acted.map_or_else(Default::default, |row| {
        let before = row.expected.state.as_str().to_uppercase();
        let after = match row.effect {
            RowEffect::Fail { .. } => "FAILED".to_owned(),
            RowEffect::Return { .. } => "RETURNED".to_owned(),
            // The payment stays as it is; its money goes back by the reversal, or comes back by
            // the restoration.
            RowEffect::Reverse { .. }
            | RowEffect::Correct {}
            | RowEffect::Restore { .. }
            | RowEffect::Reapply { .. }
            | RowEffect::ReleaseToSettlement { .. } => before.clone(),
        };
        let reversal = row.effect.made().map_or("", |(_, made)| made.id.as_str());
        (before, after, reversal)
    });
    cells.extend([before, after, id(reversal)]);
}

/// The strongest ground for a dishonor. `exception_text` leaves the sentence to the list of
/// dishonorable returns, which counts the days that are left.
fn dishonor(cells: &mut Vec<String>, mark: Option<&DishonorMark>) {
    let ground = mark.map(|mark| &mark.ground);
    cells.extend([
        ground.map_or("", |ground| ground.code.as_str()).to_owned(),
        optional_id(
            ground
                .map(|ground| ground.fields.as_str())
                .filter(|fields| !fields.is_empty()),
        ),
        date(ground.map(|ground| ground.last_day)),
    ]);
}

/// How the transfer was found. The journal records only whether a person chose.
fn match_rule(row: Option<&Row>) -> &'static str {
    match row.and_then(|row| row.actor.as_deref()) {
        Some(_) => "person",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_a_report_is_checked_by_are_where_they_are_looked_for() {
        let header = header(&["gateway".into()]);
        assert_eq!(header[AMOUNT_MINOR], "return_amount_minor");
        assert_eq!(header[OUTCOME], "outcome");
        assert_eq!(header[FIRST_DATABASE], "gateway_status");
    }
}
