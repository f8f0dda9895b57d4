//! The rights that the statements of this folder need, looked up at the start: an account
//! that lacks one would otherwise be found out in the middle of an import, or when an
//! operator needs it. `roles/postgres_grants.sql` grants exactly these.

use sqlx::{PgConnection, Row as _};

use crate::StoreError;
use crate::columns::failed;
use crate::migrate::TABLE as MIGRATIONS;
use crate::settings::PgAddress;

/// What is done with a table besides reading it.
struct Needs {
    table: &'static str,
    insert: bool,
    /// The columns that an UPDATE sets.
    update: &'static [&'static str],
    delete: bool,
}

const fn appended(table: &'static str) -> Needs {
    Needs {
        table,
        insert: true,
        update: &[],
        delete: false,
    }
}

const fn changed(table: &'static str, update: &'static [&'static str]) -> Needs {
    Needs {
        update,
        ..appended(table)
    }
}

const NEEDS: [Needs; 28] = [
    Needs {
        insert: false,
        ..appended(MIGRATIONS)
    },
    appended("journal"),
    changed("journal_head", &["position", "hash"]),
    changed(
        "imports",
        &[
            "phase",
            "done",
            "totals",
            "checked",
            "rejection",
            "rejected_at",
            "decided_at",
            "applied_at",
            "row_count",
            "first_position",
            "last_position",
            "claimed_by",
            "claimed_until",
            "files_done",
        ],
    ),
    changed(
        "import_files",
        &[
            "archive_key",
            "archive_sha256",
            "archive_size",
            "archived_at",
            "report_key",
            "report_sha256",
            "report_size",
            "report_rows",
            "totals_key",
            "totals",
            "ties_out",
            "reported_at",
            "attempts",
            "fault",
            "fault_area",
            "fault_since",
        ],
    ),
    changed(
        "sources",
        &[
            "known_since",
            "due_since",
            "plan",
            "paused_at",
            "paused_by",
            "paused_reason",
            "retry_at",
            "retries",
            "version",
        ],
    ),
    changed("made_transfers", &["position", "decided_at", "ready_at"]),
    appended("audit"),
    changed(
        "job_runs",
        &[
            "leased_by",
            "leased_until",
            "ended_at",
            "outcome",
            "summary",
            "cause",
            "files",
        ],
    ),
    changed("remote_files", &["put_away_at"]),
    appended("import_stretches"),
    appended("import_rejected_lines"),
    appended("import_duplicates"),
    changed(
        "holds",
        &[
            "reason",
            "detail",
            "transfer_ids",
            "state",
            "attempts",
            "next_attempt_at",
            "closed_at",
            "closed_by",
            "note",
            "resolved_position",
            "told_state",
        ],
    ),
    appended("hold_transfers"),
    Needs {
        delete: true,
        ..changed(
            "dishonorable",
            &[
                "line",
                "transfer_id",
                "return_id",
                "hold_id",
                "code",
                "fields",
                "last_day",
                "why",
                "others",
                "amount_minor",
                "currency",
                "return_code",
                "settled_on",
                "marked_at",
            ],
        )
    },
    changed(
        "followers",
        &["position", "updated_at", "fault", "fault_since"],
    ),
    Needs {
        delete: true,
        ..changed("follower_exceptions", &["handled"])
    },
    Needs {
        delete: true,
        ..changed("leases", &["owner", "until"])
    },
    changed("adoptions", &["adopted_at"]),
    changed(
        "incidents",
        &[
            "state",
            "content",
            "seen",
            "reopened",
            "last_seen_at",
            "next_try_at",
            "quiet_since",
            "acknowledged_at",
            "acknowledged_by",
            "acknowledged_note",
            "closed_at",
            "closed_by",
            "closed_note",
            "alerted_at",
            "waiting_since",
            "escalations",
            "told",
            "version",
        ],
    ),
    appended("incident_events"),
    changed(
        "alerts",
        &[
            "state",
            "attempts",
            "next_attempt_at",
            "claimed_until",
            "sent_at",
            "last_error",
        ],
    ),
    Needs {
        insert: false,
        ..changed("webhook_head", &["sequence", "position"])
    },
    appended("webhook_events"),
    changed(
        "webhook_endpoints",
        &[
            "url",
            "description",
            "owner_email",
            "event_types",
            "merchant",
            "ordered",
            "state",
            "disabled_why",
            "failing_since",
            "updated_at",
            "version",
            "wakes",
            "owner_state",
            "owner_since",
            "owner_attempts",
            "owner_next_at",
            "owner_told_at",
            "owner_error",
        ],
    ),
    changed("webhook_secrets", &["retires_at"]),
    changed(
        "webhook_deliveries",
        &[
            "state",
            "attempts",
            "next_attempt_at",
            "last_status",
            "last_error",
            "last_attempt_at",
            "ended_at",
            "generation",
            "tries_from",
            "unwanted",
        ],
    ),
];

/// Refuses an account that lacks a right; every one that is missing is named.
pub(super) async fn check(
    connection: &mut PgConnection,
    address: &PgAddress,
) -> Result<(), StoreError> {
    let what = "looking up the account's rights";
    let (mut tables, mut rights, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for needs in &NEEDS {
        let whole = [
            ("SELECT", true),
            ("INSERT", needs.insert),
            ("DELETE", needs.delete),
        ];
        let whole = whole.iter().filter(|(_, needed)| *needed);
        let whole = whole.map(|(right, _)| (*right, None));
        let update = needs.update.iter().map(|column| ("UPDATE", Some(*column)));
        for (right, column) in whole.chain(update) {
            tables.push(needs.table);
            rights.push(right);
            columns.push(column);
        }
    }
    // Without the right to use the schema, no name in it means anything.
    let lacking = sqlx::query(
        "SELECT n.right, n.name, n.col FROM ( \
             SELECT *, to_regclass(quote_ident(name)) AS found \
             FROM UNNEST($1::text[], $2::text[], $3::text[]) AS u (name, \"right\", col)) AS n \
         WHERE n.found IS NULL OR NOT CASE \
             WHEN n.col IS NULL THEN has_table_privilege(n.found, n.right) \
             ELSE has_column_privilege(n.found, n.col, n.right) END",
    )
    .bind(&tables)
    .bind(&rights)
    .bind(&columns)
    .fetch_all(connection)
    .await
    .map_err(failed(what))?;
    if lacking.is_empty() {
        return Ok(());
    }
    let mut named = Vec::new();
    for row in &lacking {
        let (right, table): (String, String) = (
            row.try_get(0).map_err(failed(what))?,
            row.try_get(1).map_err(failed(what))?,
        );
        let column: Option<String> = row.try_get(2).map_err(failed(what))?;
        let column = column.map_or_else(String::new, |column| format!(" ({column})"));
        named.push(format!("{right}{column} on {table}"));
    }
    Err(StoreError::Unusable(format!(
        "{address} lacks rights: {}. Let the owner of the tables run \
         crates/returns-store/roles/postgres_grants.sql",
        named.join(", ")
    )))
}
