//! The columns of the gateway's table: their names in the configuration, and the columns of the
//! live table that these were found to be.

use echeck_adapter::batch::KeyKind;
use echeck_adapter::config::ColumnNames;
use echeck_adapter::identifier::Identifier;
use echeck_adapter::schema::ColumnContent::{Amount, Date, Id, Json, Text, Timestamp, Word};
use echeck_adapter::schema::{ColumnSpec, Fitting, MappedColumn};

/// What says that no two transfers have the same id: `id_uniqueness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdUniqueness {
    /// A unique index.
    Index,
    /// The owner's word, for a view or a table in partitions. The rows are counted at each change.
    Vouched,
}

impl IdUniqueness {
    /// Its words in the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("index", Self::Index), ("vouched", Self::Vouched)];
}

/// The columns of a transfer. Those that are `Option` can be switched off.
#[derive(Debug, Clone, Default)]
pub(crate) struct TransferColumns<C> {
    pub(crate) id: C,
    pub(crate) own_id: Option<C>,
    pub(crate) kind: Option<C>,
    pub(crate) state: C,
    pub(crate) amount: C,
    pub(crate) currency: Option<C>,
    pub(crate) parent_id: C,
    pub(crate) subtype: Option<C>,
    pub(crate) fee: Option<C>,
    pub(crate) trace_id: Option<C>,
    pub(crate) payment_id: Option<C>,
    pub(crate) ach_trace: Option<C>,
    pub(crate) individual_id: Option<C>,
    pub(crate) source: Option<C>,
    pub(crate) destination: Option<C>,
    pub(crate) application: Option<C>,
    pub(crate) merchant_identity: Option<C>,
    pub(crate) statement_descriptor: Option<C>,
    pub(crate) idempotency_id: Option<C>,
    pub(crate) messages: Option<C>,
    pub(crate) raw: Option<C>,
    pub(crate) tags: Option<C>,
    pub(crate) failure_code: Option<C>,
    pub(crate) failure_message: Option<C>,
    pub(crate) ready_to_settle_at: Option<C>,
    pub(crate) created_at: Option<C>,
    pub(crate) updated_at: Option<C>,
    pub(crate) settlement_date: Option<C>,
    pub(crate) deposit_id: Option<C>,
}

impl<C> TransferColumns<C> {
    /// Makes other columns of these, one by one. This is the one list of what the mapping needs.
    fn map<'c, X, T>(
        &'c self,
        context: &mut X,
        required: fn(&mut X, ColumnSpec<'static>, &'c C) -> T,
        optional: fn(&mut X, ColumnSpec<'static>, &'c Option<C>) -> Option<T>,
        if_named: fn(&mut X, ColumnSpec<'static>, &'c Option<C>) -> Option<T>,
    ) -> TransferColumns<T> {
        let read = ColumnSpec::read;
        let lookup = ColumnSpec::lookup;
        let written = ColumnSpec::written;
        TransferColumns {
            id: match &self.own_id {
                Some(_) => required(context, read("id", Id), &self.id),
                None => required(context, written("id", Id), &self.id),
            },
            own_id: if_named(context, written("own_id", Text), &self.own_id),
            kind: optional(context, written("type", Word), &self.kind),
            state: required(context, written("state", Word), &self.state),
            amount: required(context, written("amount", Amount), &self.amount),
            currency: optional(context, written("currency", Text), &self.currency),
            parent_id: required(context, written("parent_id", Id), &self.parent_id),
            subtype: optional(context, written("subtype", Text), &self.subtype),
            fee: optional(context, written("fee", Amount), &self.fee),
            trace_id: optional(context, written("trace_id", Id), &self.trace_id),
            payment_id: optional(context, lookup("payment_id", Id), &self.payment_id),
            ach_trace: optional(context, lookup("ach_trace", Id), &self.ach_trace),
            individual_id: optional(context, lookup("individual_id", Id), &self.individual_id),
            source: optional(context, written("source", Id), &self.source),
            destination: optional(context, written("destination", Id), &self.destination),
            application: optional(context, written("application", Id), &self.application),
            merchant_identity: {
                let spec = written("merchant_identity", Id);
                optional(context, spec, &self.merchant_identity)
            },
            statement_descriptor: {
                let spec = written("statement_descriptor", Text);
                optional(context, spec, &self.statement_descriptor)
            },
            idempotency_id: optional(context, written("idempotency_id", Id), &self.idempotency_id),
            messages: optional(context, written("messages", Json), &self.messages),
            raw: optional(context, written("raw", Json), &self.raw),
            tags: optional(context, written("tags", Json), &self.tags),
            failure_code: optional(context, written("failure_code", Text), &self.failure_code),
            failure_message: {
                let spec = written("failure_message", Text);
                optional(context, spec, &self.failure_message)
            },
            ready_to_settle_at: {
                let spec = written("ready_to_settle_at", Timestamp);
                optional(context, spec, &self.ready_to_settle_at)
            },
            created_at: optional(context, written("created_at", Timestamp), &self.created_at),
            updated_at: optional(context, written("updated_at", Timestamp), &self.updated_at),
            settlement_date: {
                let spec = read("settlement_date", Date);
                optional(context, spec, &self.settlement_date)
            },
            deposit_id: optional(context, read("deposit_id", Id), &self.deposit_id),
        }
    }
}

impl TransferColumns<Identifier> {
    /// Reads `[transfers.columns]`.
    pub(crate) fn read(mut names: ColumnNames<'_>) -> Self {
        let columns = TransferColumns::<()>::default().map(
            &mut names,
            |names, spec, ()| names.required(spec.key),
            |names, spec, _| names.optional(spec.key),
            |names, spec, _| names.if_named(spec.key),
        );
        names.finish();
        columns
    }

    /// Finds the columns in the live table.
    pub(crate) fn fit(
        &self,
        id_uniqueness: IdUniqueness,
        fitting: &mut Fitting<'_>,
    ) -> TransferColumns<MappedColumn> {
        match id_uniqueness {
            IdUniqueness::Index => fitting.must_be_unique("id", &self.id),
            IdUniqueness::Vouched => fitting.should_be_unique("id", &self.id),
        }
        if let Some(own_id) = &self.own_id {
            fitting.must_be_unique("own_id", own_id);
            self.check_numbering(own_id, fitting);
        }
        for (key, name) in [
            ("parent_id", Some(&self.parent_id)),
            ("trace_id", self.trace_id.as_ref()),
            ("payment_id", self.payment_id.as_ref()),
            ("ach_trace", self.ach_trace.as_ref()),
            ("individual_id", self.individual_id.as_ref()),
        ] {
            if let Some(name) = name {
                fitting.should_be_indexed(key, name);
            }
        }
        self.map(
            fitting,
            |fitting, spec, name| fitting.column(spec, name),
            |fitting, spec, name| fitting.optional_column(spec, name.as_ref()),
            |fitting, spec, name| fitting.optional_column(spec, name.as_ref()),
        )
    }

    /// With a column for our ids, the database must give each row its own.
    fn check_numbering(&self, own_id: &Identifier, fitting: &mut Fitting<'_>) {
        let schema = fitting.schema();
        if let Some(live) = schema.column(&self.id)
            && !live.is_numbered()
        {
            fitting.fault(format!(
                "transfers.columns.own_id: is set, so the database must number a new row, but column \
                 {:?} is no whole number with a default; give it one, or take own_id out",
                live.name
            ));
        }
        if let Some(live) = schema.column(own_id)
            && !live.nullable
        {
            fitting.fault(format!(
                "transfers.columns.own_id: column {:?} is never NULL, but only transfers of the \
                 adapter's making have an id there; name a column that may be NULL",
                live.name
            ));
        }
    }
}

impl TransferColumns<MappedColumn> {
    /// The column that holds our id of a new transfer.
    pub(crate) fn new_id(&self) -> &MappedColumn {
        self.own_id.as_ref().unwrap_or(&self.id)
    }

    /// The column of a kind of key, and the setting that names it.
    pub(crate) fn key(&self, kind: KeyKind) -> (Option<&MappedColumn>, &'static str) {
        let (column, setting) = match kind {
            KeyKind::TransferId => return (Some(&self.id), "transfers.columns.id"),
            KeyKind::TraceId => (&self.trace_id, "transfers.columns.trace_id"),
            KeyKind::PaymentId => (&self.payment_id, "transfers.columns.payment_id"),
            KeyKind::AchTrace => (&self.ach_trace, "transfers.columns.ach_trace"),
            KeyKind::IndividualId => (&self.individual_id, "transfers.columns.individual_id"),
        };
        (column.as_ref(), setting)
    }

    /// Every column but those that a new transfer always copies.
    pub(crate) fn changing(&self) -> Vec<&MappedColumn> {
        let copied = [&self.currency, &self.application, &self.merchant_identity];
        let is_copied = |column: &MappedColumn| {
            let mut copied = copied.iter().copied().flatten();
            copied.any(|one| one.name() == column.name())
        };
        let all = self.all().into_iter();
        all.filter(|column| !is_copied(column)).collect()
    }

    /// Every column that is mapped.
    pub(crate) fn all(&self) -> Vec<&MappedColumn> {
        let mut all = Vec::new();
        self.map(
            &mut all,
            |all, _, column| all.push(column),
            |all, _, column| column.as_ref().map(|column| all.push(column)),
            |all, _, column| column.as_ref().map(|column| all.push(column)),
        );
        all
    }
}
