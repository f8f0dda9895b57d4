//! A first mapping for a gateway that nobody has mapped yet: `echeck adapter init`.

mod wanted;

use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::proposal::{
    Proposal, ProposalError, SortedWords, SurveyedTable, Wanted, choose, found_words, shown,
    survey, unknown,
};
use echeck_adapter::schema::LiveColumn;

use wanted::{COLUMNS, FILLED, STATES, TYPES};

/// Proposes the sections of a mapping, for this table or for the one that looks most like payments.
///
/// # Errors
/// When there is no such table, or the database does not answer.
pub async fn propose(
    session: &mut dyn TargetSession,
    table: Option<&str>,
) -> Result<Proposal, ProposalError> {
    let tables = survey(session).await?;
    let chosen = choose(&tables, table, &COLUMNS)?;
    let mut draft = Draft {
        table: chosen,
        columns: chosen.columns(&COLUMNS),
        proposal: Proposal::default(),
    };
    draft.settings(tables.len());
    draft.columns();
    draft.states(session).await?;
    draft.types(session).await?;
    draft.new_rows();
    Ok(draft.proposal)
}

/// A proposal in the making.
struct Draft<'t> {
    table: &'t SurveyedTable,
    columns: Vec<Option<&'t LiveColumn>>,
    proposal: Proposal,
}

impl<'t> Draft<'t> {
    /// The column of a key.
    fn of(&self, key: &str) -> Option<&'t LiveColumn> {
        let mut columns = COLUMNS.iter().zip(&self.columns);
        let (_, column) = columns.find(|(wanted, _)| wanted.key == key)?;
        *column
    }

    fn name(&self) -> &'t str {
        self.table.name.as_str()
    }

    /// `[transfers]`: what holds for all of them.
    fn settings(&mut self, tables: usize) {
        let (name, amount) = (self.name(), self.of("amount"));
        let instants = [self.of("created_at"), self.of("updated_at")];
        let proposal = &mut self.proposal;
        proposal.section("transfers");
        if tables > 1 {
            let what = format!("{name:?} looks most like payments of {tables} tables");
            proposal.doubt("table", what);
        }
        proposal.set("table", name);
        if let Some(amount) = amount.filter(|amount| amount.has_decimals()) {
            let what = format!(
                "{:?} has decimals; \"major\" reads 50.00 as fifty dollars, \"minor\" as fifty cents",
                amount.name
            );
            proposal.doubt("amount_unit", what);
            proposal.set("amount_unit", "major");
        }
        if instants.into_iter().flatten().any(LiveColumn::is_integer) {
            let what = "instants are whole numbers, of seconds (unix_s) or milliseconds (unix_ms)";
            proposal.doubt("timestamp_format", what);
            proposal.set("timestamp_format", "unix_s");
        }
        let id = self.of("id").map_or("", |id| id.name.as_str());
        let unique_with = self.table.unique_with(id);
        let deleted = self.deletion_mark();
        let proposal = &mut self.proposal;
        if unique_with.is_none() {
            let what = format!("no index makes {id:?} unique; somebody must vouch for it");
            proposal.doubt("id_uniqueness", what);
            proposal.set("id_uniqueness", "vouched");
        }
        if let Some(deleted) = deleted {
            proposal.set_list("null_columns", std::slice::from_ref(&deleted.name));
        }
        let others = unique_with.unwrap_or_default();
        if !others.is_empty() {
            proposal.section("transfers.filter");
        }
        for other in others {
            let what =
                format!("{id:?} is unique only together with {other:?}; say which one is ours");
            proposal.doubt(other, what);
            proposal.set(other, &unknown(other));
        }
    }

    /// The mark of rows that are deleted, by its usual names.
    fn deletion_mark(&self) -> Option<&'t LiveColumn> {
        let mut columns = self.table.schema.columns.iter();
        columns.find(|live| {
            live.nullable && ["deleted_at", "discarded_at"].contains(&live.name.as_str())
        })
    }

    /// `[transfers.columns]`.
    fn columns(&mut self) {
        self.proposal.section("transfers.columns");
        let columns = self.columns.clone();
        for (wanted, column) in COLUMNS.iter().zip(columns) {
            match column {
                Some(live) => {
                    self.doubt_name(wanted, live);
                    self.proposal.set(wanted.key, &live.name);
                }
                None if wanted.key == "parent_id" => {
                    let what = format!(
                        "no column links a reversal to its payment; add one to {:?}, of the type of its \
                         id and with an index",
                        self.name()
                    );
                    self.proposal.doubt("parent_id", what);
                    self.proposal.set("parent_id", "parent_id");
                }
                None if wanted.required => {
                    let what = "no column has a name that is known";
                    self.proposal.doubt(wanted.key, what);
                    self.proposal.set(wanted.key, &unknown(wanted.key));
                }
                None => self.proposal.set(wanted.key, ""),
            }
            if wanted.key == "id" {
                self.own_id(column);
            }
        }
    }

    /// A name that may mean something else as well.
    fn doubt_name(&mut self, wanted: &Wanted, live: &LiveColumn) {
        let is_key = [
            "trace_id",
            "payment_id",
            "source",
            "merchant_identity",
            "tags",
        ];
        let is_sure = wanted.names.first().is_some_and(|name| *name == live.name);
        if is_key.contains(&wanted.key) && !is_sure {
            let what = format!(
                "{:?} may be something else; \"\" switches it off",
                live.name
            );
            self.proposal.doubt(wanted.key, what);
        }
    }

    /// Where the database numbers its rows, ours need a column of their own.
    fn own_id(&mut self, id: Option<&LiveColumn>) {
        if !id.is_some_and(LiveColumn::is_numbered) {
            return;
        }
        let what = format!(
            "the database numbers the rows; add a column of text to {:?} for our ids of new transfers, \
             with a unique index and NULL elsewhere",
            self.name()
        );
        self.proposal.doubt("own_id", what);
        self.proposal.set("own_id", "return_key");
    }

    /// `[transfers.states]`.
    async fn states(&mut self, session: &mut dyn TargetSession) -> Result<(), DbError> {
        self.proposal.section("transfers.states");
        let Some(column) = self.of("state") else {
            return Ok(());
        };
        let words = found_words(session, self.table, column).await?;
        if column.is_integer() {
            let found = shown(&words);
            let what = format!(
                "{:?} has numbers, of which only the app knows the meaning: {found}",
                column.name
            );
            self.proposal.doubt("pending", what);
            for meaning in STATES {
                self.proposal.set(meaning.key, &unknown(meaning.key));
            }
            return Ok(());
        }
        let sorted = SortedWords::new(&words, &STATES);
        if !sorted.unknown.is_empty() {
            let found = shown(&sorted.unknown);
            let what = format!("these words of the column are in none of them: {found}");
            self.proposal.doubt("pending", what);
        }
        let failed = sorted.by_key.iter().find(|(key, _)| *key == "failed");
        let failed = failed.map(|(_, words)| words.clone()).unwrap_or_default();
        for (key, words) in &sorted.by_key {
            match (*key, words.as_slice()) {
                // What comes back before it is funded has failed, where nothing else says it.
                ("returned", []) if !failed.is_empty() => {
                    self.proposal.set("returned", &failed[0]);
                }
                (key, []) => {
                    let what = format!("no row and no type has a word for {key}");
                    self.proposal.doubt(key, what);
                    self.proposal.set(key, key);
                }
                (key, words) => self.proposal.set_words(key, words),
            }
        }
        Ok(())
    }

    /// `[transfers.types]`, or what all transfers are.
    async fn types(&mut self, session: &mut dyn TargetSession) -> Result<(), DbError> {
        let currency = self.of("currency");
        let Some(column) = self.of("type") else {
            self.proposal.section("transfers.fixed");
            self.proposal.set("type", "debit");
            if currency.is_none() {
                self.proposal.set("currency", "USD");
            }
            return Ok(());
        };
        if currency.is_none() {
            self.proposal.section("transfers.fixed");
            self.proposal.set("currency", "USD");
        }
        let words = found_words(session, self.table, column).await?;
        self.proposal.section("transfers.types");
        let sorted = SortedWords::new(&words, &TYPES);
        if !sorted.unknown.is_empty() || column.is_integer() {
            let found = shown(&sorted.unknown);
            let what = format!("what these are, nothing here says: {found}");
            self.proposal.doubt("debit", what);
        }
        for (key, words) in &sorted.by_key {
            match words.as_slice() {
                [] if column.is_integer() => self.proposal.set(key, &unknown(key)),
                [] => self.proposal.set(key, key),
                words => self.proposal.set_words(key, words),
            }
        }
        Ok(())
    }

    /// `[transfers.reversal]`: what a new row must have that the adapter does not fill by itself.
    fn new_rows(&mut self) {
        let filled: Vec<&str> = FILLED
            .iter()
            .filter_map(|key| self.of(key))
            .map(|live| live.name.as_str())
            .collect();
        let demanding = self.table.demanding();
        let open: Vec<&LiveColumn> = demanding
            .filter(|live| !filled.contains(&live.name.as_str()))
            .collect();
        let is_unique = |live: &LiveColumn| self.table.unique_with(&live.name) == Some(vec![]);
        let (own, copied): (Vec<&LiveColumn>, Vec<&LiveColumn>) =
            open.into_iter().partition(|live| is_unique(live));
        self.proposal.section("transfers.reversal");
        let names: Vec<String> = copied.iter().map(|live| live.name.clone()).collect();
        if !names.is_empty() {
            let what = "a new row must have these, and gets what its original has";
            self.proposal.doubt("copy", what);
        }
        self.proposal.set_list("copy", &names);
        if own.is_empty() {
            return;
        }
        self.proposal.section("transfers.reversal.set");
        for live in own {
            if !live.is_text() {
                let what = format!("{:?} is unique and no text; give it a default", live.name);
                self.proposal.doubt(&live.name, what);
            }
            self.proposal.set(&live.name, "{id}");
        }
    }
}
