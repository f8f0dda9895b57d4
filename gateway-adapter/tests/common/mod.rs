//! A gateway for the tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Write as _;

use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{AdapterRig, reapply, release, restore, reverse};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::step::Change;
use echeck_proto::adapter::v1::{
    LookupTransfersRequest, Transfer, TransferKey, TransferKeyKind, TransferState,
};
use echeck_service::config::Settings;
use tonic::Request;

/// The columns that a table of a few has not.
pub(crate) const FEW_COLUMNS: &str = "[transfers.columns]\nsubtype = \"\"\nfee = \"\"\npayment_id = \"\"\n\
    ach_trace = \"\"\nindividual_id = \"\"\nsource = \"\"\ndestination = \"\"\napplication = \"\"\n\
    merchant_identity = \"\"\nstatement_descriptor = \"\"\nidempotency_id = \"\"\nraw = \"\"\n\
    tags = \"\"\nfailure_message = \"\"\nready_to_settle_at = \"\"\ncreated_at = \"\"\n\
    settlement_date = \"\"\ndeposit_id = \"\"\n";

/// The transfers that a look-up by this id finds.
pub(crate) async fn matches(rig: &AdapterRig, id: &str) -> Vec<Transfer> {
    let request = LookupTransfersRequest {
        identity: None,
        keys: vec![TransferKey {
            kind: TransferKeyKind::TransferId.into(),
            value: id.to_owned(),
        }],
    };
    let reply = rig.adapter.lookup_transfers(Request::new(request)).await;
    let [found] = <[_; 1]>::try_from(reply.unwrap().into_inner().matches).unwrap();
    found.transfers
}

/// Reads a configuration, with any target where none is given.
pub(crate) fn config(toml: &str) -> Result<AdapterConfig, String> {
    let target = if toml.contains("[target]") {
        ""
    } else {
        "[target]\nurl = \"sqlite:unused.db\"\n"
    };
    // Keys of the root stand before the first section.
    let (root, sections) = toml.split_at(toml.find("[t").unwrap_or(toml.len()));
    let settings = Settings::from_toml(&format!("{root}\n{target}{sections}")).unwrap();
    let config = gateway_adapter::read_config(&settings);
    settings
        .finish()
        .map(|()| config)
        .map_err(|error| error.to_string())
}

/// A gateway with the demonstration's schema and this configuration.
pub(crate) async fn rig(toml: &str) -> AdapterRig {
    rig_with(toml, gateway_adapter::demo_schema(Dialect::Sqlite)).await
}

/// A gateway with another schema.
pub(crate) async fn rig_with(toml: &str, schema: &str) -> AdapterRig {
    AdapterRig::new(schema, config(toml).unwrap().mapping).await
}

/// A gateway in a database of any kind.
pub(crate) async fn rig_on(dialect: Dialect, toml: &str) -> AdapterRig {
    let schema = gateway_adapter::demo_schema(dialect);
    AdapterRig::on(dialect, schema, config(toml).unwrap().mapping).await
}

/// A gateway with another schema in a database of any kind.
pub(crate) async fn rig_with_on(dialect: Dialect, toml: &str, schema: &str) -> AdapterRig {
    AdapterRig::on(dialect, schema, config(toml).unwrap().mapping).await
}

/// A trigger that refuses every update of one transfer.
pub(crate) fn refuse_updates_of(dialect: Dialect, id: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!(
            "CREATE TRIGGER frozen BEFORE UPDATE ON transfers WHEN old.id = '{id}' \
             BEGIN SELECT RAISE(ABORT, 'is frozen'); END"
        ),
        Dialect::Postgres => format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'is frozen'; END $$; \
             CREATE TRIGGER frozen BEFORE UPDATE ON transfers FOR EACH ROW \
             WHEN (old.id = '{id}') EXECUTE FUNCTION refuse()"
        ),
        Dialect::Mysql => format!(
            "CREATE TRIGGER frozen BEFORE UPDATE ON transfers FOR EACH ROW \
             BEGIN IF old.id = '{id}' THEN SIGNAL SQLSTATE '45000' \
             SET MESSAGE_TEXT = 'is frozen'; END IF; END"
        ),
    }
}

/// A trigger that refuses to update the transfer `id` by a code of its owner's making.
pub(crate) fn refuse_by_own_code(dialect: Dialect, id: &str) -> String {
    match dialect {
        // Its triggers have no codes.
        Dialect::Sqlite => refuse_updates_of(dialect, id),
        Dialect::Postgres => format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'is frozen' USING ERRCODE = 'AC001'; END $$; \
             CREATE TRIGGER frozen BEFORE UPDATE ON transfers FOR EACH ROW \
             WHEN (old.id = '{id}') EXECUTE FUNCTION refuse()"
        ),
        Dialect::Mysql => format!(
            "CREATE TRIGGER frozen BEFORE UPDATE ON transfers FOR EACH ROW \
             BEGIN IF old.id = '{id}' THEN SIGNAL SQLSTATE 'AC001' \
             SET MESSAGE_TEXT = 'is frozen', MYSQL_ERRNO = 31001; END IF; END"
        ),
    }
}

/// An INSERT of a debit of 500 that SUCCEEDED, where single columns can be said otherwise.
pub(crate) struct D(Vec<(String, String)>);

impl D {
    pub(crate) fn new(id: &str) -> Self {
        let text = |text: &str| format!("'{text}'");
        let columns = [
            ("id", text(id)),
            ("type", text("DEBIT")),
            ("state", text("SUCCEEDED")),
            ("amount", "500".to_owned()),
            ("fee", "15".to_owned()),
            ("trace_id", text(&format!("FNX_{id}"))),
            ("source", text("PI_BUYER")),
            ("application", text("AP1")),
            ("merchant_identity", text("ID1")),
            ("statement_descriptor", text("FNX*SHOP")),
            ("idempotency_id", text(&format!("idem_{id}"))),
            ("created_at", text("2026-02-20T00:00:00Z")),
            ("updated_at", text("2026-02-20T00:00:00Z")),
        ];
        Self(columns.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The same for a database of any kind, where columns that are not said have no default.
    pub(crate) fn on_any(id: &str) -> Self {
        Self::new(id)
            .set("messages", "'[]'")
            .set("tags", "'{}'")
            .set("created_at", "'2026-02-20 00:00:00'")
            .set("updated_at", "'2026-02-20 00:00:00'")
    }

    /// Sets a column to an SQL expression.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(taken, _)| taken != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn sql(&self) -> String {
        let mut names = String::new();
        let mut values = String::new();
        for (name, value) in &self.0 {
            let comma = if names.is_empty() { "" } else { ", " };
            write!(names, "{comma}{name}").unwrap();
            write!(values, "{comma}{value}").unwrap();
        }
        format!("INSERT INTO transfers ({names}) VALUES ({values});")
    }
}

/// Every column but the times of its creation and change.
const WHOLE: &str = "SELECT type, subtype, state, amount, currency, fee, trace_id, payment_id, \
    ach_trace, individual_id, source, destination, application, merchant_identity, \
    statement_descriptor, idempotency_id, messages, raw, tags, failure_code, failure_message, \
    parent_id, ready_to_settle_at, settlement_date, deposit_id FROM transfers WHERE id =";

/// The time of every decision, or some seconds later, as the columns have it.
pub(crate) fn time_of(dialect: Dialect, seconds: u8) -> String {
    match dialect {
        Dialect::Sqlite => format!("'2026-03-02T14:05:{:02}.000000Z'", 6 + seconds),
        Dialect::Postgres | Dialect::Mysql => format!("'2026-03-02 14:05:{:02}'", 6 + seconds),
    }
}

/// A row without the blanks that some databases write into JSON.
pub(crate) async fn whole(rig: &AdapterRig, id: &str) -> String {
    rig.one(&format!("{WHOLE} '{id}'")).await.replace(' ', "")
}

pub(crate) async fn count(rig: &AdapterRig, condition: &str) -> String {
    rig.one(&format!("SELECT count(*) FROM transfers WHERE {condition}"))
        .await
}

/// A debit that an importer knows by every id.
pub(crate) fn known(id: &str) -> D {
    D::on_any(id)
        .set("payment_id", &format!("'PAY_{id}'"))
        .set("ach_trace", &format!("'091000{id}'"))
        .set("individual_id", "'CUST 7'")
        .set("destination", "'PI_SHOP'")
        .set("settlement_date", "'2026-02-23'")
}

/// The steps of a funded debit from its return to the end of its history.
pub(crate) fn history(id: &str) -> [Change; 6] {
    let made = |prefix: &str| format!("{prefix}_{id}");
    [
        reverse(id, 500, None),
        release(&made("RV"), id, 10),
        restore(id, 500, TransferState::Succeeded, &made("RV")),
        reapply(id, 500, TransferState::Succeeded),
        release(&made("RS"), id, 20),
        release(&made("RA"), id, 30),
    ]
}
