//! The columns of the gateway's table: their names in the configuration, and the columns of
//! the live table that these were found to be.

use echeck_adapter::batch::KeyKind;
use echeck_adapter::config::ColumnNames;
use echeck_adapter::identifier::Identifier;
use echeck_adapter::schema::{Column, Fitting, Want};

/// The names as configured; those that are `Option` can be switched off.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    id: Identifier,
    kind: Identifier,
    state: Identifier,
    amount: Identifier,
    currency: Identifier,
    parent_id: Identifier,
    subtype: Option<Identifier>,
    fee: Option<Identifier>,
    trace_id: Option<Identifier>,
    payment_id: Option<Identifier>,
    ach_trace: Option<Identifier>,
    individual_id: Option<Identifier>,
    source: Option<Identifier>,
    destination: Option<Identifier>,
    application: Option<Identifier>,
    merchant_identity: Option<Identifier>,
    statement_descriptor: Option<Identifier>,
    idempotency_id: Option<Identifier>,
    messages: Option<Identifier>,
    raw: Option<Identifier>,
    tags: Option<Identifier>,
    failure_code: Option<Identifier>,
    failure_message: Option<Identifier>,
    ready_to_settle_at: Option<Identifier>,
    created_at: Option<Identifier>,
    updated_at: Option<Identifier>,
    settlement_date: Option<Identifier>,
    pub(crate) deposit_id: Option<Identifier>,
}

impl Names {
    /// Reads `[transfers.columns]`.
    pub(crate) fn read(mut columns: ColumnNames<'_>) -> Self {
        let names = Self {
            id: columns.required("id", "id"),
            kind: columns.required("type", "type"),
            state: columns.required("state", "state"),
            amount: columns.required("amount", "amount"),
            currency: columns.required("currency", "currency"),
            parent_id: columns.required("parent_id", "parent_id"),
            subtype: columns.optional("subtype", "subtype"),
            fee: columns.optional("fee", "fee"),
            trace_id: columns.optional("trace_id", "trace_id"),
            payment_id: columns.optional("payment_id", "payment_id"),
            ach_trace: columns.optional("ach_trace", "ach_trace"),
            individual_id: columns.optional("individual_id", "individual_id"),
            source: columns.optional("source", "source"),
            destination: columns.optional("destination", "destination"),
            application: columns.optional("application", "application"),
            merchant_identity: columns.optional("merchant_identity", "merchant_identity"),
            statement_descriptor: columns.optional("statement_descriptor", "statement_descriptor"),
            idempotency_id: columns.optional("idempotency_id", "idempotency_id"),
            messages: columns.optional("messages", "messages"),
            raw: columns.optional("raw", "raw"),
            tags: columns.optional("tags", "tags"),
            failure_code: columns.optional("failure_code", "failure_code"),
            failure_message: columns.optional("failure_message", "failure_message"),
            ready_to_settle_at: columns.optional("ready_to_settle_at", "ready_to_settle_at"),
            created_at: columns.optional("created_at", "created_at"),
            updated_at: columns.optional("updated_at", "updated_at"),
            settlement_date: columns.optional("settlement_date", "settlement_date"),
            deposit_id: columns.optional("deposit_id", "deposit_id"),
        };
        columns.finish();
        names
    }
}

/// The columns of the live table.
pub(crate) struct Columns {
    pub(crate) id: Column,
    pub(crate) kind: Column,
    pub(crate) state: Column,
    pub(crate) amount: Column,
    pub(crate) currency: Column,
    pub(crate) parent_id: Column,
    pub(crate) subtype: Option<Column>,
    pub(crate) fee: Option<Column>,
    pub(crate) trace_id: Option<Column>,
    pub(crate) payment_id: Option<Column>,
    pub(crate) ach_trace: Option<Column>,
    pub(crate) individual_id: Option<Column>,
    pub(crate) source: Option<Column>,
    pub(crate) destination: Option<Column>,
    pub(crate) application: Option<Column>,
    pub(crate) merchant_identity: Option<Column>,
    pub(crate) statement_descriptor: Option<Column>,
    pub(crate) idempotency_id: Option<Column>,
    pub(crate) messages: Option<Column>,
    pub(crate) raw: Option<Column>,
    pub(crate) tags: Option<Column>,
    pub(crate) failure_code: Option<Column>,
    pub(crate) failure_message: Option<Column>,
    pub(crate) ready_to_settle_at: Option<Column>,
    pub(crate) created_at: Option<Column>,
    pub(crate) updated_at: Option<Column>,
    pub(crate) settlement_date: Option<Column>,
    pub(crate) deposit_id: Option<Column>,
}

impl Columns {
    /// Finds the columns in the live table.
    pub(crate) fn fit(names: &Names, fit: &mut Fitting<'_>) -> Self {
        fit.must_be_unique("id", &names.id);
        fit.should_be_indexed("parent_id", &names.parent_id);
        for (key, name) in [
            ("trace_id", &names.trace_id),
            ("payment_id", &names.payment_id),
            ("ach_trace", &names.ach_trace),
            ("individual_id", &names.individual_id),
        ] {
            if let Some(name) = name {
                fit.should_be_indexed(key, name);
            }
        }
        let mut write =
            |key, name: &Option<Identifier>, want| fit.write_if(key, name.as_ref(), want);
        let subtype = write("subtype", &names.subtype, Want::Text);
        let fee = write("fee", &names.fee, Want::Integer);
        let trace_id = write("trace_id", &names.trace_id, Want::Id);
        let source = write("source", &names.source, Want::Id);
        let destination = write("destination", &names.destination, Want::Id);
        let application = write("application", &names.application, Want::Id);
        let merchant_identity = write("merchant_identity", &names.merchant_identity, Want::Id);
        let statement_descriptor = write(
            "statement_descriptor",
            &names.statement_descriptor,
            Want::Text,
        );
        let idempotency_id = write("idempotency_id", &names.idempotency_id, Want::Id);
        let messages = write("messages", &names.messages, Want::Json);
        let raw = write("raw", &names.raw, Want::Json);
        let tags = write("tags", &names.tags, Want::Json);
        let failure_code = write("failure_code", &names.failure_code, Want::Text);
        let failure_message = write("failure_message", &names.failure_message, Want::Text);
        let ready_to_settle_at = write(
            "ready_to_settle_at",
            &names.ready_to_settle_at,
            Want::Timestamp,
        );
        let created_at = write("created_at", &names.created_at, Want::Timestamp);
        let updated_at = write("updated_at", &names.updated_at, Want::Timestamp);
        Self {
            id: fit.write("id", &names.id, Want::Id),
            kind: fit.write("type", &names.kind, Want::Text),
            state: fit.write("state", &names.state, Want::Text),
            amount: fit.write("amount", &names.amount, Want::Integer),
            currency: fit.write("currency", &names.currency, Want::Text),
            parent_id: fit.write("parent_id", &names.parent_id, Want::Id),
            payment_id: fit.read_if("payment_id", names.payment_id.as_ref(), Want::Id),
            ach_trace: fit.read_if("ach_trace", names.ach_trace.as_ref(), Want::Id),
            individual_id: fit.read_if("individual_id", names.individual_id.as_ref(), Want::Id),
            settlement_date: fit.read_if(
                "settlement_date",
                names.settlement_date.as_ref(),
                Want::Date,
            ),
            deposit_id: fit.read_if("deposit_id", names.deposit_id.as_ref(), Want::Id),
            subtype,
            fee,
            trace_id,
            source,
            destination,
            application,
            merchant_identity,
            statement_descriptor,
            idempotency_id,
            messages,
            raw,
            tags,
            failure_code,
            failure_message,
            ready_to_settle_at,
            created_at,
            updated_at,
        }
    }

    /// The column of a kind of key, and the setting that names it.
    pub(crate) fn key(&self, kind: KeyKind) -> (Option<&Column>, &'static str) {
        match kind {
            KeyKind::TransferId => (Some(&self.id), "transfers.columns.id"),
            KeyKind::TraceId => (self.trace_id.as_ref(), "transfers.columns.trace_id"),
            KeyKind::PaymentId => (self.payment_id.as_ref(), "transfers.columns.payment_id"),
            KeyKind::AchTrace => (self.ach_trace.as_ref(), "transfers.columns.ach_trace"),
            KeyKind::IndividualId => (
                self.individual_id.as_ref(),
                "transfers.columns.individual_id",
            ),
        }
    }

    /// Every column that is mapped.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Column> {
        let always = [
            &self.id,
            &self.kind,
            &self.state,
            &self.amount,
            &self.currency,
            &self.parent_id,
        ];
        let optional = [
            &self.subtype,
            &self.fee,
            &self.trace_id,
            &self.payment_id,
            &self.ach_trace,
            &self.individual_id,
            &self.source,
            &self.destination,
            &self.application,
            &self.merchant_identity,
            &self.statement_descriptor,
            &self.idempotency_id,
            &self.messages,
            &self.raw,
            &self.tags,
            &self.failure_code,
            &self.failure_message,
            &self.ready_to_settle_at,
            &self.created_at,
            &self.updated_at,
            &self.settlement_date,
            &self.deposit_id,
        ];
        always.into_iter().chain(optional.into_iter().flatten())
    }
}
