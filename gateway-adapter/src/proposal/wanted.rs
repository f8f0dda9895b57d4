//! What the tables of others call the columns of a transfer, and how they spell its states and types.

use echeck_adapter::proposal::{Meaning, Wanted};
use echeck_adapter::schema::ColumnContent::{self, Amount, Date, Id, Json, Text, Timestamp, Word};

const fn wanted(
    key: &'static str,
    content: ColumnContent,
    names: &'static [&'static str],
) -> Wanted {
    Wanted {
        key,
        content,
        names,
        required: false,
    }
}

const fn required(
    key: &'static str,
    content: ColumnContent,
    names: &'static [&'static str],
) -> Wanted {
    Wanted {
        required: true,
        ..wanted(key, content, names)
    }
}

/// The columns, in the order in which they are written. A table without a link to the parent is
/// proposed too: that column can be added.
pub(super) const COLUMNS: [Wanted; 28] = [
    required(
        "id",
        Id,
        &[
            "id",
            "uuid",
            "transfer_id",
            "transaction_id",
            "payment_id",
            "number",
        ],
    ),
    required(
        "state",
        Word,
        &[
            "state",
            "status",
            "transfer_state",
            "transfer_status",
            "payment_state",
            "payment_status",
            "transaction_status",
            "state_id",
            "status_id",
            "contribution_status_id",
        ],
    ),
    required(
        "amount",
        Amount,
        &[
            "amount",
            "amount_minor",
            "amount_cents",
            "amount_in_cents",
            "total",
            "total_amount",
            "amount_total",
            "gross_amount",
            "value",
        ],
    ),
    wanted(
        "parent_id",
        Id,
        &[
            "parent_id",
            "parent_transfer_id",
            "parent_transaction_id",
            "parent_payment_id",
            "original_id",
            "original_transaction_id",
            "original_payment_id",
            "reversal_of",
            "reverses_id",
            "refund_of",
            "refunded_payment_id",
            "refund_transaction_id",
        ],
    ),
    wanted(
        "type",
        Word,
        &[
            "type",
            "kind",
            "transfer_type",
            "transaction_type",
            "payment_type",
            "direction",
        ],
    ),
    wanted(
        "currency",
        Text,
        &[
            "currency",
            "currency_code",
            "amount_currency",
            "iso_currency",
        ],
    ),
    wanted("subtype", Text, &["subtype"]),
    wanted(
        "fee",
        Amount,
        &["fee", "fee_minor", "fee_cents", "fee_amount", "fees"],
    ),
    wanted(
        "trace_id",
        Id,
        &[
            "trace_id",
            "acquirer_reference",
            "processor_reference",
            "gateway_reference",
        ],
    ),
    wanted(
        "payment_id",
        Id,
        &[
            "payment_id",
            "processor_payment_id",
            "processor_id",
            "gateway_transaction_id",
            "provider_id",
            "provider_payment_id",
            "psp_reference",
            "external_id",
            "trxn_id",
            "response_code",
        ],
    ),
    wanted(
        "ach_trace",
        Id,
        &["ach_trace", "ach_trace_number", "trace_number"],
    ),
    wanted(
        "individual_id",
        Id,
        &["individual_id", "individual_identification_number"],
    ),
    wanted(
        "source",
        Id,
        &[
            "source",
            "source_id",
            "payment_method_id",
            "bank_account_id",
        ],
    ),
    wanted("destination", Id, &["destination", "destination_id"]),
    wanted(
        "application",
        Id,
        &["application", "application_id", "app_id"],
    ),
    wanted(
        "merchant_identity",
        Id,
        &[
            "merchant_identity",
            "merchant_id",
            "merchant",
            "seller_id",
            "organization_id",
        ],
    ),
    wanted(
        "statement_descriptor",
        Text,
        &["statement_descriptor", "descriptor"],
    ),
    wanted("idempotency_id", Id, &["idempotency_id", "idempotency_key"]),
    wanted("messages", Json, &["messages"]),
    wanted("raw", Json, &["raw", "raw_response"]),
    wanted("tags", Json, &["tags", "metadata"]),
    wanted(
        "failure_code",
        Text,
        &["failure_code", "return_code", "error_code", "decline_code"],
    ),
    wanted(
        "failure_message",
        Text,
        &[
            "failure_message",
            "failure_reason",
            "failure_description",
            "error_message",
        ],
    ),
    wanted(
        "ready_to_settle_at",
        Timestamp,
        &["ready_to_settle_at", "available_on"],
    ),
    wanted(
        "created_at",
        Timestamp,
        &["created_at", "created", "created_on", "create_time"],
    ),
    wanted(
        "updated_at",
        Timestamp,
        &[
            "updated_at",
            "updated",
            "updated_on",
            "update_time",
            "modified_at",
            "last_modified",
        ],
    ),
    wanted(
        "settlement_date",
        Date,
        &["settlement_date", "settled_on", "effective_entry_date"],
    ),
    wanted("deposit_id", Id, &["deposit_id", "payout_id"]),
];

/// The columns that the adapter itself fills in a new row.
pub(super) const FILLED: [&str; 14] = [
    "id",
    "state",
    "amount",
    "parent_id",
    "type",
    "currency",
    "subtype",
    "fee",
    "application",
    "merchant_identity",
    "messages",
    "tags",
    "created_at",
    "updated_at",
];

/// The states.
pub(super) const STATES: [Meaning; 5] = [
    Meaning {
        key: "pending",
        words: &[
            "pending",
            "processing",
            "in_progress",
            "in_process",
            "initiated",
            "submitted",
            "sent",
            "created",
            "new",
            "open",
            "queued",
            "scheduled",
            "settling",
        ],
    },
    Meaning {
        key: "succeeded",
        words: &[
            "succeeded",
            "success",
            "successful",
            "completed",
            "complete",
            "paid",
            "captured",
            "settled",
            "processed",
            "cleared",
            "posted",
            "done",
        ],
    },
    Meaning {
        key: "failed",
        words: &[
            "failed",
            "failure",
            "declined",
            "error",
            "errored",
            "rejected",
            "denied",
            "payment_failure",
        ],
    },
    Meaning {
        key: "canceled",
        words: &[
            "canceled",
            "cancelled",
            "void",
            "voided",
            "abandoned",
            "expired",
        ],
    },
    Meaning {
        key: "returned",
        words: &[
            "returned",
            "charged_back",
            "chargeback",
            "bounced",
            "reversed",
        ],
    },
];

/// The types.
pub(super) const TYPES: [Meaning; 3] = [
    Meaning {
        key: "debit",
        words: &[
            "debit",
            "charge",
            "payment",
            "sale",
            "purchase",
            "collection",
            "payin",
        ],
    },
    Meaning {
        key: "credit",
        words: &["credit", "payout", "disbursement", "push"],
    },
    Meaning {
        key: "reversal",
        words: &["reversal", "refund", "reverse", "return"],
    },
];
