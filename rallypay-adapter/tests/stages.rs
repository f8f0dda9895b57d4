//! What comes after a return, as the Rails app shows it on every database.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use echeck_adapter::check::check;
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{
    AdapterRig, Journal, fail, give_back, reapply, reason_of, release, reported, restore, reverse,
};
use echeck_proto::adapter::v1::StepException;
use echeck_proto::adapter::v1::StepExceptionKind::{self, MovedOn, NotFound, Refused};
use echeck_proto::adapter::v1::TransferState::{Failed, Pending, Returned, Succeeded};
use echeck_proto::adapter::v1::step::Change;
use echeck_service::config::Settings;

on_every_database!(
    a_dishonored_return_shows_as_restored_with_its_reason,
    a_contested_dishonor_shows_as_reversed_with_the_day_of_the_contest,
    a_later_stage_only_starts_from_what_the_one_before_leads_to,
    an_integer_enum_has_a_number_for_restored,
    an_integer_enum_without_restored_is_refused_by_the_key,
    a_release_is_recorded_in_the_payment_itself,
    nothing_is_released_where_nothing_waits,
    an_app_without_the_column_takes_a_release_as_an_empty_step,
    the_whole_history_of_a_return_fits_one_batch,
    a_batch_that_comes_again_changes_nothing,
    a_status_that_the_app_refuses_is_isolated,
    a_key_that_names_two_rows_releases_neither,
);

const INTEGERS: &str = "[transactions]\nstatus_kind = \"integer\"\n[transactions.statuses]\n\
                        failed = 3\nreturned = 4\nreversed = 5\nopen = [\"0\", \"1\"]\n";

async fn rig_with(dialect: Dialect, toml: &str, schema: &str) -> AdapterRig {
    let settings = format!("[target]\nurl = \"sqlite:unused.db\"\n{toml}");
    let settings = Settings::from_toml(&settings).unwrap();
    let config = rallypay_adapter::read_config(&settings);
    settings.finish().unwrap();
    AdapterRig::on(dialect, schema, config.mapping).await
}

/// An app whose reversals have a status of their own.
async fn rig(dialect: Dialect) -> AdapterRig {
    let toml = "[transactions.statuses]\nreversed = \"charged_back\"";
    rig_with(dialect, toml, rallypay_adapter::demo_schema(dialect)).await
}

/// The demonstration's schema, where the line of one column is another.
fn schema_with(dialect: Dialect, column: &str, line: &str) -> String {
    let schema = rallypay_adapter::demo_schema(dialect);
    let old = schema
        .lines()
        .find(|line| line.trim_start().starts_with(&format!("{column} ")))
        .unwrap();
    schema.replace(old, line)
}

async fn add(rig: &AdapterRig, transfer_id: &str, status: &str) {
    rig.sql(&format!(
        "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) \
         VALUES ('{transfer_id}', 500, {status}, '2026-02-20 00:00:00', '2026-02-20 00:00:00')"
    ))
    .await;
}

/// Every column. PostgreSQL shows no zeros after the second.
async fn all(rig: &AdapterRig) -> Vec<String> {
    let rows = rig
        .rows(
            "SELECT transfer_id, merchant_name, amount_cents, currency, status, failure_code, \
             failure_description, returned_at, reversal_ready_at, lock_version, created_at, \
             updated_at FROM transactions ORDER BY id",
        )
        .await;
    rows.iter().map(|row| row.replace(".000000", "")).collect()
}

async fn statuses(rig: &AdapterRig) -> Vec<String> {
    rig.rows("SELECT status FROM transactions ORDER BY id")
        .await
}

async fn apply(
    rig: &AdapterRig,
    journal: &mut Journal,
    changes: Vec<Change>,
) -> Vec<StepException> {
    let reply = rig.apply(journal.changes(changes)).await;
    reply.unwrap().exceptions
}

async fn a_dishonored_return_shows_as_restored_with_its_reason(dialect: Dialect) {
    let rig = rig(dialect).await;
    let mut journal = Journal::default();
    for id in ["TR1", "TR2", "TR3"] {
        add(&rig, id, "'succeeded'").await;
    }
    let returns = vec![
        fail("TR1", Pending),
        give_back("TR2", Pending, None),
        reverse("TR3", 500, None),
        release("RV_TR3", "TR3", 30),
    ];
    assert_eq!(reported(&apply(&rig, &mut journal, returns).await), []);
    assert_eq!(statuses(&rig).await, ["failed", "returned", "charged_back"]);
    let dishonors = vec![
        restore("TR1", 500, Failed, ""),
        restore("TR2", 500, Returned, ""),
        restore("TR3", 500, Succeeded, "RV_TR3"),
    ];
    assert_eq!(reported(&apply(&rig, &mut journal, dishonors).await), []);
    // returned_at stays. A release of the reversal says nothing about the restoration.
    let row = |id: &str, returned_at: &str, version: u8| {
        format!(
            "{id}|-|500|USD|restored|R68|Untimely Return|{returned_at}|-|{version}\
             |2026-02-20 00:00:00|2026-03-02 14:05:06"
        )
    };
    assert_eq!(
        all(&rig).await,
        [
            row("TR1", "-", 2),
            row("TR2", "2026-02-27 12:00:00", 2),
            row("TR3", "2026-03-02 14:05:06", 3),
        ]
    );
}

async fn a_contested_dishonor_shows_as_reversed_with_the_day_of_the_contest(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'succeeded'").await;
    let mut journal = Journal::default();
    let history = vec![
        give_back("TR1", Pending, None),
        restore("TR1", 500, Returned, ""),
        release("RS_TR1", "TR1", 30),
    ];
    assert_eq!(reported(&apply(&rig, &mut journal, history).await), []);
    let contest = vec![reapply("TR1", 500, Returned)];
    assert_eq!(reported(&apply(&rig, &mut journal, contest).await), []);
    assert_eq!(
        all(&rig).await,
        [
            "TR1|-|500|USD|charged_back|R73|Timely Original Return|2026-03-01 12:00:00|-|4\
             |2026-02-20 00:00:00|2026-03-02 14:05:06"
        ]
    );
}

async fn a_later_stage_only_starts_from_what_the_one_before_leads_to(dialect: Dialect) {
    let rig = rig(dialect).await;
    for (id, status) in [
        ("OPEN", "'succeeded'"),
        ("BACK", "'charged_back'"),
        ("GIVEN", "'restored'"),
        ("CASE", "'RETURNED'"),
    ] {
        add(&rig, id, status).await;
    }
    let before = all(&rig).await;
    let changes = vec![
        restore("OPEN", 500, Succeeded, ""),
        reapply("BACK", 500, Succeeded),
        restore("GIVEN", 500, Succeeded, ""),
        restore("CASE", 500, Succeeded, ""),
        restore("GONE", 500, Succeeded, ""),
        reverse("GIVEN", 500, None),
    ];
    let exceptions = rig.apply_one_by_one(changes).await;
    assert_eq!(
        reported(&exceptions),
        [
            (
                1,
                MovedOn,
                "the transaction of transfer OPEN has the status succeeded, in which no return \
                 can be undone"
            ),
            (
                2,
                MovedOn,
                "the transaction of transfer BACK has the status charged_back, in which no \
                 return can be applied again"
            ),
            (
                3,
                MovedOn,
                "the transaction of transfer GIVEN has the status restored, in which no return \
                 can be undone"
            ),
            (
                4,
                MovedOn,
                "the transaction of transfer CASE has the status RETURNED, in which no return \
                 can be undone"
            ),
            (
                5,
                NotFound,
                "the target has no transaction of transfer GONE"
            ),
            (
                6,
                MovedOn,
                "the transaction of transfer GIVEN has the status restored, from which no \
                 change may start"
            ),
        ]
    );
    assert_eq!(all(&rig).await, before);
}

async fn an_integer_enum_has_a_number_for_restored(dialect: Dialect) {
    let schema = schema_with(dialect, "status", "status smallint NOT NULL,");
    let rig = rig_with(dialect, &format!("{INTEGERS}restored = 6"), &schema).await;
    for (id, status) in [("TR1", "3"), ("TR2", "4"), ("TR3", "5"), ("TR4", "1")] {
        add(&rig, id, status).await;
    }
    let mut journal = Journal::default();
    let dishonors = ["TR1", "TR2", "TR3", "TR4"].map(|id| restore(id, 500, Succeeded, ""));
    let exceptions = apply(&rig, &mut journal, dishonors.into()).await;
    assert_eq!(
        reported(&exceptions),
        [(
            4,
            MovedOn,
            "the transaction of transfer TR4 has the status 1, in which no return can be undone"
        )]
    );
    assert_eq!(statuses(&rig).await, ["6", "6", "6", "1"]);
    let changes = vec![reapply("TR1", 500, Succeeded), release("RS_TR2", "TR2", 0)];
    assert_eq!(reported(&apply(&rig, &mut journal, changes).await), []);
    assert_eq!(statuses(&rig).await, ["5", "6", "6", "1"]);
}

async fn an_integer_enum_without_restored_is_refused_by_the_key(dialect: Dialect) {
    let schema = schema_with(dialect, "status", "status smallint NOT NULL,");
    let rig = rig_with(dialect, INTEGERS, &schema).await;
    for (id, status) in [("TR1", "5"), ("TR2", "1"), ("TR3", "5")] {
        add(&rig, id, status).await;
    }
    let changes = vec![
        restore("TR1", 500, Succeeded, ""),
        reverse("TR2", 500, None),
        reapply("TR3", 500, Succeeded),
        release("RV_TR3", "TR3", 0),
    ];
    let exceptions = apply(&rig, &mut Journal::default(), changes).await;
    let why = "the app has no status for a payment whose return was dishonored; set \
               transactions.statuses.restored";
    assert_eq!(
        reported(&exceptions),
        [(1, Refused, why), (3, Refused, why)]
    );
    assert_eq!(statuses(&rig).await, ["5", "5", "5"]);
    assert_eq!(
        rig.rows("SELECT lock_version FROM transactions ORDER BY id")
            .await,
        ["0", "1", "1"]
    );
}

async fn a_release_is_recorded_in_the_payment_itself(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'succeeded'").await;
    add(&rig, "RV_TR1", "'succeeded'").await;
    let mut journal = Journal::default();
    let changes = vec![reverse("TR1", 500, None)];
    assert_eq!(reported(&apply(&rig, &mut journal, changes).await), []);
    rig.sql("UPDATE transactions SET updated_at = '2026-02-20 00:00:00'")
        .await;
    let changes = vec![release("RV_TR1", "TR1", 30)];
    assert_eq!(reported(&apply(&rig, &mut journal, changes).await), []);
    let other = "RV_TR1|-|500|USD|succeeded|-|-|-|-|0|2026-02-20 00:00:00|2026-02-20 00:00:00";
    let row = |ready_at: &str, version: u8| {
        format!(
            "TR1|-|500|USD|charged_back|R01|Insufficient Funds|2026-03-02 14:05:06|{ready_at}\
             |{version}|2026-02-20 00:00:00|2026-03-02 14:05:06"
        )
    };
    assert_eq!(
        all(&rig).await,
        [row("2026-03-02 14:05:36", 2), other.to_owned()]
    );
    // A reversal that is released after its return was dishonored does not keep the restoration
    // from being released too.
    let changes = vec![
        restore("TR1", 500, Succeeded, "RV_TR1"),
        release("RV_TR1", "TR1", 30),
        release("RS_TR1", "TR1", 30),
    ];
    assert_eq!(reported(&apply(&rig, &mut journal, changes).await), []);
    let shown = rig
        .one("SELECT status, reversal_ready_at FROM transactions WHERE transfer_id = 'TR1'")
        .await;
    assert_eq!(shown.replace(".000000", ""), "restored|2026-03-02 14:05:36");
}

async fn nothing_is_released_where_nothing_waits(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'succeeded'").await;
    add(&rig, "TR2", "'refunded'").await;
    add(&rig, "TR3", "'charged_back'").await;
    let changes = vec![
        release("RV_TR1", "TR1", 0),
        release("RV_TR2", "TR2", 0),
        release("RV_TR3", "TR3", 0),
        release("RV_TR4", "TR4", 0),
    ];
    let exceptions = rig.apply_one_by_one(changes).await;
    assert_eq!(
        reported(&exceptions),
        [
            (
                1,
                MovedOn,
                "the transaction of transfer TR1 has the status succeeded, in which nothing \
                 waits to be settled"
            ),
            (
                2,
                MovedOn,
                "the transaction of transfer TR2 has the status refunded, in which nothing \
                 waits to be settled"
            ),
            (4, NotFound, "the target has no transaction of transfer TR4"),
        ]
    );
    assert_eq!(
        rig.rows("SELECT transfer_id FROM transactions WHERE reversal_ready_at IS NOT NULL")
            .await,
        ["TR3"]
    );
}

async fn an_app_without_the_column_takes_a_release_as_an_empty_step(dialect: Dialect) {
    let absent = schema_with(dialect, "reversal_ready_at", "");
    let off = "[transactions.columns]\nreversal_ready_at = \"\"";
    for (toml, schema) in [
        ("", absent.as_str()),
        (off, rallypay_adapter::demo_schema(dialect)),
    ] {
        let rig = rig_with(dialect, toml, schema).await;
        add(&rig, "TR1", "'succeeded'").await;
        let mut journal = Journal::default();
        let changes = vec![reverse("TR1", 500, None)];
        assert_eq!(reported(&apply(&rig, &mut journal, changes).await), []);
        let before = rig.rows("SELECT * FROM transactions").await;
        // Not even for one that is not there.
        let changes = vec![release("RV_TR1", "TR1", 30), release("RV_TR9", "TR9", 30)];
        let exceptions = apply(&rig, &mut journal, changes).await;
        assert_eq!(reported(&exceptions), []);
        let cursor = rig.progress(0, 0).await.cursor;
        assert_eq!(cursor.unwrap().position, 3);
        assert_eq!(rig.rows("SELECT * FROM transactions").await, before);
    }
    let named = "[transactions.columns]\nreversal_ready_at = \"reversal_ready_at\"";
    let faults = check(&rig_with(dialect, named, &absent).await.target)
        .await
        .faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("transactions.columns.reversal_ready_at: table"),
        "{faults:?}"
    );
}

/// The steps of a funded debit from its return to the end of its history.
fn history(id: &str) -> [Change; 6] {
    let made = |prefix: &str| format!("{prefix}_{id}");
    [
        reverse(id, 500, None),
        release(&made("RV"), id, 10),
        restore(id, 500, Succeeded, &made("RV")),
        release(&made("RS"), id, 20),
        reapply(id, 500, Succeeded),
        release(&made("RA"), id, 30),
    ]
}

async fn the_whole_history_of_a_return_fits_one_batch(dialect: Dialect) {
    let rig = rig(dialect).await;
    for id in ["TR1", "TR2"] {
        add(&rig, id, "'pending'").await;
    }
    let [one, two] = ["TR1", "TR2"].map(history);
    let changes = one.into_iter().zip(two).flat_map(<[Change; 2]>::from);
    let exceptions = apply(&rig, &mut Journal::default(), changes.collect()).await;
    assert_eq!(reported(&exceptions), []);
    let row = |id: &str| {
        format!(
            "{id}|-|500|USD|charged_back|R73|Timely Original Return|2026-03-01 12:00:00\
             |2026-03-02 14:05:36|6|2026-02-20 00:00:00|2026-03-02 14:05:06"
        )
    };
    assert_eq!(all(&rig).await, [row("TR1"), row("TR2")]);
}

async fn a_batch_that_comes_again_changes_nothing(dialect: Dialect) {
    let rig = rig(dialect).await;
    add(&rig, "TR1", "'succeeded'").await;
    add(&rig, "TR2", "'succeeded'").await;
    let mut journal = Journal::default();
    let changes = vec![
        reverse("TR1", 500, None),
        restore("TR1", 500, Succeeded, "RV_TR1"),
        reverse("TR2", 500, None),
        restore("TR2", 500, Succeeded, "RV_TR2"),
        reapply("TR2", 500, Succeeded),
    ];
    let batch = journal.changes(changes);
    rig.apply(batch.clone()).await.unwrap();
    let before = all(&rig).await;
    let again = rig.apply(batch).await.unwrap_err();
    assert_eq!(reason_of(&again), "CURSOR_MISMATCH");
    // The same as new rows of the journal.
    let changes = vec![
        restore("TR1", 500, Succeeded, "RV_TR1"),
        reapply("TR2", 500, Succeeded),
    ];
    let exceptions = apply(&rig, &mut journal, changes).await;
    let kinds: Vec<StepExceptionKind> = reported(&exceptions)
        .into_iter()
        .map(|(_, kind, _)| kind)
        .collect();
    assert_eq!(kinds, [MovedOn, MovedOn]);
    assert_eq!(all(&rig).await, before);
}

async fn a_status_that_the_app_refuses_is_isolated(dialect: Dialect) {
    // SQLite takes conditions of several columns beside a column too, and MySQL only between them.
    let end = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres | Dialect::Mysql => ",",
    };
    let check = "CHECK (status <> 'restored' OR transfer_id <> 'TR2')";
    let line = &format!("status varchar(20) NOT NULL{end} {check},");
    let schema = schema_with(dialect, "status", line);
    let rig = rig_with(dialect, "", &schema).await;
    for id in ["TR1", "TR2", "TR3"] {
        add(&rig, id, "'returned'").await;
    }
    let changes = ["TR1", "TR2", "TR3"].map(|id| restore(id, 500, Succeeded, ""));
    let exceptions = apply(&rig, &mut Journal::default(), changes.into()).await;
    let refused = reported(&exceptions);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].0, refused[0].1), (2, Refused));
    assert_eq!(statuses(&rig).await, ["restored", "returned", "restored"]);
}

async fn a_key_that_names_two_rows_releases_neither(dialect: Dialect) {
    let schema = rallypay_adapter::demo_schema(dialect)
        .replace(
            "UNIQUE INDEX index_transactions_on_t",
            "INDEX index_transactions_on_t",
        )
        .replace(
            "UNIQUE KEY index_transactions_on_t",
            "KEY index_transactions_on_t",
        );
    let rig = rig_with(dialect, "", &schema).await;
    for id in ["TR1", "TR1", "TR2"] {
        add(&rig, id, "'returned'").await;
    }
    // TR3 is missing, so that as many rows are hit as there are changes.
    let changes = ["TR1", "TR2", "TR3"].map(|id| release(&format!("RV_{id}"), id, 0));
    let exceptions = apply(&rig, &mut Journal::default(), changes.into()).await;
    assert_eq!(
        reported(&exceptions),
        [
            (
                1,
                Refused,
                "2 rows have the transfer_id TR1; it must name one"
            ),
            (3, NotFound, "the target has no transaction of transfer TR3"),
        ]
    );
    assert_eq!(
        rig.rows("SELECT transfer_id FROM transactions WHERE reversal_ready_at IS NOT NULL")
            .await,
        ["TR2"]
    );
}
